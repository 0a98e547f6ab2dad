package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	recordings = "../../testdata/recordings/"
	stuck      = recordings + "argo-3.6.2/containerset-pod-deleted-retry.json"
)

// asProgram makes the test binary the program itself, for what only a process has: its exit code.
const asProgram = "STUCK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// printed is what the program prints.
func printed(t *testing.T, in string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(args, strings.NewReader(in), &out), "%s", args)
	return out.String()
}

// inOrder asserts that the lines occur in text, each after the one before.
func inOrder(t *testing.T, text string, lines ...string) {
	t.Helper()
	rest := text
	for _, line := range lines {
		at := strings.Index(rest, line)
		require.GreaterOrEqual(t, at, 0, "no line\n%s\nafter those before it, in\n%s", line, text)
		rest = rest[at+len(line):]
	}
}

// The program tells a story in two parts. First: what the controller left behind, and why nothing will change it.
func TestWhatTheControllerLeftBehind(t *testing.T) {
	out := printed(t, "")
	before, _, found := strings.Cut(out, "The same observations through nodestatus:\n")
	require.True(t, found, "the second part is missing in\n%s", out)
	inOrder(t, before,
		"containerset-pod-deleted-retry\n",
		"What the controller left behind (Argo Workflows controller, release v3.6.2):\n",
		"workflow nightly-ingest: Running",
		"● nightly-ingest  (DAG, Running)\n",
		"✔ extract  (Retry, Succeeded)\n",
		"⚠ extract(0)  (Pod, Error)  pod deleted\n",
		"⚠ fetch  (Container, Error)  container deleted\n",
		"● main  (Container, Running)  <- its pod has ended: nothing will ever change this\n",
		"✔ extract(1)  (Pod, Succeeded)\n",
		"✔ report  (Pod, Succeeded)\n",
		"Nothing runs any more, and the workflow waits for ever.\n",
		"It still holds default/Mutex/warehouse. Whoever asks for that stays Pending: "+
			"Waiting for default/Mutex/warehouse lock. Lock status: 0/1\n",
	)
	assert.Equal(t, 1, strings.Count(before, "nothing will ever change this"), "one container hangs, no other")
}

// Second: the same observations through the library. The container ends with its pod, the workflow completes and gives
// its mutex back, and the second workflow goes on.
func TestWhatTheLibraryMakesOfIt(t *testing.T) {
	_, after, found := strings.Cut(printed(t, ""), "The same observations through nodestatus:\n")
	require.True(t, found)
	inOrder(t, after,
		"  host: Acquire default/Mutex/warehouse\n",
		`  Workflow second-workflow: (new) -> Pending "Waiting for default/Mutex/warehouse lock. Lock status: 0/1"`+"\n",
		"delete extract(0)\n",
		`  Container nightly-ingest.extract(0).main: Running -> Error "container deleted"`+"\n",
		"      because it is inside Pod nightly-ingest.extract(0), which has ended\n",
		"  host: Start Pod nightly-ingest.extract(1)\n",
		"ok report\n",
		"  DAG nightly-ingest: Running -> Succeeded\n",
		"  Workflow nightly-ingest: Running -> Succeeded\n",
		"  host: Release default/Mutex/warehouse\n",
		"  host: Complete\n",
		"  Workflow second-workflow: Pending -> Running\n",
		"  host: Start Pod second-workflow\n",
		"Not in the recording: the pod of second-workflow runs, and succeeds.\n",
		"  Workflow second-workflow: Running -> Succeeded\n",
		"What the library says at the end:\n",
		"workflow nightly-ingest: Succeeded",
		"⚠ main  (Container, Error)  container deleted\n",
		"workflow second-workflow: Succeeded",
		"In short:\n",
		"  before  Argo Workflows controller, release v3.6.2: workflow nightly-ingest is Running, for ever, and keeps its locks\n",
		"  after   nodestatus: workflow nightly-ingest is Succeeded, and has given its locks back\n",
		"  then    the second workflow, which is not in the recording, is Succeeded\n",
		"nobody waits for that any more.\n",
	)
	_, end, _ := strings.Cut(after, "What the library says at the end:\n")
	assert.Less(t, strings.Count(end, "\n"), 24, "the end fits on a screen")
	assert.NotContains(t, after, "waits for nightly-ingest", "a complete workflow waits for nothing")
}

// The recording may come from a file or from standard input; without an argument it is the embedded one.
func TestWhereTheRecordingComesFrom(t *testing.T) {
	data, err := os.ReadFile(stuck)
	require.NoError(t, err)
	want := printed(t, "")
	assert.Equal(t, want, printed(t, "", stuck), "a file")
	assert.Equal(t, want, printed(t, string(data), "-"), "standard input")
	other := printed(t, "", recordings+"argo-4.1/containerset-evicted-mid-run.json")
	assert.True(t, strings.HasPrefix(other, "containerset-evicted-mid-run\n"), "another file: %s", other)
}

// A workflow that did not hang is not said to hang.
func TestARecordingThatDidNotHang(t *testing.T) {
	out := printed(t, "", recordings+"argo-4.1/containerset-pod-deleted-retry.json")
	assert.NotContains(t, out, "waits for ever")
	assert.NotContains(t, out, "nothing will ever change this")
	const succeeded = "workflow nightly-ingest: Succeeded"
	inOrder(t, out, succeeded, "What the library says at the end:\n", succeeded)
}

// Without locks there is nothing that a second workflow could wait for, and none is shown.
func TestNoSecondWorkflowWithoutLocks(t *testing.T) {
	out := printed(t, "", recordings+"argo-4.1/containerset-evicted-mid-run.json")
	inOrder(t, out, "Nothing runs any more, and the workflow waits for ever.\n", "workflow evicted: Failed")
	assert.NotContains(t, out, "second-workflow")
}

var every = flag.Int("every", 8, "show every recording of so many; all: 1")

// Every recording of the project can be shown.
func TestEveryRecording(t *testing.T) {
	files, err := filepath.Glob(recordings + "[ar]*/*") // the wide ones are judged in package replay
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for k, file := range files {
		if k%*every != 0 {
			continue
		}
		out := printed(t, "", file)
		inOrder(t, out, "What the controller left behind (", "The same observations through nodestatus:\n",
			"What the library says at the end:\n")
	}
}

// What can't be shown is said on standard error, and the process does not succeed.
func TestBadInput(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	text := filepath.Join(t.TempDir(), "text.json")
	require.NoError(t, os.WriteFile(text, []byte("hello"), 0o600))
	empty := filepath.Join(t.TempDir(), "empty.json")
	require.NoError(t, os.WriteFile(empty, []byte(`{"name":"nothing"}`), 0o600))
	cases := []struct {
		why  string
		args []string
		says string
	}{
		{"no such file", []string{"none.json"}, "error: open none.json: no such file"},
		{"a directory", []string{t.TempDir()}, "is a directory"},
		{"not a recording", []string{text}, `error: replay: recording "": invalid character 'h'`},
		{"a recording of nothing", []string{empty}, `error: replay: recording "nothing": it has no workflow or no frames`},
		{"nothing on standard input", []string{"-"}, `error: replay: recording "": unexpected end of JSON input`},
		{"two files", []string{stuck, stuck}, "error: want one recording, got 2"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			var out, stderr bytes.Buffer
			p := exec.Command(program, c.args...)
			p.Env = append(os.Environ(), asProgram+"=1")
			p.Stdout, p.Stderr = &out, &stderr
			require.ErrorAs(t, p.Run(), new(*exec.ExitError))
			assert.Equal(t, 1, p.ProcessState.ExitCode())
			assert.Contains(t, stderr.String(), c.says)
			assert.Empty(t, out.String())
		})
	}
}

// Run as a program it prints the same and exits with 0.
func TestProgram(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	p := exec.Command(program)
	p.Env = append(os.Environ(), asProgram+"=1")
	out, err := p.Output()
	require.NoError(t, err)
	assert.Equal(t, printed(t, ""), string(out))
}
