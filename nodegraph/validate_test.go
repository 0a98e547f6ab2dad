package nodegraph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A case changes a valid specification, whose templates are main (a DAG of tasks a -> b), pod, set (containers x -> y)
// and steps (p | q), and says which error comes of it.
func TestNewRejects(t *testing.T) {
	type Spec = nodegraph.Spec
	minus := -time.Second
	task := func(s *Spec, k int) *nodegraph.Task { return &s.Templates[0].Tasks[k] }
	for _, c := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"no name", func(s *Spec) { s.Name = "" }, "name: is empty"},
		{"nil template", func(s *Spec) { s.Templates[1] = nil }, "templates[1]: is nil"},
		{"template without a name", func(s *Spec) { s.Templates[1].Name = "" }, "templates[1].name: is empty"},
		{"templates with one name", func(s *Spec) { s.Templates[1].Name = "main" }, `template "main": name: is used by more than one template`},
		{"unknown entrypoint", func(s *Spec) { s.Entrypoint = "nope" }, `entrypoint: no template is named "nope"`},
		{"unknown onExit", func(s *Spec) { s.OnExit = "nope" }, `onExit: no template is named "nope"`},
		{"negative parallelism", func(s *Spec) { s.Parallelism = -1 }, "parallelism: -1 is negative"},
		{"a pattern of transient errors that is none", func(s *Spec) { s.TransientErrors = "quota (" }, "transientErrors: is no regular expression: error parsing regexp: missing closing ): `quota (`"},
		{"a pattern of transient errors past the limit", func(s *Spec) { s.TransientErrors = strings.Repeat("x", 64<<10+1) },
			"transientErrors: is past a limit: nodegraph: more than 65536: limit Expression"},
		{"negative restarts", func(s *Spec) { s.PodRestarts = -2 }, "failedPodRestart: -2 is negative"},
		{"negative deadline", func(s *Spec) { s.ActiveDeadline = minus }, "activeDeadlineSeconds: -1s is negative"},
		{"negative time to live", func(s *Spec) { s.TTL.Success = &minus }, "ttlStrategy.secondsAfterSuccess: -1s is negative"},
		{"lock of the workflow without a key", func(s *Spec) { s.Locks = []nodegraph.Lock{{}} }, "synchronization[0]: has no key"},
		{"workflow hook without a name", func(s *Spec) { s.Hooks = []nodegraph.Hook{{Template: "pod"}} }, "hooks[0].name: is empty"},
		{"workflow hook with an unknown template", func(s *Spec) { s.Hooks = []nodegraph.Hook{{Name: "h", Template: "nope", Expression: "true"}} },
			`hooks.h: no template is named "nope"`},
		{"workflow hook without an expression", func(s *Spec) { s.Hooks = []nodegraph.Hook{{Name: "h", Template: "pod"}} },
			"hooks.h: a hook other than exit needs an expression"},

		{"kind of no template", func(s *Spec) { s.Templates[1].Kind = nodegraph.KindTaskGroup },
			`template "pod": type: TaskGroup is not a kind of template`},
		{"kind forgotten", func(s *Spec) { s.Templates[1].Kind = 0 }, `template "pod": type: Workflow is not a kind of template`},
		{"containers of a DAG", func(s *Spec) { s.Templates[0].Containers = s.Templates[2].Containers },
			`template "main": containerSet: is only for Pod templates, and this is a DAG`},
		{"tasks of a pod", func(s *Spec) { s.Templates[1].Tasks = s.Templates[0].Tasks },
			`template "pod": dag.tasks: is only for DAG templates, and this is a Pod`},
		{"targets of Steps", func(s *Spec) { s.Templates[3].Targets = []string{"p"} },
			`template "steps": dag.target: is only for DAG templates, and this is a Steps`},
		{"failFast: false of Steps", func(s *Spec) { s.Templates[3].NoFailFast = true },
			`template "steps": dag.failFast: is only for DAG templates, and this is a Steps`},
		{"steps of a DAG", func(s *Spec) { s.Templates[0].Steps = s.Templates[3].Steps },
			`template "main": steps: is only for Steps templates, and this is a DAG`},
		{"duration of a pod", func(s *Spec) { s.Templates[1].Suspend = 1 },
			`template "pod": suspend.duration: is only for Suspend templates, and this is a Pod`},
		{"negative duration", func(s *Spec) { s.Templates[1].Kind, s.Templates[1].Suspend = nodegraph.KindSuspend, minus },
			`template "pod": suspend.duration: -1s is negative`},
		{"negative timeout", func(s *Spec) { s.Templates[1].Timeout = minus }, `template "pod": timeout: -1s is negative`},
		{"negative pending timeout", func(s *Spec) { s.Templates[1].PendingTimeout = minus }, `template "pod": pendingTimeout: -1s is negative`},
		{"negative parallelism of a template", func(s *Spec) { s.Templates[0].Parallelism = -1 }, `template "main": parallelism: -1 is negative`},
		{"lock with a negative limit", func(s *Spec) { s.Templates[1].Locks = []nodegraph.Lock{{Key: "k"}, {Key: "l", Limit: -1}} },
			`template "pod": synchronization[1].limit: -1 is negative`},
		{"bad retry strategy", func(s *Spec) { s.Templates[1].Retry = &retry.Strategy{Policy: "Sometimes"} },
			`template "pod": retryStrategy: is not usable: retry: retryPolicy "Sometimes" is not a policy`},

		{"container without a name", func(s *Spec) { s.Templates[2].Containers[1].Name = "" },
			`template "set": containerSet.containers[1].name: is empty`},
		{"containers with one name", func(s *Spec) { s.Templates[2].Containers[1].Name = "x" },
			`template "set": "x": name: is used by more than one container`},
		{"dependency outside the pod", func(s *Spec) { s.Templates[2].Containers[1].Dependencies = []string{"a"} },
			`template "set": "y": dependencies: no container of this pod is named "a"`},
		{"containers in a cycle", func(s *Spec) { s.Templates[2].Containers[0].Dependencies = []string{"y"} },
			`template "set": dependencies: the containers wait for each other: cycle: x -> y -> x`},

		{"task without a name", func(s *Spec) { task(s, 0).Name = "" }, `template "main": dag.tasks[0].name: is empty`},
		{"tasks with one name", func(s *Spec) { task(s, 1).Name = "a" }, `template "main": "a": name: is used by more than one task`},
		{"unknown template of a task", func(s *Spec) { task(s, 0).Template = "nope" }, `template "main": "a": template: no template is named "nope"`},
		{"no template of a task", func(s *Spec) { task(s, 0).Template = "" }, `template "main": "a": template: no template is named ""`},
		{"template and inline", func(s *Spec) { task(s, 0).Inline = s.Templates[1] },
			`template "main": "a": inline: can't be used together with template`},
		{"unknown target", func(s *Spec) { s.Templates[0].Targets = []string{"a", "zz"} }, `template "main": dag.target: no task is named "zz"`},
		{"unknown dependency", func(s *Spec) { task(s, 1).Dependencies = []string{"a", "zz"} },
			`template "main": "b": dependencies: can't be compiled: depends "a && zz": column 6: no task is named "zz"`},
		{"bad depends", func(s *Spec) { task(s, 1).Dependencies, task(s, 1).Depends = nil, "a.Done" },
			`template "main": "b": depends: can't be compiled: depends "a.Done": column 3: "Done" is not a result of a task`},
		{"depends and dependencies", func(s *Spec) { task(s, 1).Depends = "a" },
			`template "main": "b": dependencies: can't be used together with depends`},
		{"tasks in a cycle", func(s *Spec) { task(s, 0).Depends = "b.Failed" },
			`template "main": depends: the tasks wait for each other: cycle: a -> b -> a`},
		{"a task that waits for itself", func(s *Spec) { task(s, 0).Depends = "!a.Failed" },
			`template "main": depends: the tasks wait for each other: cycle: a -> a`},
		{"unknown template of an exit hook", func(s *Spec) { task(s, 0).Hooks = []nodegraph.Hook{{Name: "exit", Template: "nope"}} },
			`template "main": "a": hooks.exit: no template is named "nope"`},
		{"two hooks of one name", func(s *Spec) {
			task(s, 0).Hooks = []nodegraph.Hook{{Name: "exit", Template: "pod"}, {Name: "exit", Template: "pod"}}
		}, `template "main": "a": hooks.exit: is there more than once`},

		{"step without a name", func(s *Spec) { s.Templates[3].Steps[1][0].Name = "" }, `template "steps": steps[1][0].name: is empty`},
		{"steps with one name, in two groups", func(s *Spec) { s.Templates[3].Steps[1][0].Name = "p" },
			`template "steps": "p": name: is used by more than one step`},
		{"step with dependencies", func(s *Spec) { s.Templates[3].Steps[1][0].Dependencies = []string{"p"} },
			`template "steps": "q": depends: only tasks of a DAG have dependencies`},

		{"fault in an inline template", func(s *Spec) {
			task(s, 0).Template, task(s, 0).Inline = "", &nodegraph.Template{Kind: nodegraph.KindPod, Timeout: minus}
		}, `template "main": "a": inline: is not usable: nodegraph: timeout: -1s is negative`},
		{"inline template inside itself", func(s *Spec) {
			inline := &nodegraph.Template{Name: "i", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "t"}}}
			inline.Tasks[0].Inline = inline
			task(s, 0).Template, task(s, 0).Inline = "", inline
		}, `template "main": "a": inline: is not usable: nodegraph: template "i": "t": inline: is inside itself`},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := mustParse(t, "dag(a -> b, s: pod(x -> y), u: steps(p | q))")
			spec.Templates = []*nodegraph.Template{spec.Templates[0], spec.Templates[3], spec.Templates[1], spec.Templates[2]}
			spec.Templates[1].Name, spec.Templates[2].Name, spec.Templates[3].Name = "pod", "set", "steps"
			task(spec, 2).Template, task(spec, 3).Template = "set", "steps"
			require.NoError(t, spec.Validate())
			c.change(spec)
			_, err := nodegraph.New(spec)
			require.IsType(t, (*nodegraph.SpecError)(nil), err)
			assert.EqualError(t, err, "nodegraph: "+c.want)
			assert.EqualError(t, spec.Validate(), err.Error())
		})
	}
	_, err := nodegraph.New(nil)
	assert.EqualError(t, err, "nodegraph: spec: is nil")
}

// The nodes of a cycle are named one after the other, from the smallest name on.
func TestCycles(t *testing.T) {
	long := make([]string, 15)
	for k := range long {
		long[k] = fmt.Sprintf("t%02d", k)
	}
	for _, c := range []struct {
		name, text string
		want       []string
		message    string
	}{
		{"two", "dag(b -> a -> b)", []string{"a", "b"}, "cycle: a -> b -> a"},
		{"with tasks before and after", "dag(z -> c -> a -> b -> c -> y)", []string{"a", "b", "c"}, "cycle: a -> b -> c -> a"},
		{"beside tasks in order", "dag(x -> y, c -> d -> c)", []string{"c", "d"}, "cycle: c -> d -> c"},
		{"of containers", "pod(main -> a -> main)", []string{"a", "main"}, "cycle: a -> main -> a"},
		{"long", "dag(" + strings.Join(long, " -> ") + " -> t00)", long,
			"cycle: t00 -> t01 -> t02 -> t03 -> t04 -> t05 -> t06 -> t07 -> t08 -> t09 -> ... (5 more) -> t00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := nodegraph.New(mustParse(t, c.text))
			var cycle *nodegraph.CycleError
			require.ErrorAs(t, err, &cycle)
			assert.Empty(t, cmp.Diff(c.want, cycle.Nodes))
			assert.Equal(t, c.message, cycle.Error())
		})
	}
}

func TestInlineTemplates(t *testing.T) {
	deep := func(levels int) *nodegraph.Spec {
		t := &nodegraph.Template{Name: "leaf", Kind: nodegraph.KindPod}
		for range levels {
			t = &nodegraph.Template{Name: "level", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "x", Inline: t}, {Name: "y", Inline: t}}}
		}
		return &nodegraph.Spec{Name: "wf", Entrypoint: "level", Templates: []*nodegraph.Template{t}}
	}
	g, err := nodegraph.New(deep(100)) // each level is met twice as often as the one above, and checked once
	require.NoError(t, err)
	require.NoError(t, g.Expand(nodegraph.Entry))
	require.NoError(t, g.Expand(g.Find("wf.y")))
	assert.Equal(t, nodegraph.KindDAG, g.Node(g.Find("wf.y.x")).Kind)

	_, err = nodegraph.New(deep(101))
	require.ErrorContains(t, err, "inline: is inside more than 100 others")
}

// A dependency that is named twice counts once.
func TestDependenciesNamedTwice(t *testing.T) {
	spec := mustParse(t, "dag(b: pod(x, y))")
	spec.Templates[1].Containers[1].Dependencies = []string{"x", "x"}
	g, err := nodegraph.New(spec)
	require.NoError(t, err)
	expandAll(t, g)
	assert.Equal(t, []string{"wf.b.x"}, names(g, slices.Collect(g.Dependencies(g.Find("wf.b.y")))))
}

func TestDependsErrorsAreWrapped(t *testing.T) {
	_, err := nodegraph.New(mustParse(t, `dag(a, b depends "a &")`))
	var e *nodegraph.ParseError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 3, e.Column)
}

func TestErrorTextsAreBounded(t *testing.T) {
	name := strings.Repeat("x", 10_000)
	spec := mustParse(t, "dag(a)")
	spec.Entrypoint = name
	for _, err := range []error{
		spec.Validate(),
		&nodegraph.ValueError{Field: "phase", Value: name, Reason: "is not a node phase"},
		&nodegraph.LimitError{Limit: "Nodes", Max: 1, Node: name},
		&nodegraph.WhenError{When: name, Reason: "no"},
	} {
		assert.Less(t, len(err.Error()), 400)
	}
	assert.EqualError(t, &nodegraph.LimitError{Limit: "Nodes", Max: 1}, "nodegraph: more than 1: limit Nodes")
}
