package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

// Words are wrapped where a line is full, under the word with which they began; a word that is longer than a line stays whole.
func TestWrapped(t *testing.T) {
	for _, c := range []struct {
		text           string
		after, columns int
		want           string
	}{
		{"as it is", 4, 0, "as it is"},
		{"short enough", 4, 16, "short enough"},
		{"one two three four five six seven eight", 2, 32, "one two three four five six\n  seven eight"},
		{strings.Repeat("x", 40) + " y", 2, 32, strings.Repeat("x", 40) + "\n  y"},
		{"日本語の 日本語の 日本語の 日本語の", 0, 30, "日本語の 日本語の 日本語の\n日本語の"},
		{"room for thirty columns is left all the same", 70, 80, "room for thirty columns is\n" + strings.Repeat(" ", 70) + "left all the same"},
	} {
		assert.Equal(t, c.want, wrapped(c.text, c.after, c.columns), "%q after %d of %d", c.text, c.after, c.columns)
	}
}

// A table fits a terminal: the last cell is wrapped, and colours take no room.
func TestColumnsFit(t *testing.T) {
	var b bytes.Buffer
	printColumns(&b, slices.Values([][]string{{"NAME", "PHASE", "CAUSE"}, {"a", "\x1b[31mFailed\x1b[0m", "one two three four five six seven eight nine ten"}}), 1, 50)
	assert.Equal(t, "NAME PHASE  CAUSE\na    \x1b[31mFailed\x1b[0m one two three four five six seven\n            eight nine ten\n", b.String())
}

// Where the last cell would get too little, others are wrapped, too, but for colours and words.
func TestWideColumns(t *testing.T) {
	var b bytes.Buffer
	printColumns(&b, slices.Values([][]string{{"POD", "LOST"}, {"one two three four five six seven", "\x1b[31mnever ends\x1b[0m because of what"}}), 1, 46)
	assert.Equal(t, "POD                 LOST\none two three four  \x1b[31mnever ends\x1b[0m because of what\nfive six seven\n", b.String())
}

// The width of a text is what a terminal shows: marks take no room, letters of East Asia and pictures two columns.
func TestWidth(t *testing.T) {
	for text, want := range map[string]int{
		"abc": 3, "日本": 4, "e\u0301": 1, "가": 2, "\u1112\u1161\u11ab": 2, "✅": 2, "⏳ a": 4, "👍🏽": 2, "❤\ufe0f": 2, "🇩🇪": 2, "✔✖●─…": 5, "\x1b[31mred\x1b[0m": 3,
	} {
		assert.Equal(t, want, width(text), "%q", text)
	}
}

// No line but commands and drawings is wider than the terminal.
func TestLinesFit(t *testing.T) {
	for _, args := range [][]string{
		{"diagnose", "samples/forgotten.yaml"}, {"diagnose", "samples/namespace.yaml"}, {"whatif", "samples/nightly.yaml"}, {"whatif", "-as", "argo", "samples/nightly.yaml"}, {"whatif", "samples/shards.yaml"},
	} {
		var out bytes.Buffer
		s := &screen{out: &out, columns: 80}
		for _, c := range commands() {
			if c.name == args[0] {
				assert.ErrorIs(t, c.run(args[1:], stdio{out: s, err: s}), errFound, args)
			}
		}
		require.NotEmpty(t, out.String(), args)
		for line := range strings.Lines(out.String()) {
			if !strings.Contains(line, "kubectl") && !strings.Contains(line, "─") {
				assert.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), 80, "%v: %s", args, line)
			}
		}
	}
}

// When a pod is lost is said in few words.
func TestWhenLost(t *testing.T) {
	both := []whatif.Way{whatif.Deleted, whatif.Evicted}
	for want, once := range map[string]map[whatif.Moment][]whatif.Way{
		"at any time":        {whatif.Pending: both, whatif.Running: both, whatif.Reporting: both},
		"running, reporting": {whatif.Running: both, whatif.Reporting: both},
		"evicted":            {whatif.Pending: both[1:], whatif.Running: both[1:], whatif.Reporting: both[1:]},
		"deleted while running, reporting; evicted": {whatif.Pending: both[1:], whatif.Running: both, whatif.Reporting: both},
		"deleted while pending":                     {whatif.Pending: both[:1]},
	} {
		assert.Equal(t, []string{want}, whenLost(once))
	}
}

// Of several templates in a file one is chosen by its name.
func TestOneOfSeveral(t *testing.T) {
	one := func(name string) string {
		return "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: " + name + "}\nspec:\n  entrypoint: m\n  templates: [{name: m, container: {}}]\n"
	}
	file := written(t, "lib.yaml", []byte(one("first")+"---\n"+one("second")))
	for _, command := range []string{"whatif", "graph"} {
		assert.Contains(t, call(command, file).err, "want one workflow, found 2 (first, second): choose one with -name NAME", command)
		assert.Contains(t, call(command, "-name", "second", file).out, "second", command)
		assert.Contains(t, call(command, file, "-name", "third").err, `no workflow and no template has the name "third"`, command)
	}
}

// A workflow that was not begun and can't succeed as it stands, since its entrypoint is its own task, is not said to be in
// progress.
func TestEndsAtOnce(t *testing.T) {
	const text = "kind: Workflow\nmetadata: {name: w}\nspec: {entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, template: m}]}}]}\n"
	got := callWith(text, "diagnose", "-")
	assert.Contains(t, got.out, `healthy: not begun, but as soon as it is it ends: Error`)
	assert.NotContains(t, got.out, "nothing is wrong")
}

// What the object does not hold is not called an error: whatif says what it assumes, diagnose what it does not know.
func TestTemplateOfALibrary(t *testing.T) {
	const text = "kind: Workflow\nmetadata: {name: w}\nspec: {entrypoint: m, templates: [{name: m, dag: {tasks: [{name: a, templateRef: {name: lib, template: x}}]}}]}\n"
	got := callWith(text, "diagnose", "-")
	assert.Equal(t, 0, got.code)
	assert.Contains(t, got.out, "  Pod w.a: its pod is to be made (not begun)\n")
	assert.Contains(t, got.out, "Note:       spec.templates[0].dag.tasks[0].templateRef is namespaced/lib/x, which the object does not hold yet")
	assert.Contains(t, callWith(text, "whatif", "-").out, "it refers to templates that the object does not hold: give them with -templates FILE\n")
}

// A search that was stopped says that it knows only a part.
func TestWhatifPartial(t *testing.T) {
	w, err := argo.Read([]byte(nightly))
	require.NoError(t, err)
	var out bytes.Buffer
	tries := 0
	r, err := whatif.Run(whatif.Input{Spec: w.Spec, Stop: func() bool { tries++; return tries == 3 }})
	require.NoError(t, err)
	(&whatifText{out: &out, w: w, result: r}).print()
	assert.Contains(t, out.String(), "it was stopped after 4 simulations: losses that were not tried may be fatal, too")
}
