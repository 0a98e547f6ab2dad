package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const recordings = "../../testdata/recordings/"

const (
	chain   = recordings + "argo-4.1/containerset-chain-first-done-then-deleted.json"
	evicted = recordings + "argo-4.1/containerset-evicted-retried.json"
	clean   = recordings + "argo-4.1/containerset-chain-succeeds.json" // both sides agree on everything
	zipped  = recordings + "random/suspend-resume-seed1.json.gz"
)

// asProgram makes the test binary the program itself, for what only a process has: its exit code.
const asProgram = "NODESTATUS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// called is what one call of the program left behind.
type called struct {
	code     int
	out, err string
}

func call(args ...string) called {
	var out, err bytes.Buffer
	code := run(args, stdio{in: strings.NewReader(""), out: &out, err: &err})
	return called{code, out.String(), err.String()}
}

// replayed calls the replay command, which has to succeed silently.
func replayed(t *testing.T, args ...string) string {
	t.Helper()
	c := call(append([]string{"replay"}, args...)...)
	require.Equal(t, 0, c.code, "replay %s: %s", args, c.err)
	require.Empty(t, c.err)
	return c.out
}

// tampered writes a copy of a recording in which edit changed the last frame's status, and returns its path.
func tampered(t *testing.T, file string, edit func(status map[string]any)) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var r map[string]any
	require.NoError(t, json.Unmarshal(data, &r))
	frames := r["frames"].([]any)
	edit(frames[len(frames)-1].(map[string]any)["status"].(map[string]any))
	data, err = json.Marshal(r)
	require.NoError(t, err)
	return written(t, "tampered.json", data)
}

func written(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// With -o json each frame is a line, and this is what a line looks like: programs read it.
func TestJSONLine(t *testing.T) {
	lines := strings.Split(replayed(t, "-mode", "free", "-o", "json", chain), "\n")
	want := `{"recording":"containerset-chain-first-done-then-deleted","frame":3,` +
		`"workflow":{"phase":"Error","message":""},"nodes":{` +
		`"chain":{"name":"chain","type":"DAG","phase":"Error","message":""},` +
		`"chain-1575794680":{"name":"chain.build","type":"Pod","phase":"Error","message":"pod deleted"},` +
		`"chain-3029303083":{"name":"chain.build.main","type":"Container","phase":"Error","message":"container deleted"},` +
		`"chain-660523136":{"name":"chain.build.b","type":"Container","phase":"Error","message":"container deleted"},` +
		`"chain-710855993":{"name":"chain.build.a","type":"Container","phase":"Succeeded","message":""}},` +
		`"actions":[{"type":"Complete","node":"","id":""}],"waiting":[]}`
	require.Greater(t, len(lines), 3)
	assert.Empty(t, cmp.Diff(want, lines[3]), "the line of frame 3 (-want +printed)")
}

// The keys are there in every line, also where there is nothing to say.
func TestJSONKeys(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(replayed(t, "-mode", "free", "-o", "json", evicted), "\n"), "\n")
	require.Len(t, lines, 10, "one line for each frame")
	actions, waiting, unknown := 0, 0, 0
	for k, text := range lines {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line), "frame %d", k)
		if ids, ok := line["unknown"]; ok { // only where there are any
			unknown++
			assert.Equal(t, []any{"evicted-retry-2075161811"}, ids, "frame %d: the pod that was never asked for", k)
			delete(line, "unknown")
		}
		assert.Equal(t, "containerset-evicted-retried", line["recording"])
		assert.Equal(t, float64(k), line["frame"])
		hasKeys(t, line, "recording", "frame", "workflow", "nodes", "actions", "waiting")
		hasKeys(t, line["workflow"], "phase", "message")
		require.NotEmpty(t, line["nodes"], "frame %d", k)
		for _, n := range line["nodes"].(map[string]any) {
			hasKeys(t, n, "name", "type", "phase", "message")
		}
		for _, a := range line["actions"].([]any) {
			hasKeys(t, a, "type", "node", "id")
			actions++
		}
		for _, o := range line["waiting"].([]any) {
			hasKeys(t, o, "node", "for")
			waiting++
		}
	}
	assert.NotZero(t, actions, "no frame has an action")
	assert.NotZero(t, waiting, "no frame waits for anything")
	assert.NotZero(t, unknown, "no frame ignores a pod")
}

// hasKeys asserts that an object has these keys and no others.
func hasKeys(t *testing.T, object any, keys ...string) {
	t.Helper()
	m, ok := object.(map[string]any)
	require.True(t, ok, "%v is no object", object)
	var got []string
	for k := range m {
		got = append(got, k)
	}
	assert.ElementsMatch(t, keys, got)
}

// The first frame says what to start and what the workflow waits for, by name.
func TestJSONFirstFrame(t *testing.T) {
	var line frameLine
	require.NoError(t, json.Unmarshal([]byte(strings.Split(replayed(t, "-o", "json", chain), "\n")[0]), &line))
	assert.Equal(t, []actionLine{{"Start", "chain", "chain"}, {"Start", "chain.build", "chain-1575794680"}}, line.Actions)
	assert.Equal(t, []waitLine{{"chain.build", "start"}}, line.Waiting)
	assert.Equal(t, stateLine{"Running", ""}, line.Workflow)
}

// Without options the output is text: for each frame what was done to the cluster, what changed and by which rule, what
// the host is asked to do, and what the workflow waits for.
func TestText(t *testing.T) {
	out := replayed(t, "-mode", "free", chain)
	_, rest, found := strings.Cut(out, "containerset-chain-first-done-then-deleted frame 3  delete build\n")
	require.True(t, found, "no frame 3 in\n%s", out)
	frame, _, _ := strings.Cut(rest, "containerset-chain-first-done-then-deleted frame 4")
	for _, line := range []string{
		`  Container chain.build.b: Running -> Error "container deleted" (container-pod)`,
		`  Pod chain.build: Running -> Error "pod deleted" (pod-gone)`,
		`  DAG chain: Running -> Error (member-failed)`,
		`  do: Complete`,
	} {
		assert.Contains(t, frame, line+"\n")
	}
	assert.NotContains(t, frame, "chain.build.a", "it had succeeded, and nothing becomes of it")
	assert.Contains(t, out, "  waits for chain.build: start\n")
	assert.Contains(t, replayed(t, "-mode", "free", evicted), "  ignored, never asked for: evicted-retry-2075161811\n")
}

// Step by step a frame starts from what the controller recorded for the frame before; freely, from the library's own
// state. Frame 4 tells them apart: in frame 3 the controller overwrote a container that had succeeded.
func TestModes(t *testing.T) {
	for mode, want := range map[string]nodeLine{
		"step": {"chain.build.a", "Container", "Error", "container deleted"},
		"free": {"chain.build.a", "Container", "Succeeded", ""},
	} {
		var line frameLine
		text := strings.Split(replayed(t, "-mode", mode, "-o", "json", chain), "\n")[4]
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		assert.Equal(t, want, line.Nodes["chain-710855993"], "mode %s", mode)
	}
	assert.Equal(t, replayed(t, "-mode", "step", chain), replayed(t, chain), "step is the default")
}

// Files are played in the order in which they are named; a gzipped one is unpacked.
func TestSeveralFiles(t *testing.T) {
	var got []string
	for _, text := range strings.Split(strings.TrimSuffix(replayed(t, "-o", "json", zipped, chain), "\n"), "\n") {
		var line frameLine
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		if line.Frame == 0 {
			got = append(got, line.Recording)
		}
	}
	assert.Equal(t, []string{"suspend-resume-seed1", "containerset-chain-first-done-then-deleted"}, got)
}

// Whether a recording is packed is told by its content and not by its name.
func TestGzipIsToldByContent(t *testing.T) {
	data, err := os.ReadFile(chain)
	require.NoError(t, err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	assert.Equal(t, replayed(t, chain), replayed(t, written(t, "plain-name.json", packed.Bytes())))
}

// With -check a table says how often each deviation occurs, and the exit code that no difference is the library's.
func TestCheckFindsNothing(t *testing.T) {
	for _, mode := range []string{"step", "free"} {
		c := call("replay", "-mode", mode, "-check", chain, evicted)
		require.Equal(t, 0, c.code, "%s%s", c.out, c.err)
		lines := strings.Split(strings.TrimSuffix(c.out, "\n"), "\n")
		require.Len(t, lines, 5, "a heading, a row for each recording, and the sum in a row and in words:\n%s", c.out)
		assert.Regexp(t, `^ *recording  frames  nodes  equal  dev 1  dev 2  dev 6  ahead  listed  defects$`, lines[0], "the deviations that occur")
		assert.Equal(t, "containerset-chain-first-done-then-deleted", strings.Fields(lines[1])[0])
		assert.Equal(t, "containerset-evicted-retried", strings.Fields(lines[2])[0])
		assert.Contains(t, lines[3], "2 recordings, mode "+mode)
		assert.Equal(t, "total: 2 clean, 0 listed, 0 with defects, 0 unreadable; deviations 1: 1, 2: 13, 6: 15; 0 ahead; 0 defects", lines[4])
	}
	row := strings.Fields(strings.Split(call("replay", "-check", chain).out, "\n")[1])
	want := strings.Fields("containerset-chain-first-done-then-deleted 6 36 35 1 0 0 0")
	assert.Equal(t, want, row, "6 frames of 6 states, one difference, which is deviation 1")
}

// With -numbers a row says of each deviation how many states it excuses, and in how many recordings.
func TestCheckByNumber(t *testing.T) {
	c := call("replay", "-check", "-numbers", chain, evicted)
	require.Equal(t, 0, c.code, "%s%s", c.out, c.err)
	assert.Equal(t, `deviation    states  recordings  what the controller does
        1         1           1  a container that had ended is overwritten
        2        13           1  a pod that ends without container statuses leaves its containers open
        6        15           1  a further attempt is started although the Retry has ended
2 recordings, mode step: 108 of 137 states are equal
total: 2 clean, 0 listed, 0 with defects, 0 unreadable; deviations 1: 1, 2: 13, 6: 15; 0 ahead; 0 defects
`, c.out)
	assert.Equal(t, 2, call("replay", "-numbers", chain).code, "-numbers without -check")
}

// A difference that no deviation explains is the library's fault, as far as the program can tell: it is printed, and
// the exit code is 1.
func TestCheckFindsADefect(t *testing.T) {
	bad := tampered(t, clean, func(status map[string]any) {
		status["nodes"].(map[string]any)["chain-ok-1305939853"].(map[string]any)["phase"] = "Failed"
	})
	for _, mode := range []string{"step", "free"} {
		c := call("replay", "-mode", mode, "-check", bad, evicted)
		assert.Equal(t, 1, c.code, "mode %s", mode)
		assert.Empty(t, c.err, "mode %s", mode)
		row := strings.Fields(strings.Split(c.out, "\n")[1])
		assert.Equal(t, "1", row[len(row)-1], "mode %s: defects in\n%s", mode, c.out)
		assert.Contains(t, c.out, "containerset-chain-succeeds frame 6 chain-ok.build: recorded Pod Failed, "+
			"computed Pod Succeeded: DEFECT\n", "mode %s", mode)
		assert.Contains(t, c.out, "containerset-evicted-retried", "mode %s: the other recordings are judged too", mode)
	}
	assert.Equal(t, 0, call("replay", bad).code, "without -check nothing is compared")
}

// A recording that ends before its workflow does is listed with what it waits for.
func TestCheckListsWhatIsUnfinished(t *testing.T) {
	out := replayed(t, "-check", recordings+"random/gen5-seed7.json.gz")
	assert.Contains(t, out, "unfinished at the end: gen5-seed7 waits for gen5.n2 (resume)\n")
}

// What can't be read ends the program with exit code 2 and a message that names the file.
func TestUnreadableFiles(t *testing.T) {
	cases := []struct{ why, file, says string }{
		{"there is none", filepath.Join(t.TempDir(), "none.json"), "none.json: no such file"},
		{"a directory", t.TempDir(), "is a directory"},
		{"not JSON", written(t, "text.json", []byte("hello")), "text.json: replay: recording"},
		{"another JSON object", written(t, "other.json", []byte(`{"a": 1}`)), `recording "": it has no workflow or no frames`},
		{"gzip cut off", written(t, "cut.json.gz", []byte{0x1f, 0x8b, 8}), "cut.json.gz: replay: recording"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			for _, args := range [][]string{{"replay", c.file}, {"replay", "-check", c.file}, {"replay", chain, c.file}} {
				got := call(args...)
				assert.Equal(t, 2, got.code, "%s", args)
				assert.True(t, strings.HasPrefix(got.err, "error: "), "%s: %s", args, got.err)
				assert.Contains(t, got.err, c.says, "%s", args)
			}
			assert.Equal(t, replayed(t, chain), call("replay", chain, c.file).out, "what came before it is printed")
		})
	}
}

// A file that can't be read is reported with its name and its frame, and the others are shown or judged all the same. The
// exit code is that of an input that can't be read.
func TestABadFileDoesNotStopTheOthers(t *testing.T) {
	cut := written(t, "cut.json.gz", []byte{0x1f, 0x8b, 8})
	badStatus := tampered(t, clean, func(status map[string]any) { status["phase"] = "Sleeping" })
	for _, mode := range []string{"step", "free"} {
		c := call("replay", "-mode", mode, "-check", cut, chain, badStatus, evicted)
		assert.Equal(t, 2, c.code, "mode %s", mode)
		errs := strings.Split(strings.TrimSuffix(c.err, "\n"), "\n")
		require.Len(t, errs, 2, c.err)
		assert.Contains(t, errs[0], "cut.json.gz: replay: recording")
		assert.Regexp(t, `^error: .*: replay: recording "containerset-chain-succeeds": frame \d+: .*Sleeping`, errs[1])
		assert.Contains(t, c.out, "4 recordings, mode "+mode)
		assert.Contains(t, c.out, "total: 2 clean, 0 listed, 0 with defects, 2 unreadable; deviations 1: 1, 2: 13, 6: 15; 0 ahead; 0 defects\n")
		assert.Regexp(t, `(?m)^ *\S*/cut .* unreadable$`, c.out)
	}
	for _, format := range []string{"text", "json"} {
		c := call("replay", "-o", format, cut, chain, badStatus, evicted)
		assert.Equal(t, 2, c.code, format)
		assert.Equal(t, replayed(t, "-o", format, chain, evicted), c.out, "the others are shown")
		assert.Equal(t, 2, strings.Count(c.err, "error: "), c.err)
	}
}

// With a list of causes what it lists is no fault, and what it lists otherwise is.
func TestCheckWithCauses(t *testing.T) {
	bad := tampered(t, clean, func(status map[string]any) {
		status["nodes"].(map[string]any)["chain-ok-1305939853"].(map[string]any)["phase"] = "Failed"
	})
	line := filepath.Base(filepath.Dir(bad)) + "/" + strings.TrimSuffix(filepath.Base(bad), ".json") +
		"\tboth\t6\tchain-ok.build\tPod Failed\tPod Succeeded\t1\tlibrary: none\n"
	causes := written(t, "causes.txt", []byte("# known\n"+line))
	c := call("replay", "-check", "-causes", causes, bad, chain)
	assert.Equal(t, 0, c.code, "%s%s", c.out, c.err)
	assert.Contains(t, c.out, "total: 1 clean, 1 listed, 0 with defects, 0 unreadable; deviations 1: 1; 0 ahead; 0 defects\n")
	assert.NotContains(t, c.out, "DEFECT")

	others := written(t, "others.txt", []byte(strings.Replace(line, "Pod Succeeded", "Pod Running", 1)))
	c = call("replay", "-check", "-causes", others, bad, chain)
	assert.Equal(t, 1, c.code, "%s%s", c.out, c.err)
	assert.Contains(t, c.out, "chain-ok.build: recorded Pod Failed, computed Pod Succeeded: DEFECT\n")

	assert.Equal(t, 2, call("replay", "-check", "-causes", written(t, "broken.txt", []byte("broken")), bad).code, "a list that can't be read")
	assert.Equal(t, 2, call("replay", "-causes", causes, bad).code, "-causes without -check")
}

// A wrong call says how to call the program, on standard error, and ends it with exit code 2.
func TestWrongCalls(t *testing.T) {
	cases := []struct {
		why  string
		args []string
		says string
	}{
		{"no command", nil, "Commands:\n  replay"},
		{"no such command", []string{"play", chain}, `error: unknown command "play"`},
		{"no file", []string{"replay"}, "nodestatus replay [-mode step|free]"},
		{"no such mode", []string{"replay", "-mode", "fast", chain}, "nodestatus replay [-mode step|free]"},
		{"no such format", []string{"replay", "-o", "yaml", chain}, "nodestatus replay [-mode step|free]"},
		{"no such flag", []string{"replay", "-verbose", chain}, "flag provided but not defined: -verbose"},
		{"a flag without its value", []string{"replay", "-mode"}, "flag needs an argument: -mode"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			got := call(c.args...)
			assert.Equal(t, 2, got.code)
			assert.Empty(t, got.out)
			assert.Contains(t, got.err, c.says)
		})
	}
}

// Help lists the commands; help on a command lists its flags.
func TestHelp(t *testing.T) {
	for _, word := range []string{"help", "-h", "--help"} {
		got := call(word)
		assert.Contains(t, got.out+got.err, "Commands:\n  replay", word)
		assert.NotContains(t, got.out+got.err, "error", word)
	}
	got := call("replay", "-h")
	assert.Equal(t, 0, got.code)
	for _, flag := range []string{"-mode", "-o", "-check", `default "step"`} {
		assert.Contains(t, got.out+got.err, flag)
	}
}

// The process ends with the code that run returns.
func TestExitCodes(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	bad := tampered(t, clean, func(status map[string]any) { status["phase"] = "Failed" })
	for want, args := range map[int][]string{
		0: {"replay", "-check", chain},
		1: {"replay", "-check", bad},
		2: {"replay", "none.json"},
	} {
		c := exec.Command(program, args...)
		c.Env = append(os.Environ(), asProgram+"=1")
		if err := c.Run(); err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError), "%s", args)
		}
		assert.Equal(t, want, c.ProcessState.ExitCode(), "%s", args)
	}
}
