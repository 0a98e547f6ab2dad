package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nightly is a workflow that survives some losses.
const nightly = `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: nightly, namespace: ci}
spec:
  entrypoint: main
  onExit: notify
  templates:
  - name: main
    dag:
      tasks:
      - {name: fetch, template: fetch}
      - {name: build, template: build, dependencies: [fetch]}
      - {name: lint, template: job, dependencies: [fetch], continueOn: {failed: true, error: true}}
      - {name: deploy, template: job, depends: "build && lint", when: "{{inputs.parameters.deploy}} == true"}
  - {name: fetch, retryStrategy: {limit: "2", retryPolicy: Always}, container: {image: git}}
  - name: build
    retryStrategy: {limit: "1"}
    containerSet: {containers: [{name: compile, image: go}, {name: main, image: go, dependencies: [compile]}]}
  - {name: job, container: {image: go}}
  - {name: notify, container: {image: curl}}
`

// robust is a workflow that survives the loss of any one pod, and of no two.
const robust = `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: robust}
spec:
  entrypoint: job
  templates:
  - {name: job, retryStrategy: {limit: "1", retryPolicy: Always}, container: {image: go}}
`

// never is a workflow whose daemon takes the only place.
const never = `kind: Workflow
metadata: {name: w}
spec:
  entrypoint: m
  parallelism: 1
  templates:
  - {name: m, steps: [[{name: d, template: d}], [{name: a, template: a}]]}
  - {name: d, daemon: true, container: {}}
  - {name: a, container: {}}
`

// circle is a workflow that can't be run.
const circle = `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: circle}
spec:
  entrypoint: main
  templates:
  - {name: job, container: {image: go}}
  - name: main
    dag:
      tasks:
      - {name: a, template: job, dependencies: [b]}
      - {name: b, template: job, dependencies: [a]}
`

// What is printed of one workflow, word for word.
func TestWhatifGolden(t *testing.T) {
	workflow := written(t, "nightly.yaml", []byte(nightly))
	once := written(t, "robust.yaml", []byte(robust))
	for name, args := range map[string][]string{
		"whatif.txt":       {"whatif", workflow},
		"whatif-pairs.txt": {"whatif", "-any", "2", workflow},
		"whatif.json":      {"whatif", "-o", "json", once},
	} {
		got := call(args...)
		assert.Empty(t, got.err, name)
		golden := filepath.Join("testdata", name)
		if *rewrite {
			require.NoError(t, os.WriteFile(golden, []byte(got.out), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.out, "\n")); diff != "" {
			t.Errorf("%s (-golden +printed):\n%s", name, diff)
		}
	}
}

// The exit code tells a script whether the workflow survives.
func TestWhatifExitCodes(t *testing.T) {
	once := written(t, "robust.yaml", []byte(robust))
	for _, c := range []struct {
		why  string
		args []string
		code int
		err  string
	}{
		{"it survives any one loss", []string{"whatif", once}, 0, ""},
		{"it does not survive two", []string{"whatif", once, "-any", "2"}, 1, ""},
		{"the same, as JSON", []string{"whatif", once, "-any=2", "-o", "json"}, 1, ""},
		{"help", []string{"whatif", "-h"}, 0, "Usage:\n  nodestatus whatif [-any 1|2] [-limit N] [-o text|json] FILE|-\n"},
		{"there is no such file", []string{"whatif", "none.yaml"}, 2, "error: open none.yaml: no such file or directory\n"},
		{"it is no workflow", []string{"whatif", written(t, "x.yaml", []byte("kind: Pod"))}, 2, "error: "},
		{"no file", []string{"whatif"}, 2, "error: want one workflow, got 0\nSee 'nodestatus whatif -h'"},
		{"three pods", []string{"whatif", "-any", "3", once}, 2, "error: -any must be 1 or 2, got 3\nSee 'nodestatus whatif -h'"},
		{"no pod", []string{"whatif", "-any", "0", once}, 2, "error: -any must be 1 or 2, got 0\n"},
		{"any number", []string{"whatif", "-any", "many", once}, 2, `invalid value "many" for flag -any`},
		{"another format", []string{"whatif", "-o", "yaml", once}, 2, `error: unknown output format "yaml", want text or json`},
		{"no limit", []string{"whatif", "-limit", "0", once}, 2, "error: -limit must be positive, got 0\n"},
		{"too much to simulate", []string{"whatif", "-limit", "3", once}, 2,
			"whatif: losses of one pod need 7 simulations, more than the limit of 3 (raise it with -limit)\n"},
		{"too many pairs", []string{"whatif", "-any", "2", "-limit", "30", once}, 2, "(raise it with -limit: at the pace so far they take about "},
		{"tasks in a circle", []string{"whatif", written(t, "y.yaml", []byte(circle))}, 2, "a -> b -> a"},
	} {
		got := call(c.args...)
		assert.Equal(t, c.code, got.code, "%s: %s%s", c.why, got.out, got.err)
		assert.Contains(t, got.err+got.out, c.err, c.why)
		if c.code == 2 {
			assert.Empty(t, got.out, c.why)
		}
	}
}

// The workflow may come from standard input, and a workflow under way is tried from where it is.
func TestWhatifInputs(t *testing.T) {
	file := call("whatif", written(t, "nightly.yaml", []byte(nightly)))
	assert.Equal(t, file, callWith(nightly, "whatif", "-"), "from a file, and from standard input")

	workflow, _ := storedFrame(t, recorded(t, recordings+"argo-4.1/template-mutex.json"), 1)
	got := call("whatif", workflow)
	assert.Equal(t, 1, got.code, got.err)
	assert.Contains(t, got.out, "Undisturbed:  Succeeded, 2 pods from now on\n")
	assert.NotContains(t, got.out, "a    pending", "a runs already")

	workflow, _ = stored(t, clean)
	got = call("whatif", workflow)
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "survives the loss of any one pod: yes, because it is complete: Succeeded\n")
}

// Fields of the specification that only the controller knows are named with what they count as.
func TestWhatifUnresolved(t *testing.T) {
	text := strings.Replace(robust, `limit: "1"`, `limit: "{{inputs.parameters.limit}}"`, 1)
	got := callWith(text, "whatif", "-all", "-")
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "spec.templates[0].retryStrategy.limit: {{inputs.parameters.limit}} counts as not set\n")
	assert.Equal(t, 1, strings.Count(got.out, "{{inputs.parameters.limit}}"), "once, though the host is asked too")
	assert.Contains(t, got.out, "+1 (no limit)")
	var object struct {
		Unresolved []struct{ Field, Text, CountsAs string }
		Losses     []struct {
			Retries []struct{ Left *int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(callWith(text, "whatif", "-o", "json", "-").out), &object))
	require.Len(t, object.Unresolved, 1)
	assert.Equal(t, "not set", object.Unresolved[0].CountsAs)
	assert.Nil(t, object.Losses[0].Retries[0].Left, "left of a retry without a limit")

	locked := strings.Replace(robust, "name: job, ", `name: job, synchronization: {mutexes: [{name: "{{inputs.parameters.m}}"}]}, `, 1)
	assert.Contains(t, callWith(locked, "whatif", "-").out, "Mutex/{{inputs.parameters.m}} counts as it stands\n")
}

// Fields of -o json are there also where they are empty; scripts rely on the names.
func TestWhatifJSON(t *testing.T) {
	workflow, _ := stored(t, clean)
	got := call("whatif", "-o", "json", workflow)
	require.Equal(t, 0, got.code, got.err)
	assert.JSONEq(t, `{"workflow": "chain-ok", "any": 1, "survives": true, "because": "it is complete: Succeeded", "fatal": 0, "pods": 0,
		"simulations": 1, "undisturbed": {"phase": "Succeeded", "message": "", "waits": []}, "assumed": [], "unresolved": [],
		"losses": [], "rules": "nodestatus"}`, got.out)
}

// The verdict comes first, in words for people: which pods it can't lose, what stops it before it begins, by whose rules.
func TestWhatifVerdict(t *testing.T) {
	const set = "{name: set, retryStrategy: {limit: \"2\", retryPolicy: Always}, containerSet: {containers: [{name: main, image: i}]}}"
	dag := "kind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: m\n  templates:\n  - {name: m, dag: {tasks: [{name: a, template: set}]}}\n  - " + set + "\n"
	for _, c := range []struct {
		why, text string
		args      []string
		code      int
		first     string
	}{
		{"one pod", strings.Replace(robust, `retryStrategy: {limit: "1", retryPolicy: Always}, `, "", 1), nil, 1, "NOT safe on spot machines: losing robust fails it"},
		{"several", nightly, nil, 1, "NOT safe on spot machines: losing any of build(0), deploy, onExit fails it"},
		{"none", robust, nil, 0, "safe on spot machines: it succeeds after each of 6 losses"},
		{"it is stopped", strings.Replace(robust, "spec:\n", "spec:\n  shutdown: Terminate\n", 1), nil, 1, "NOT safe: spec.shutdown is Terminate: it stops the workflow before it begins"},
		{"daemons take all places", never, nil, 1, "NOT safe on spot machines: it does not succeed even undisturbed: never ends, waits for w[1].a: parallelism for ever"},
		{"by the rules of the library", dag, nil, 0, "safe on spot machines"},
		{"by those of Argo an evicted ContainerSet hangs", dag, []string{"-as", "argo"}, 1, "NOT safe on spot machines: losing a(0) fails it"},
		{"a WorkflowTemplate", strings.Replace(robust, "kind: Workflow", "kind: WorkflowTemplate", 1), nil, 0, "safe on spot machines"},
		{"with other documents", robust + "---\nkind: ConfigMap\nmetadata: {name: c}\n", nil, 0, "safe on spot machines"},
		{"still to be named", strings.Replace(robust, "name: robust", "generateName: robust-", 1), nil, 0, "safe on spot machines"},
	} {
		got := callWith(c.text, append(append([]string{"whatif"}, c.args...), "-")...)
		assert.Equal(t, c.code, got.code, "%s: %s", c.why, got.err)
		assert.True(t, strings.HasPrefix(got.out, "Verdict:      "+c.first), "%s: %s", c.why, got.out)
	}
	assert.Contains(t, callWith(dag, "whatif", "-as", "argo", "-").out, "which Argo leaves open (deviation 2)")
	held := strings.Replace(robust, "spec:\n", "spec:\n  suspend: true\n", 1)
	assert.Contains(t, callWith(held, "whatif", "-").out, "spec.suspend is true: it is assumed that somebody resumes the workflow (argo resume)\n")
	assert.Equal(t, 2, callWith(robust, "whatif", "-as", "somebody", "-").code)
	assert.Contains(t, callWith(robust+"---\n"+nightly, "whatif", "-").err, "want one workflow, found 2")
}

// The change that is suggested makes the workflow safe, and none of it could be left out.
func TestWhatifSuggest(t *testing.T) {
	got := callWith(nightly, "whatif", "-suggest", "-")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.out, "\nSafe with this change, which was tried: it succeeds after each of")
	assert.Contains(t, got.out, `[{"op":"add","path":"/spec/templates/2/retryStrategy","value":{"limit":"1","retryPolicy":"Always"}},`+
		`{"op":"add","path":"/spec/templates/3/retryStrategy","value":{"limit":"1","retryPolicy":"Always"}},`+
		`{"op":"add","path":"/spec/templates/4/retryStrategy","value":{"limit":"1","retryPolicy":"Always"}}]`)
	better := nightly
	for _, change := range [][2]string{
		{`retryStrategy: {limit: "1"}`, `retryStrategy: {limit: "1", retryPolicy: Always}`}, {"{name: job, ", "{name: job, retryStrategy: {limit: \"1\", retryPolicy: Always}, "},
		{"{name: notify, ", "{name: notify, retryStrategy: {limit: \"1\", retryPolicy: Always}, "},
	} {
		better = strings.Replace(better, change[0], change[1], 1)
	}
	assert.Equal(t, 0, callWith(better, "whatif", "-").code)
	assert.NotContains(t, callWith(robust, "whatif", "-suggest", "-").out, "change")
	assert.Contains(t, callWith(never, "whatif", "-suggest", "-").out, "No retryStrategy makes it safe: it does not succeed even undisturbed")
}

// On a terminal a long run shows how far it has come, and takes the line away at its end.
func TestWhatifProgress(t *testing.T) {
	var screen bytes.Buffer
	p := &progress{out: &screen}
	p.show(25, 200)
	p.end()
	assert.Equal(t, "\r\x1b[KSimulated 25 of 200 (12%)\r\x1b[K", screen.String())

	p = newProgress(&screen)
	p.show(1, 2)
	p.end()
	assert.Nil(t, p.out, "a buffer is no terminal")
}

// Shards of which the loss does the same are one row, and -all shows each.
func TestLikeRowsAreFolded(t *testing.T) {
	got := call("whatif", "samples/shards.yaml")
	assert.Equal(t, 1, got.code, got.err)
	assert.Contains(t, got.out, "load(0:0) and 39 like it  deleted while running, reporting; evicted  Failed ")
	assert.Contains(t, got.out, "part-1 and 2 like it ")
	assert.Contains(t, got.out, "fails fast: what has not begun in it by then never begins.")
	assert.NotContains(t, got.out, "\nload(1:1)")

	all := call("whatif", "-all", "samples/shards.yaml")
	assert.Contains(t, all.out, "\nload(39:39)  ")
	assert.NotContains(t, all.out, "like it")
	assert.Equal(t, 264, strings.Count(call("whatif", "-o", "json", "samples/shards.yaml").out, `"lost"`), "losses in JSON")
}
