package nodegraph_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// What New accepts and will not do what its author wants is listed. A condition with variables is the host's.
func TestWarnings(t *testing.T) {
	hook := func(expression string) nodegraph.TaskOption {
		return func(t *nodegraph.Task) {
			t.Hooks = append(t.Hooks, nodegraph.Hook{Name: "running", Template: "x", Expression: expression})
		}
	}
	for _, c := range []struct {
		name string
		with func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder)
		want []string
	}{
		{name: "nothing is wrong", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Task("a", "x", nodegraph.When("1 == 1"), hook(`workflow.status == "Running"`))
			x.Timeout = time.Minute
		}},
		{name: "a condition", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Task("a", "x", nodegraph.When("x =="))
		}, want: []string{`nodegraph: template "main": "a": when: is no condition: Invalid 'when' expression 'x ==': unexpected end of expression`}},
		{name: "a condition that is no truth value", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Task("a", "x", nodegraph.When("1 + 1"))
		}, want: []string{`nodegraph: template "main": "a": when: is no condition: Expected boolean evaluation for '1 + 1'. Got 2`}},
		{name: "a condition with variables", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Task("a", "x", nodegraph.When("{{x}} =="), hook("{{x}} =="))
		}},
		{name: "the condition of a step and of an inline template", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			inner := nodegraph.Template{Kind: nodegraph.KindSteps, Steps: [][]nodegraph.Task{{{Name: "s", Template: "x", When: "("}}}}
			main.Task("a", "", func(t *nodegraph.Task) { t.Inline = &inner })
		}, want: []string{`nodegraph: "s": when: is no condition: Invalid 'when' expression '(': unbalanced parenthesis`}},
		{name: "the expression of a hook", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Task("a", "x", hook("1 +"))
		}, want: []string{"nodegraph: template \"main\": \"a\": hooks.running: is no condition: nodegraph: hook expression \"1 +\": unexpected token EOF (1:3)\n | 1 +\n | ..^"}},
		{name: "the expression of a strategy", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			_, err := retry.Compile("1 +")
			x.Retry = &retry.Strategy{Expression: retry.Uncompiled("1 +", err)}
		}, want: []string{"nodegraph: template \"x\": retryStrategy.expression: is no condition: retry: expression \"1 +\": unexpected token EOF (1:3)\n | 1 +\n | ..^"}},
		{name: "fields that mean nothing", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Daemon, main.Timeout = true, time.Minute
			x.Parallelism, x.FailFast = 1, true
		}, want: []string{
			`nodegraph: template "x": parallelism: means nothing for a Pod`, `nodegraph: template "x": failFast: means nothing for a Pod`,
			`nodegraph: template "main": daemon: means nothing for a DAG`, `nodegraph: template "main": timeout: means nothing for a DAG`}},
		{name: "a DAG that waits for its lock times out", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			main.Timeout, main.Locks = time.Minute, []nodegraph.Lock{{Key: "default/Mutex/m"}}
		}},
		{name: "a template that can't run", with: func(b *nodegraph.Builder, x *nodegraph.Template, main *nodegraph.DAGBuilder) {
			x.Err = "no image"
		}, want: []string{`nodegraph: template "x": template: no node of it can run: no image`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := nodegraph.NewBuilder("wf")
			x, main := b.Pod("x"), b.DAG("main")
			c.with(b, x, main)
			s, err := b.Spec()
			require.NoError(t, err)
			var got []string
			for _, w := range s.Warnings() {
				got = append(got, w.Error())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A specification that is not valid has warnings, too.
func TestWarningsOfWhatIsNotValid(t *testing.T) {
	inline := &nodegraph.Template{Kind: nodegraph.KindDAG}
	inline.Tasks = []nodegraph.Task{{Name: "a", Inline: inline, When: "x =="}}
	s := &nodegraph.Spec{Templates: []*nodegraph.Template{nil, inline, {}}}
	require.Len(t, s.Warnings(), 1)
	require.Empty(t, new(nodegraph.Spec).Warnings())
}
