package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

const (
	deleted = recordings + "argo-3.6.2/containerset-pod-deleted-retry.json" // hangs, and keeps its mutex
	late    = recordings + "argo-4.1/containerset-evicted-retried.json"     // hangs, with a pod alive
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files under testdata")

// stored writes what kubectl would print at the end of a recording, the workflow and the pods, and returns their paths.
func stored(t *testing.T, file string, edits ...func(workflow map[string]any)) (workflow, pods string) {
	t.Helper()
	r := recorded(t, file)
	return storedFrame(t, r, len(r["frames"].([]any))-1, edits...)
}

// recorded reads a recording as it is written.
func recorded(t *testing.T, file string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		require.NoError(t, err)
		data, err = io.ReadAll(z)
		require.NoError(t, err)
	}
	var r map[string]any
	require.NoError(t, json.Unmarshal(data, &r))
	return r
}

// storedFrame is the same after frame k of recording r.
func storedFrame(t *testing.T, r map[string]any, k int, edits ...func(workflow map[string]any)) (workflow, pods string) {
	t.Helper()
	last := r["frames"].([]any)[k].(map[string]any)
	w := r["workflow"].(map[string]any)
	w["status"] = last["status"]
	for _, edit := range edits {
		edit(w)
	}
	list := map[string]any{"kind": "List", "items": last["pods"]}
	if last["pods"] == nil {
		list["items"] = []any{}
	}
	return written(t, "workflow.json", encoded(t, w)), written(t, "pods.json", encoded(t, list))
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// callWith calls the program with this standard input.
func callWith(in string, args ...string) called {
	var out, err bytes.Buffer
	code := run(args, stdio{in: strings.NewReader(in), out: &out, err: &err})
	return called{code, out.String(), err.String()}
}

// What is printed of a workflow that hangs, word for word.
func TestDiagnoseGolden(t *testing.T) {
	workflow, pods := stored(t, deleted)
	for name, args := range map[string][]string{
		"diagnose.txt":  {"diagnose", "-now", "2026-11-24T00:00:00Z", "-pods", pods, workflow},
		"diagnose.json": {"diagnose", "-now", "2026-11-24T00:00:00Z", "-pods", pods, "-o", "json", workflow},
		"heal.json":     {"heal", "-now", "2026-11-24T00:00:00Z", "-pods", pods, workflow},
	} {
		got := call(args...)
		if name != "heal.json" {
			assert.Empty(t, got.err, name)
		}
		golden := filepath.Join("testdata", name)
		if *rewrite {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(golden, []byte(got.out), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.out, "\n")); diff != "" {
			t.Errorf("%s (-golden +printed):\n%s", name, diff)
		}
	}
}

// The exit code tells a script what was found.
func TestDiagnoseExitCodes(t *testing.T) {
	hanging, _ := stored(t, deleted)
	healthy, _ := stored(t, clean)
	assert.Equal(t, 1, call("diagnose", hanging).code, "it hangs")
	assert.Equal(t, 0, call("diagnose", healthy).code, "it ended well")
	assert.Equal(t, 2, call("diagnose", "none.json").code, "there is no such file")
}

// The workflow may come as JSON or YAML, from a file or standard input, flags before or after it.
func TestDiagnoseInputs(t *testing.T) {
	workflow, pods := stored(t, deleted)
	data, err := os.ReadFile(workflow)
	require.NoError(t, err)
	asYAML, err := yaml.JSONToYAML(data)
	require.NoError(t, err)
	podData, err := os.ReadFile(pods)
	require.NoError(t, err)
	const now = "2026-11-24T00:00:00Z"
	want := call("diagnose", "-now", now, "-pods", pods, workflow).out
	require.Contains(t, want, "orphaned-container")
	for why, got := range map[string]called{
		"YAML":                 call("diagnose", "-now", now, "-pods", pods, written(t, "workflow.yaml", asYAML)),
		"standard input":       callWith(string(data), "diagnose", "-now", now, "-pods", pods, "-"),
		"pods, standard input": callWith(string(podData), "diagnose", "-now", now, "-pods", "-", workflow),
		"flags after the file": call("diagnose", workflow, "-pods", pods, "-now", now),
		"two dashes":           call("diagnose", "--pods="+pods, "--now="+now, workflow),
	} {
		assert.Equal(t, want, got.out, "%s: %s", why, got.err)
	}
	assert.Contains(t, call("diagnose", workflow).out, "Pods:       not known")
	assert.NotContains(t, want, "not known")
}

// Of a workflow in progress it says what it waits for and since when, and who holds which lock.
func TestDiagnoseInProgress(t *testing.T) {
	cases := []struct {
		file  string
		frame int
		now   string
		lines []string
	}{
		{"argo-4.1/template-mutex.json", 1, "2026-11-24T23:00:00Z", []string{
			"  Pod tmutex.a: its pod is to end, since 2026-11-23T21:11:57Z (25h48m)",
			"  Pod tmutex.b: it is to get its locks, since 2026-11-23T21:11:57Z (25h48m)  Waiting for default/Mutex/m1 lock. Lock status: 0/1",
			"    held by Pod tmutex.a (Running)\n    awaited by Pod tmutex.b (Pending)",
		}},
		{"argo-4.1/retry-backoff.json", 2, "2026-11-23T21:11:44Z", []string{
			"  Retry backoff.a: time is to pass, since 2026-11-23T21:11:44Z (0s), until 2026-11-23T21:11:45Z  Backoff for 1 second",
		}},
	}
	for _, c := range cases {
		workflow, pods := storedFrame(t, recorded(t, recordings+c.file), c.frame)
		got := call("diagnose", "-now", c.now, "-pods", pods, workflow)
		assert.Equal(t, 0, got.code, "%s: %s%s", c.file, got.out, got.err)
		for _, line := range c.lines {
			assert.Contains(t, got.out, line+"\n", "%s frame %d", c.file, c.frame)
		}
		assert.Contains(t, call("diagnose", "-now", c.now, "-o", "json", workflow).out, `"begun": true`, c.file)
	}
}

// Nothing is recorded wrongly of a workflow whose specification is at fault: it says that it waits for ever, and why.
func TestDiagnoseHopeless(t *testing.T) {
	workflow, pods := storedFrame(t, recorded(t, recordings+"wide/mutex-self-nested.json.gz"), 0)
	got := call("diagnose", "-pods", pods, workflow)
	assert.Equal(t, 1, got.code, got.err)
	assert.Contains(t, got.out, "Verdict:    stuck: it waits for what can never come: only a change of the workflow, a stop or a failure ends that (2 findings)\n")
	assert.Contains(t, got.out, "\n    Never:     mself.outer, which it is inside of, holds default/Mutex/m1.\n")
	assert.Contains(t, call("diagnose", "-o", "json", workflow).out, `"never": "`)
}

// Without the pods it is not said that nothing is wrong while pods are recorded as running, and a workflow that nobody looked at
// waits to be begun, not for a pod.
func TestDiagnoseUncertain(t *testing.T) {
	workflow, pods := storedFrame(t, recorded(t, recordings+"argo-4.1/containerset-chain-succeeds.json"), 1)
	const now = "2026-11-23T21:12:00Z"
	got := call("diagnose", "-now", now, workflow)
	assert.Equal(t, 0, got.code, got.out)
	assert.Contains(t, got.out, "Verdict:    healthy as far as the record tells: whether its pods still run is not known (use -pods)\n")
	assert.Contains(t, call("diagnose", "-now", now, "-pods", pods, workflow).out, "Verdict:    healthy: in progress, nothing is wrong\n")

	const locked = "kind: Workflow\nmetadata: {name: w, creationTimestamp: '2026-03-10T08:00:00Z'}\n" +
		"spec: {entrypoint: m, synchronization: {mutexes: [{name: x}]}, templates: [{name: m, container: {}}]}\n"
	got = callWith(locked, "diagnose", "-now", atNoon, "-")
	assert.Equal(t, 1, got.code, got.err)
	assert.Contains(t, got.out, "  Workflow w: it is to be begun, since 2026-03-10T08:00:00Z (4h0m)\n")
}

// What comes after the findings is told apart from what runs; so are nodes that nobody asked for and that do no harm.
func TestDiagnoseWhatComesNext(t *testing.T) {
	workflow, pods := stored(t, recordings+"random/gen27-seed7.json.gz")
	got := call("diagnose", "-pods", pods, workflow)
	assert.Contains(t, got.out, "Once the findings are healed it waits for:\n  Pod gen27.onExit: its pod is to be made (not begun)\n")
	workflow, pods = stored(t, recordings+"random/gen34-seed7.json.gz")
	got = call("diagnose", "-pods", pods, workflow)
	assert.Contains(t, got.out, "Nodes that the specification never asks for, in nobody's way: gen34-")
}

// A workflow that the controller has not looked at yet is fine for some minutes, and no longer.
func TestDiagnoseNotBegun(t *testing.T) {
	workflow, _ := stored(t, clean, func(w map[string]any) { delete(w, "status") })
	got := call("diagnose", "-now", "2026-11-23T21:15:00Z", workflow)
	assert.Equal(t, 0, got.code, got.out)
	assert.Contains(t, got.out, "Status:     not begun\n")
	assert.Equal(t, 0, call("diagnose", "-now", "2026-11-23T21:15:00Z", "-o", "json", workflow).code)
	got = call("diagnose", "-now", "2026-11-23T22:15:00Z", workflow)
	assert.Equal(t, 1, got.code, got.out)
	assert.Contains(t, got.out, "  start-overdue  chain-ok\n")
	assert.Equal(t, 0, call("diagnose", "-now", "2026-11-23T22:15:00Z", "-patience", "2h", workflow).code)
}

// Fields of -o json are there also where they are empty; scripts rely on the names.
func TestDiagnoseJSON(t *testing.T) {
	workflow, pods := stored(t, clean)
	got := call("diagnose", "-pods", pods, "-o", "json", workflow)
	require.Equal(t, 0, got.code, got.err)
	assert.JSONEq(t, `{"apiVersion": "nodestatus/v1", "kind": "Diagnosis", "workflow": "chain-ok", "phase": "Succeeded", "verdict": "complete", "podsKnown": true, "notes": [], "healthy": true, "stuck": false, "findings": [], "follows": [],
		"waiting": [], "locks": [], "ignored": []}`, got.out)
}

// kubectl prints the pods of the whole namespace unless it is told otherwise: those of other workflows are left out.
func TestPodsOfOtherWorkflows(t *testing.T) {
	workflow, pods := stored(t, clean)
	data, err := os.ReadFile(pods)
	require.NoError(t, err)
	var list map[string]any
	require.NoError(t, json.Unmarshal(data, &list))
	pod := func(label, namespace string) map[string]any {
		return map[string]any{"metadata": map[string]any{
			"name": "stranger", "namespace": namespace, "labels": map[string]any{diagnose.LabelWorkflow: label},
			"annotations": map[string]any{"workflows.argoproj.io/node-id": "other-1"},
		}, "status": map[string]any{"phase": "Running"}}
	}
	for _, c := range []struct {
		why, label, namespace string
		code                  int
	}{
		{"another workflow's", "other", "default", 0},
		{"another namespace's", "chain-ok", "elsewhere", 0},
		{"its own, for a node that it does not have", "chain-ok", "default", 1},
	} {
		with := map[string]any{"kind": "PodList", "items": append([]any{pod(c.label, c.namespace)}, list["items"].([]any)...)}
		got := call("diagnose", "-pods", written(t, "more.json", encoded(t, with)), workflow)
		assert.Equal(t, c.code, got.code, "%s:\n%s%s", c.why, got.out, got.err)
		assert.Equal(t, c.code == 1, strings.Contains(got.out, "unknown-pod"), c.why)
	}
}

// What healed the workflow is not found again, be it in the whole object or as a patch that kubectl applies.
func TestHealThenDiagnose(t *testing.T) {
	workflow, pods := stored(t, deleted)
	healed := call("heal", "-now", "2026-12-24T00:00:00Z", "-o", "json", "-pods", pods, workflow)
	require.Equal(t, 0, healed.code, healed.err)
	got := callWith(healed.out, "diagnose", "-now", "2026-12-24T00:00:30Z", "-pods", pods, "-")
	assert.Equal(t, 0, got.code, got.out)
	assert.Contains(t, got.out, "DAG nightly-ingest: Running -> Succeeded", "the controller settles it now")
	again := callWith(healed.out, "heal", "-now", "2026-12-24T00:00:30Z", "-pods", pods, "-")
	assert.Equal(t, "{}\n", again.out, "nothing is left to heal")
	assert.Equal(t, 0, again.code)
	assert.Contains(t, again.err, "\n0 findings healed, 0 findings left\n")
}

// A live pod forbids it; what heal can't do is said.
func TestHealRefuses(t *testing.T) {
	workflow, pods := stored(t, late)
	got := call("heal", "-pods", pods, workflow)
	assert.Equal(t, 1, got.code)
	assert.Empty(t, got.out, "no patch")
	assert.Contains(t, got.err, "error: refused: diagnose: node \"evicted-retry.build(2)")
	assert.Contains(t, got.err, "has not ended")
	got = call("heal", workflow)
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "Use -pods to tell which pods exist.")

	holding := func(w map[string]any) {
		w["status"].(map[string]any)["synchronization"] = map[string]any{"semaphore": map[string]any{"holding": []any{
			map[string]any{"semaphore": "default/ConfigMap/c/k", "holders": []any{"default/chain-ok/chain-ok-9", "default/other"}},
		}}}
	}
	workflow, _ = stored(t, clean, holding)
	got = call("heal", workflow)
	assert.Equal(t, 0, got.code)
	assert.JSONEq(t, `{"status": {"synchronization": {"semaphore": {"holding": [{"semaphore": "default/ConfigMap/c/k", "holders": ["default/other"]}]}}}}`, got.out)
	assert.Contains(t, got.err, "healed: chain-ok-9 no longer holds default/ConfigMap/c/k\n")
}

// A holder is written in several ways, by release.
func TestHolders(t *testing.T) {
	for holder, want := range map[string]string{
		"default/chain-ok": "held by the workflow", "chain-ok": "held by the workflow", "default/chain-ok/chain-ok-1305939853": "held by Pod chain-ok.build",
		"chain-ok-1305939853": "held by Pod chain-ok.build", "default/other": "", "default/other/chain-ok-1": "", "elsewhere/chain-ok": "",
	} {
		workflow, _ := stored(t, clean, func(w map[string]any) {
			w["status"].(map[string]any)["synchronization"] = map[string]any{"mutex": map[string]any{"holding": []any{
				map[string]any{"mutex": "default/Mutex/m", "holder": holder},
			}}}
		})
		out := call("diagnose", workflow).out
		if want == "" {
			assert.NotContains(t, out, "Locks:", holder)
		} else {
			assert.Contains(t, out, want, holder)
		}
	}
}

// What can't be read ends with exit code 2 and says which input it was.
func TestDiagnoseUnreadable(t *testing.T) {
	workflow, pods := stored(t, clean)
	offloaded, _ := stored(t, clean, func(w map[string]any) { w["status"].(map[string]any)["offloadNodeStatusVersion"] = "fnv:1" })
	badLocks, _ := stored(t, clean, func(w map[string]any) { w["status"].(map[string]any)["synchronization"] = 7 })
	noTemplate, _ := stored(t, clean, func(w map[string]any) { w["spec"].(map[string]any)["entrypoint"] = "none" })
	cases := []struct {
		why  string
		args []string
		says string
	}{
		{"no such file", []string{"none.json"}, "none.json: no such file"},
		{"a directory", []string{t.TempDir()}, "is a directory"},
		{"empty", []string{"-"}, "standard input: argo: the input is empty"},
		{"no workflow", []string{written(t, "pod.json", []byte(`{"kind":"Pod","metadata":{"name":"p"}}`))}, `want Workflow, found "Pod"`},
		{"nodes elsewhere", []string{offloaded}, "offloaded"},
		{"locks of another form", []string{badLocks}, "status.synchronization"},
		{"no such template", []string{noTemplate}, "none"},
		{"pods: no such file", []string{"-pods", "none.json", workflow}, "none.json: no such file"},
		{"pods: no JSON", []string{"-pods", written(t, "p.json", []byte("x")), workflow}, "p.json: pods: want a List of pods"},
		{"pods: the workflow", []string{"-pods", workflow, workflow}, `want a List of pods`},
		{"pods: a list of workflows", []string{"-pods", written(t, "l.json", []byte(`{"kind":"List","items":[{"kind":"Workflow"}]}`)), workflow}, `items[0]: want a Pod, found kind "Workflow"`},
		{"pods: a list of numbers", []string{"-pods", written(t, "n.json", []byte(`{"kind":"List","items":[1]}`)), workflow}, "pods: items[0]"},
		{"no time", []string{"-now", "yesterday", workflow}, "-now: parsing time"},
		{"no workflow named", nil, "want one workflow, got 0"},
		{"two workflows", []string{workflow, workflow}, "want one workflow, got 2"},
		{"two from standard input", []string{"-pods", "-", "-"}, "only one of the workflow and the pods"},
		{"no such format", []string{"-o", "yaml", workflow}, `unknown output format "yaml"`},
		{"no patience", []string{"-patience", "0s", workflow}, "-patience must be positive"},
		{"no such flag", []string{"-x", workflow}, "flag provided but not defined: -x"},
	}
	for _, c := range cases {
		for _, command := range []string{"diagnose", "heal"} {
			if command == "diagnose" && c.why == "two workflows" {
				continue // it looks at several
			}
			t.Run(command+" "+c.why, func(t *testing.T) {
				got := call(append([]string{command}, c.args...)...)
				assert.Equal(t, 2, got.code)
				assert.Empty(t, got.out)
				assert.Contains(t, got.err, c.says)
			})
		}
	}
	single := written(t, "one.json", []byte(`{"kind":"Pod","metadata":{"name":"p"},"status":{"phase":"Running"}}`))
	for _, file := range []string{pods, single} {
		assert.Equal(t, 0, call("diagnose", "-pods", file, workflow).code, "a List, or one pod that is of no node")
	}
}

// Help shows what it is for, examples and flags, and is no error.
func TestDiagnoseHelp(t *testing.T) {
	for _, command := range []string{"diagnose", "heal"} {
		got := call(command, "-h")
		assert.Equal(t, 0, got.code, command)
		for _, part := range []string{"Examples:\n", "Usage:\n  nodestatus " + command, "Options:\n", "-pods FILE", "-now time", "-patience"} {
			assert.Contains(t, got.out, part, command)
		}
	}
}

// Colours are for terminals: never where the output is a file or a pipe, whose exit code the process returns.
func TestDiagnoseProcess(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	workflow, _ := stored(t, deleted)
	c := exec.Command(program, "diagnose", workflow)
	c.Env = append(os.Environ(), asProgram+"=1")
	out, err := c.Output()
	require.ErrorAs(t, err, new(*exec.ExitError))
	assert.Equal(t, 1, c.ProcessState.ExitCode())
	assert.Contains(t, string(out), "orphaned-container")
	assert.NotContains(t, string(out), "\x1b[")
}

// In colour each line has its mark in the colour of the phase and its note in red.
func TestMarks(t *testing.T) {
	const tree = "└─● wf  (DAG, Running)\n  ├─✔ a  (Pod, Succeeded)  ● ok\n  └─● b  (Pod, Running)  <- stalled\n"
	want := "└─\x1b[36m●\x1b[0m wf  (DAG, Running)\n  ├─\x1b[32m✔\x1b[0m a  (Pod, Succeeded)  ● ok\n" +
		"  └─\x1b[36m●\x1b[0m b  (Pod, Running)\x1b[31m  <- stalled\x1b[0m\n"
	assert.Equal(t, want, painter(true).marks(tree))
	assert.Equal(t, tree, painter(false).marks(tree))
}

// A terminal is painted unless NO_COLOR is set or it is dumb. The null device is a character device as a terminal is.
func TestPainterFor(t *testing.T) {
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer terminal.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	assert.True(t, bool(painterFor(terminal)), "a terminal")
	assert.False(t, bool(painterFor(&bytes.Buffer{})), "no file")
	t.Setenv("TERM", "dumb")
	assert.False(t, bool(painterFor(terminal)), "a dumb terminal")
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, bool(painterFor(terminal)), "NO_COLOR")
}

// Ages are in the two largest units.
func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 119 * time.Second: "119s", 9*time.Minute + 5*time.Second: "9m5s", 179 * time.Minute: "179m",
		5*time.Hour + 7*time.Minute: "5h7m", 50 * time.Hour: "2d2h",
	} {
		assert.Equal(t, want, age(d), "%s", d)
	}
}
