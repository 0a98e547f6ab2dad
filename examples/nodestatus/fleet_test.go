package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// night is a workflow that runs under a mutex: it hangs, waits for the mutex, or is done.
func night(name, how string) string {
	const spec = `"spec":{"entrypoint":"m","synchronization":{"mutexes":[{"name":"t"}]},"templates":[{"name":"m","dag":{"tasks":[{"name":"a","template":"s"}]}},` +
		`{"name":"s","containerSet":{"containers":[{"name":"main","image":"i"}]}}]}`
	status := map[string]string{
		"waits": `"phase":"Pending","startedAt":"2026-03-10T09:00:00Z","message":"Waiting for b/Mutex/t lock. Lock status: 0/1"`,
		"done":  `"phase":"Succeeded","startedAt":"2026-03-10T08:00:00Z","finishedAt":"2026-03-10T08:05:00Z"`,
		"hangs": `"phase":"Running","startedAt":"2026-03-10T08:00:00Z","synchronization":{"mutex":{"holding":[{"mutex":"b/Mutex/t","holder":"b/NAME"}]}},"nodes":{
			"NAME":{"id":"NAME","name":"NAME","type":"DAG","phase":"Running","templateName":"m"},
			"NAME-1":{"id":"NAME-1","name":"NAME.a","type":"Pod","phase":"Error","message":"pod deleted","boundaryID":"NAME","templateName":"s","finishedAt":"2026-03-10T08:30:00Z"},
			"NAME-2":{"id":"NAME-2","name":"NAME.a.main","type":"Container","phase":"Running","boundaryID":"NAME-1"}}`,
	}[how]
	return strings.ReplaceAll(`{"kind":"Workflow","metadata":{"name":"NAME","namespace":"b","creationTimestamp":"2026-03-10T08:00:00Z"},`+spec+`,"status":{`+status+`}}`, "NAME", name)
}

const atNoon = "2026-03-10T12:00:00Z"

// Of several workflows there is a line each, the worst first, and who holds what others wait for.
func TestDiagnoseSeveral(t *testing.T) {
	all := []string{night("w1", "done"), night("w2", "waits"), night("w3", "hangs"), night("w4", "waits")}
	for why, in := range map[string]string{
		"a list": `{"apiVersion":"v1","items":[` + strings.Join(all, ",") + `],"kind":"List"}`, "an array": "[" + strings.Join(all, ",") + "]",
		"objects in a row": strings.Join(all, "\n"), "a watch": strings.Join(append(all, night("w3", "hangs")), "\n"), "documents": "---\n" + strings.Join(all, "\n---\n"),
	} {
		got := callWith(in, "diagnose", "-now", atNoon, "-")
		assert.Equal(t, 1, got.code, "%s: %s", why, got.err)
		want := `NAMESPACE   NAME   VERDICT    SINCE                  CAUSE
b           w3     stuck      2026-03-10T08:30:00Z   orphaned-container w3.a.main; 2 workflows wait for it: b/w2, b/w4
b           w2     waiting    2026-03-10T09:00:00Z   waits for b/Mutex/t, held by b/w3 (stuck)
b           w4     waiting    2026-03-10T09:00:00Z   waits for b/Mutex/t, held by b/w3 (stuck)
b           w1     complete   2026-03-10T08:05:00Z   -

b/w3
  Reason:  Its pod w3.a has ended (Error "pod deleted"), and nobody reports on its containers any more.
  Remedy:  Heal the workflow: nothing else will end this node.
  Type:    kubectl get pods -n b -l workflows.argoproj.io/workflow=w3 -o json > pods.json
           kubectl get workflow w3 -n b -o json | nodestatus heal - -pods pods.json > patch.json
           kubectl patch workflow w3 -n b --type merge --patch-file patch.json
`
		assert.Equal(t, want, got.out, why)
	}
	files := []string{"diagnose", "-now", atNoon}
	for k, text := range all {
		files = append(files, written(t, fmt.Sprintf("w%d.json", k), []byte(text)))
	}
	assert.Equal(t, "b/w3\n", call(append(files, "-o", "name")...).out)
	assert.Contains(t, call(append(files, "--output=wide")...).out, "FINDINGS")
	var list struct{ Workflows []rowJSON }
	require.NoError(t, json.Unmarshal([]byte(call(append(files, "-o", "json")...).out), &list))
	require.Len(t, list.Workflows, 4)
	assert.Equal(t, "w3", list.Workflows[0].Name)
	assert.Equal(t, []string{"b/w2", "b/w4"}, list.Workflows[0].Awaiting)
	assert.Equal(t, []waitForJSON{{"b/Mutex/t", []string{"b/w3"}}}, list.Workflows[1].WaitsFor)
	assert.NotEmpty(t, list.Workflows[0].Commands)
	assert.Equal(t, "OrphanedContainer", list.Workflows[0].Reason)
}

// What can't be read among several is said, the rest is looked at, and the exit code tells.
func TestDiagnoseSomeUnreadable(t *testing.T) {
	in := `{"kind":"List","items":[` + night("w1", "done") + `,{"kind":"Pod","metadata":{"name":"p"}},` + night("w3", "hangs") + `]}`
	got := callWith(in, "diagnose", "-now", atNoon, "-", "none.json")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.out, "w1")
	assert.Contains(t, got.out, "w3")
	assert.Contains(t, got.err, `found "Pod"`)
	assert.Contains(t, got.err, "none.json: no such file")
	twice := call("diagnose", "-now", atNoon, written(t, "one.json", []byte(night("w", "hangs"))), written(t, "two.json", []byte(night("w", "done"))))
	assert.Equal(t, 0, twice.code)
	assert.Contains(t, twice.err, "two.json: workflow b/w was in ")
	empty := callWith(`{"kind":"List","items":[]}`, "diagnose", "-")
	assert.Equal(t, called{0, "", "no workflows\n"}, empty)
}

// Templates that a workflow refers to come from a file, and an error about one that is missing says so.
func TestTemplatesOfAFile(t *testing.T) {
	const text = "kind: Workflow\nmetadata: {name: w}\nspec: {workflowTemplateRef: {name: lib}}\n"
	const lib = "kind: WorkflowTemplate\nmetadata: {name: lib}\nspec:\n  entrypoint: m\n  templates: [{name: m, retryStrategy: {limit: 1, retryPolicy: Always}, container: {}}]\n"
	file := written(t, "lib.yaml", []byte(lib))
	for _, command := range []string{"whatif", "graph", "diagnose", "heal"} {
		got := callWith(text, command, "-")
		assert.Equal(t, 2, got.code, command)
		assert.Contains(t, got.err, "(give the template with -templates FILE)", command)
		got = callWith(text, command, "-templates", file, "-")
		assert.Equal(t, 0, got.code, "%s: %s%s", command, got.out, got.err)
	}
	assert.Equal(t, 0, callWith(lib+"---\n"+text, "whatif", "-").code, "from the same file")
	assert.Equal(t, 2, callWith(text, "whatif", "-templates", "none.yaml", "-").code)
}

// hostile is what somebody may put into names and messages: colours, a title, a cleared screen, other directions, a second line.
const hostile = "x\x1b[31mred\x1b[0m\x1b]0;title\a\u009b2J\u202egnp.exe\u2066\u200b\u2028\r\nsecond\x7f"

// No character that could harm a terminal comes out of any command, in any format.
func TestNothingHarmsATerminal(t *testing.T) {
	name, err := json.Marshal(hostile)
	require.NoError(t, err)
	object := `{"kind":"Workflow","metadata":{"name":"w","namespace":` + string(name) + `},"spec":{"entrypoint":"m","templates":[{"name":"m","dag":{"tasks":[{"name":"t","template":"s"}]}},
		{"name":"s","container":{}}]},"status":{"phase":"Running","message":` + string(name) + `,"startedAt":"2026-03-10T08:00:00Z","nodes":{
		"w":{"id":"w","name":"w","type":"DAG","phase":"Failed","message":` + string(name) + `,"finishedAt":"2026-03-10T08:00:00Z"},
		"` + nodegraph.NodeID("w", "w.t") + `":{"id":"` + nodegraph.NodeID("w", "w.t") + `","name":"w.t","displayName":` + string(name) + `,"type":"Pod","phase":"Running","message":` + string(name) + `,"startedAt":"2026-03-10T08:00:00Z"}}}}`
	file := written(t, "hostile.json", []byte(object))
	for _, args := range [][]string{
		{"diagnose", file}, {"diagnose", "-o", "json", file}, {"diagnose", "-o", "wide", file}, {"diagnose", "-o", "name", file}, {"heal", file}, {"heal", "-o", "json", file},
		{"whatif", file}, {"whatif", "-o", "json", file}, {"graph", file}, {"graph", "-o", "mermaid", file}, {"graph", "-o", "svg", file}, {"graph", "-o", "html", file},
		{"heal", "-pods", written(t, "none.json", []byte(`{"kind":"List","items":[]}`)), file}, {"diagnose", hostile}, {hostile}, {"diagnose", "-o", hostile, file},
	} {
		got := call(args...)
		for k, r := range got.out + got.err {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) {
				t.Errorf("%q: character %U at %d", args, r, k)
				break
			}
		}
	}
	var report reportJSON
	require.NoError(t, json.Unmarshal([]byte(call("diagnose", "-o", "json", file).out), &report), "escapes are those of JSON")
	require.NotEmpty(t, report.Findings)
	assert.Equal(t, hostile, report.Findings[0].Recorded.Message, "and mean the same")
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// What can't be printed is an error, whatever was found.
func TestNoRoomToPrint(t *testing.T) {
	workflow, pods := stored(t, deleted)
	for _, args := range [][]string{{"diagnose", workflow}, {"diagnose", workflow, workflow, "-o", "wide"}, {"heal", "-pods", pods, workflow}, {"graph", workflow}, {"whatif", workflow}, {"replay", deleted}} {
		var errs bytes.Buffer
		code := run(args, stdio{in: strings.NewReader(""), out: full{}, err: &errs})
		assert.Equal(t, 2, code, args)
		assert.Contains(t, errs.String(), "no space left on device", args)
	}
}

// A screen lets colours of a painter through, and nothing that looks like one otherwise.
func TestScreen(t *testing.T) {
	for _, c := range []struct {
		paint    bool
		in, want string
	}{
		{true, "a\x1b[31mb\x1b[0m\n", "a\x1b[31mb\x1b[0m\n"}, {false, "a\x1b[31mb\n", "a\\u001b[31mb\n"}, {true, "\x1b[2J", "\\u001b[2J"},
		{true, "é日\u202e\U000e0001", "é日\\u202e\\udb40\\udc01"}, {false, "\xff", "\ufffd"},
	} {
		var b bytes.Buffer
		s := &screen{out: &b, paint: c.paint}
		for k := range len(c.in) { // a byte at a time, unless an escape begins
			if c.in[k] == '\x1b' {
				_, err := s.Write([]byte(c.in[k:]))
				require.NoError(t, err)
				break
			}
			_, err := s.Write([]byte{c.in[k]})
			require.NoError(t, err)
		}
		assert.Equal(t, c.want, b.String(), "%q", c.in)
	}
}

// The version and help go to standard output, a wrong call to standard error.
func TestVersionAndHelp(t *testing.T) {
	assert.True(t, strings.HasPrefix(call("--version").out, "nodestatus "))
	for _, c := range commands() {
		got := call(c.name, "--help")
		assert.Equal(t, 0, got.code, c.name)
		assert.NotEmpty(t, got.out, c.name)
		assert.Empty(t, got.err, c.name)
	}
	assert.Empty(t, call("diagnose").out)
}

// fan is a workflow of so many items, all of which have ended well; the group and the workflow were not settled.
func fan(n int) string {
	id := func(name string) string { return nodegraph.NodeID("w", name) }
	nodes := []string{
		`"w":{"id":"w","name":"w","type":"DAG","phase":"Running","templateName":"m"}`,
		fmt.Sprintf(`%q:{"id":%q,"name":"w.fan","displayName":"fan","type":"TaskGroup","phase":"Running","boundaryID":"w"}`, id("w.fan"), id("w.fan")),
	}
	var items []string
	for k := range n {
		name := fmt.Sprintf("w.fan(%d:%d)", k, k)
		items = append(items, fmt.Sprint(k))
		nodes = append(nodes, fmt.Sprintf(`%q:{"id":%q,"name":%q,"displayName":%q,"type":"Pod","phase":"Succeeded","boundaryID":"w","finishedAt":"2026-03-10T08:00:00Z"}`,
			id(name), id(name), name, strings.TrimPrefix(name, "w.")))
	}
	return `{"kind":"Workflow","metadata":{"name":"w"},"spec":{"entrypoint":"m","templates":[{"name":"m","dag":{"tasks":[{"name":"fan","template":"s","withItems":[` +
		strings.Join(items, ",") + `]}]}},{"name":"s","container":{}}]},"status":{"phase":"Running","nodes":{` + strings.Join(nodes, ",") + `}}}`
}

// Many siblings that ended well are folded: what is wrong stays on one screen.
func TestManySiblings(t *testing.T) {
	got := callWith(fan(2000), "diagnose", "-now", atNoon, "-")
	assert.Equal(t, 1, got.code, got.err)
	assert.Contains(t, got.out, "task-group-done  w.fan\n")
	assert.Contains(t, got.out, "... 1998 more that ended well\n")
	assert.Less(t, strings.Count(got.out, "\n"), 40)

	open := strings.ReplaceAll(fan(2000), `"phase":"Succeeded","boundaryID":"w","finishedAt"`, `"phase":"Running","boundaryID":"w","startedAt"`)
	got = callWith(open, "diagnose", "-now", atNoon, "-pods", written(t, "none.json", []byte(`{"kind":"List","items":[]}`)), "-")
	assert.Equal(t, 1, got.code, got.err)
	assert.Contains(t, got.out, "  pod-missing  ... and 1980 more (-o json lists them)\n")
	assert.Contains(t, got.out, "  ... and 1982 more (-o json lists them)\n")
}

// Of workflows that are in several files the last one counts, which is said of some.
func TestWorkflowsInSeveralFiles(t *testing.T) {
	var list strings.Builder
	for k := range 5 {
		fmt.Fprintf(&list, "kind: Workflow\nmetadata: {name: w%d}\nspec: {entrypoint: a, templates: [{name: a, container: {}}]}\n---\n", k)
	}
	one, two := written(t, "one.yaml", []byte(list.String())), written(t, "two.yaml", []byte(list.String()))
	got := call("diagnose", one, two)
	assert.Zero(t, got.code, got.err)
	assert.Equal(t, 3, strings.Count(got.err, ", too: the last one counts"), got.err)
	assert.Contains(t, got.err, "note: so it is with 2 more\n")
	assert.Equal(t, 6, strings.Count(got.out, "\n"), "a line each, and the head: %s", got.out)
}
