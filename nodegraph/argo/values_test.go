package argo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/retry"
)

// named returns a template of a workflow that nodegraph takes.
func named(t *testing.T, w *argo.Workflow, name string) *nodegraph.Template {
	t.Helper()
	_, err := nodegraph.New(w.Spec)
	require.NoError(t, err)
	for _, t := range w.Spec.Templates {
		if t.Name == name {
			return t
		}
	}
	require.Fail(t, "no template is named "+name)
	return nil
}

// calling is a Workflow whose entrypoint calls the template x with the argument a, and x is so.
func calling(value, x string) []byte {
	return yamlWorkflow("spec:\n  entrypoint: main\n  templates:\n" +
		"  - {name: main, steps: [[{name: s, template: x, arguments: {parameters: [{name: a, value: '" + value + "'}]}}]]}\n" +
		"  - {name: p, container: {}}\n  - name: x\n    inputs: {parameters: [{name: a}, {name: other, value: '1'}]}\n    " + x + "\n")
}

// A value that a call passes on stands in every field that decides status, as it would if it had been written there.
func TestReadFillsInParameters(t *testing.T) {
	tests := []struct{ name, value, field string }{
		{"timeouts", "30s", "container: {}\n    timeout: '%s'\n    pendingTimeout: '%s'"},
		{"how often is tried", "3", "container: {}\n    retryStrategy: {limit: '%s', backoff: {duration: '%s', factor: '%s', cap: '%s', maxDuration: '%s'}}"},
		{"what is tried again", "Always", "container: {}\n    retryStrategy: {retryPolicy: '%s'}"},
		{"a part of an expression", "true", "container: {}\n    retryStrategy: {expression: 'lastRetry.status == \"Error\" && %s == true'}"},
		{"the names of locks", "m", "container: {}\n    synchronization: {mutexes: [{name: '%s'}], semaphores: [{configMapKeyRef: {name: '%s', key: 'k-%s'}}]}"},
		{"the length of a suspension", "5", "suspend: {duration: '%s'}"},
		{"the key of a cache", "k", "container: {}\n    memoize: {key: 'a-%s'}"},
		{"targets", "b c", "dag: {target: '%s', tasks: [{name: a, template: p}, {name: b, template: p}, {name: c, template: p}]}"},
		{"what a task comes after", "a", "dag: {tasks: [{name: a, template: p}, {name: b, template: p, depends: '%s.Failed'}, {name: c, template: p, dependencies: ['%s']}]}"},
		{"a condition", "yes", "steps: [[{name: b, template: p, when: '%s == yes'}]]"},
		{"the items of a loop", `["u","v"]`, "steps: [[{name: b, template: p, withParam: '%s'}]]"},
		{"one of the items", "u", "steps: [[{name: b, template: p, withItems: [t, '%s']}]]"},
		{"a sequence", "2", "steps: [[{name: b, template: p, withSequence: {count: '%s'}}]]"},
		{"the template of a step", "p", "steps: [[{name: b, template: '%s', onExit: '%s'}]]"},
		{"the template of a hook", "p", "steps: [[{name: b, template: p, hooks: {run: {template: '%s', expression: 'true'}}}]]"},
		{"what is inside another", "5s", "steps: [[{name: b, inline: {suspend: {duration: '%s'}}}]]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := read(t, calling(test.value, strings.ReplaceAll(test.field, "%s", "{{inputs.parameters.a}}")))
			want := read(t, calling("", strings.ReplaceAll(test.field, "%s", test.value)))
			if diff := cmp.Diff(named(t, want, "x"), named(t, got, "x"), sameSpec); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			assert.Empty(t, got.Unresolved)
		})
	}
}

// Names in the expression of a hook are values of the whole scope; what is in quotes is none.
func TestReadFillsInNamesOfHookExpressions(t *testing.T) {
	tests := []struct{ in, want string }{
		{`inputs.parameters.a == "x"`, `"v" == "x"`},
		{`inputs.parameters["a"] == 'x' || inputs['parameters'].a != "y"`, `"v" == 'x' || "v" != "y"`},
		{`inputs.parameters.none == "v"`, `inputs.parameters.none == "v"`},
		{`workflow.name == "w" && workflow.labels.team == "blue"`, `"w" == "w" && "blue" == "blue"`},
		{`workflow.status == "Failed" && steps.s.outputs.result == "x"`, `workflow.status == "Failed" && steps.s.outputs.result == "x"`},
		{`"workflow.name" == 'it\'s workflow.name' + workflow.name`, `"workflow.name" == 'it\'s workflow.name' + "w"`},
		{"`workflow.name\\` == workflow.name", "`workflow.name\\` == \"w\""},
		{`x.workflow.name + myworkflow.name + workflow.name() + workflow["na\x6de"]`, `x.workflow.name + myworkflow.name + workflow.name() + workflow["na\x6de"]`},
		{`"{{inputs.parameters.a}}" == inputs.parameters.a`, `"v" == "v"`},
		{`"open`, `"open`},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			quoted := strings.ReplaceAll(test.in, "'", "''")
			w := read(t, calling("v", "steps: [[{name: b, template: p, hooks: {run: {template: p, expression: '"+quoted+"'}}}]]"))
			assert.Equal(t, test.want, named(t, w, "x").Steps[0][0].Hooks[0].Expression)
		})
	}
	t.Run("a value that looks like a status", func(t *testing.T) {
		w := read(t, calling("workflow.status", "steps: [[{name: b, template: p, hooks: {run: {template: p, expression: 'inputs.parameters.a == \"x\"'}}}]]"))
		c := nodegraph.CompileHook(named(t, w, "x").Steps[0][0].Hooks[0].Expression)
		assert.False(t, c.NamesWorkflow())
		holds, known := c.Eval(nil)
		assert.True(t, known)
		assert.False(t, holds)
	})
}

// A template is made once for every set of values that decides status, and known to a controller by its one name.
func TestReadMakesTemplatesByTheirValues(t *testing.T) {
	w := read(t, yamlWorkflow(`spec:
  entrypoint: main
  onExit: slow
  arguments: {parameters: [{name: t, value: 9s}, {name: note, value: n}]}
  templates:
  - name: main
    inputs: {parameters: [{name: t}]}
    steps:
    - - {name: a, template: slow, arguments: {parameters: [{name: t, value: 1s}, {name: note, value: x}]}}
      - {name: b, template: slow, arguments: {parameters: [{name: t, value: 2s}]}}
      - {name: c, template: slow, arguments: {parameters: [{name: t, value: 1s}, {name: note, value: y}]}}
      - {name: d, template: slow}
      - {name: e, template: through, arguments: {parameters: [{name: u, value: "{{inputs.parameters.t}}"}]}}
      - {name: f, template: slow, arguments: {parameters: [{name: t, value: 1s}]}, hooks: {exit: {template: slow}}}
  - name: through
    inputs: {parameters: [{name: u}]}
    dag: {tasks: [{name: g, template: slow, arguments: {parameters: [{name: t, value: "{{inputs.parameters.u}}"}]}}]}
  - name: slow
    inputs: {parameters: [{name: t, default: 7s}, {name: note, default: z}]}
    container: {args: ["{{inputs.parameters.note}}"]}
    timeout: "{{inputs.parameters.t}}"
`))
	var calls []string
	for _, s := range named(t, w, "main").Steps[0] {
		calls = append(calls, s.Name+" "+s.Template)
		if s.Hooks != nil {
			calls = append(calls, "exit of "+s.Name+" "+s.Hooks[0].Template)
		}
	}
	assert.Equal(t, []string{"a slow#2", "b slow#3", "c slow#2", "d slow#4", "e through", "f slow#2", "exit of f slow"}, calls)
	assert.Equal(t, "slow", w.Spec.OnExit)
	assert.Equal(t, "slow", named(t, w, "through").Tasks[0].Template)
	timeouts := make(map[string]time.Duration)
	for _, x := range w.Spec.Templates {
		if x.Kind == nodegraph.KindPod {
			timeouts[x.Name] = x.Timeout
			assert.Equal(t, "slow", x.RecordedName())
		}
	}
	assert.Equal(t, map[string]time.Duration{"slow": 9 * time.Second, "slow#2": time.Second, "slow#3": 2 * time.Second, "slow#4": 7 * time.Second}, timeouts)
	assert.Empty(t, w.Unresolved)
}

// Each item of a loop has the template that its own values make.
func TestReadMakesTemplatesByTheItem(t *testing.T) {
	tests := []struct {
		name, task string
		want       []string // of each item: its template, as a controller knows it, with its timeout
	}{
		{"by name", "template: '{{item}}', withItems: [p, q]", []string{"p 0s", "q 0s"}},
		{"by reference", "templateRef: {name: lib, template: '{{item.x}}'}, withItems: [{x: r}, {x: none}]", []string{"namespaced/lib/r 0s", "namespaced/lib/none 0s"}},
		{"by argument", "template: slow, arguments: {parameters: [{name: t, value: '{{item}}'}]}, withItems: [1, \"2s\", 1]", []string{"slow 1s", "slow 2s", "slow 1s"}},
		{"by a field of a parameter's item", "template: slow, arguments: {parameters: [{name: t, value: '{{ item.t }}'}]}, withParam: '[{\"t\":\"3s\"},{\"t\":4}]'", []string{"slow 3s", "slow 4s"}},
		{"of a sequence", "template: slow, arguments: {parameters: [{name: t, value: '{{item}}'}]}, withSequence: {start: 5, end: 6}", []string{"slow 5s", "slow 6s"}},
		{"of what is inside it", "inline: {container: {}, inputs: {parameters: [{name: x}]}, timeout: '{{inputs.parameters.x}}'}, arguments: {parameters: [{name: x, value: '{{item}}'}]}, withItems: [1, 2]", []string{"a 1s", "a 2s"}},
		{"not where nothing depends on it", "template: slow, arguments: {parameters: [{name: t, value: 1s}, {name: note, value: '{{item}}'}]}, withItems: [1, 2]", []string{"slow 1s", "slow 1s"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, yamlWorkflow("spec:\n  entrypoint: main\n  templates:\n  - {name: main, dag: {tasks: [{name: a, "+test.task+"}]}}\n"+
				"  - {name: p, container: {}}\n  - {name: q, suspend: {}}\n"+
				"  - {name: slow, inputs: {parameters: [{name: t}, {name: note, default: z}]}, container: {}, timeout: '{{inputs.parameters.t}}'}\n"+
				"status:\n  storedTemplates:\n    namespaced/lib/r: {name: r, container: {}}\n"))
			g, err := nodegraph.New(w.Spec)
			require.NoError(t, err)
			require.NoError(t, g.Expand(nodegraph.Entry))
			group := g.First(nodegraph.Entry)
			task := g.Node(group).Task
			require.NoError(t, g.AddItems(group, task, task.Loop.Items))
			var got []string
			for m := range g.Members(group) {
				x := g.Node(m).Template
				got = append(got, fmt.Sprintf("%s %s", x.RecordedName(), x.Timeout))
				assert.Equal(t, x.Kind, g.Node(m).Kind)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// What is wrong with a value is wrong with the nodes that it is for, and with no others.
func TestReadSaysWhatIsWrongWithAValue(t *testing.T) {
	tests := []struct{ name, value, x, want string }{
		{"a timeout", "soon", "container: {}\n    timeout: '{{inputs.parameters.a}}'", `argo: spec.templates[2].timeout: retry: duration "soon" is not a duration`},
		{"a limit", "many", "container: {}\n    retryStrategy: {limit: '{{inputs.parameters.a}}'}", `argo: spec.templates[2].retryStrategy.limit: "many" is not a number`},
		{"a policy", "Often", "container: {}\n    retryStrategy: {retryPolicy: '{{inputs.parameters.a}}'}", `argo: spec.templates[2].retryStrategy: retry: retryPolicy "Often" is not a policy`},
		{"a target", "z", "dag: {target: '{{inputs.parameters.a}}', tasks: [{name: b, template: p}]}", `argo: spec.templates[2].dag.target: no task is named "z"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, named(t, read(t, calling(test.value, test.x)), "x").Err)
		})
	}
	t.Run("what is wrong without it", func(t *testing.T) {
		_, err := argo.Read(calling("1s", "container: {}\n    timeout: '{{inputs.parameters.a}}'\n    pendingTimeout: soon"))
		assert.EqualError(t, err, `argo: workflow "w": spec.templates[2].pendingTimeout: retry: duration "soon" is not a duration`)
	})
}

// A value that only the host knows leaves the field open, and the template says so.
func TestReadLeavesUnknownParametersOpen(t *testing.T) {
	w := read(t, yamlWorkflow(`spec:
  entrypoint: main
  retryStrategy: {limit: "{{workflow.parameters.none}}"}
  templates:
  - name: main
    retryStrategy: {}
    steps:
    - - {name: a, template: slow, arguments: {parameters: [{name: t, value: "{{steps.b.outputs.result}}"}]}}
      - {name: b, template: slow, arguments: {parameters: [{name: t, valueFrom: {expression: "1"}}]}}
      - {name: c, template: slow, arguments: {parameters: [{name: t, value: "{{item}}"}]}, withParam: "{{steps.b.outputs.result}}"}
      - {name: d, template: slow, arguments: {parameters: [{name: t, value: 3s}]}}
  - name: slow
    inputs: {parameters: [{name: t, default: 1s}]}
    container: {}
    timeout: "{{inputs.parameters.t}}"
`))
	const limit, timeout = "spec.retryStrategy.limit", "spec.templates[1].timeout"
	open := []nodegraph.Unresolved{{Field: timeout, Text: "{{inputs.parameters.t}}"}, {Field: limit, Text: "{{workflow.parameters.none}}"}}
	assert.Empty(t, named(t, w, "main").Unresolved)
	assert.Equal(t, open, named(t, w, "slow").Unresolved)
	assert.Equal(t, open[1:], named(t, w, "slow#2").Unresolved)
	assert.Equal(t, &retry.Strategy{}, named(t, w, "slow").Retry)
	assert.Equal(t, []argo.Unresolved{{Field: limit, Text: open[1].Text, CountsAs: "not set"}, {Field: timeout, Text: open[0].Text, CountsAs: "not set"}}, w.Unresolved)
}

// A template that calls itself with ever new values comes to an end.
func TestReadBoundsTemplatesByValue(t *testing.T) {
	w, err := argo.Read(calling("1", "steps: [[{name: again, template: x, when: '{{inputs.parameters.a}} == x', arguments: {parameters: [{name: a, value: '{{inputs.parameters.a}}1'}]}}]]"),
		argo.WithLimits(argo.Limits{Bytes: 1 << 16}))
	require.NoError(t, err)
	assert.Less(t, len(w.Spec.Templates), 1<<10)
	last := w.Spec.Templates[len(w.Spec.Templates)-1]
	assert.Equal(t, last.Name, last.Steps[0][0].Template, "the last one calls itself")
	assert.Equal(t, "{{inputs.parameters.a}} == x", last.Steps[0][0].When)
}
