package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// What hooks and retries of a manifest do where their expressions are Argo's.

// begun is the engine of a Workflow with this spec, after the first call, and what that asks for.
func begun(t *testing.T, spec string) (*propagate.Engine, []string) {
	t.Helper()
	w, err := argo.Read([]byte("kind: Workflow\nmetadata: {name: wf, namespace: default}\nspec:\n  entrypoint: main\n" + spec))
	require.NoError(t, err)
	e, err := propagate.New(w.Spec)
	require.NoError(t, err)
	return e, actionsOf(tell(t, e))
}

const plainPod = "  - {name: p, container: {image: x}}\n"

// A hook of a task with a loop runs once, for the task (Argo: executeDAGTask).
func TestManifestHookOfALoop(t *testing.T) {
	e, _ := begun(t, `  templates:
  - name: main
    dag:
      tasks:
      - name: a
        template: p
        withItems: [1, 2, 3]
        hooks: {running: {template: p, expression: 'tasks.a.status == "Running"'}}
`+plainPod)
	require.Equal(t, []string{"wf.a(0:1): start", "wf.a(1:2): start", "wf.a(2:3): start", "wf.a.hooks.running: start"}, waitsFor(e))
	tell(t, e, propagate.PodRunning("wf.a(0:1)"), propagate.PodRunning("wf.a(1:2)"))
	require.Equal(t, []string{"wf.a(0:1): pod", "wf.a(1:2): pod", "wf.a(2:3): start", "wf.a.hooks.running: start"}, waitsFor(e))
}

// All items of a loop succeed and its hooks fail: hooks never count, so the loop has succeeded.
func TestManifestHooksOfALoopThatFail(t *testing.T) {
	e, _ := begun(t, `  templates:
  - name: main
    dag:
      tasks:
      - name: a
        template: p
        withItems: [1]
        hooks: {exit: {template: p}, running: {template: p, expression: 'tasks.a.status == "Running"'}}
`+plainPod)
	tell(t, e, propagate.PodSucceeded("wf.a(0:1)"), propagate.PodFailed("wf.a.hooks.running", ""))
	tell(t, e, propagate.PodFailed("wf.a(0:1).onExit", ""))
	tell(t, e, propagate.PodFailed("wf.a.onExit", ""))
	require.True(t, e.Complete())
	require.Equal(t, map[string]string{"wf.a": "Succeeded", "wf": "Succeeded"}, looks(e, "wf.a", "wf"))
}

// What a hook names is known (parameters, statuses), or the host is asked (results, functions that the library does not have).
func TestManifestExpressionsOfHooks(t *testing.T) {
	for _, c := range []struct{ name, expression, want string }{
		{"a parameter that holds", `workflow.status == "Running" && workflow.parameters.notify == "yes"`, "Start Pod wf.hooks.h"},
		{"one that does not", `workflow.status == "Running" && workflow.parameters.notify == "no"`, ""},
		{"a parameter that nobody knows", `workflow.parameters.other == "yes"`, `Resolve wf.hooks.h "workflow.parameters.other == \"yes\""`},
		{"a function", `sprig.contains("a", "abc")`, `Resolve wf.hooks.h "sprig.contains(\"a\", \"abc\")"`},
		{"a function beside what is known", `sprig.contains("a", "abc") && workflow.status == "Succeeded"`,
			`Resolve wf.hooks.h "sprig.contains(\"a\", \"abc\") && workflow.status == \"Succeeded\""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, actions := begun(t, "  arguments: {parameters: [{name: notify, value: 'yes'}]}\n  hooks:\n    h: {template: p, expression: '"+c.expression+"'}\n"+
				"  templates:\n  - {name: main, suspend: {}}\n"+plainPod)
			actions = append(actions, actionsOf(tell(t, e))...)
			if c.want == "" {
				assert.Len(t, actions, 1, "%v", actions)
			} else {
				assert.Contains(t, actions, c.want)
			}
		})
	}
	t.Run("the result of its own step", func(t *testing.T) {
		e, _ := begun(t, "  templates:\n  - name: main\n    steps:\n    - - name: a\n        template: p\n"+
			"        hooks: {big: {template: p, expression: 'steps.a.status == \"Succeeded\" && steps.a.outputs.result == \"big\"'}}\n"+plainPod)
		asks := []string{`Resolve wf[0].a.hooks.big "steps.a.status == \"Succeeded\" && steps.a.outputs.result == \"big\""`}
		require.Equal(t, asks, actionsOf(tell(t, e, propagate.PodRunning("wf[0].a"))))
		require.Empty(t, actionsOf(tell(t, e, propagate.Resolved("wf[0].a.hooks.big", false, ""))))
		require.Equal(t, asks, actionsOf(tell(t, e, propagate.PodSucceeded("wf[0].a"))), "it has ended")
		require.Equal(t, []string{"wf[0].a.hooks.big: condition"}, waitsFor(e))
		tell(t, e, propagate.Resolved("wf[0].a.hooks.big", true, ""))
		require.Equal(t, []string{"wf[0].a.hooks.big: start"}, waitsFor(e))
	})
}

// A retry expression that the library can't evaluate is an error of its node when it counts: nothing is tried again for ever.
func TestManifestExpressionOfARetry(t *testing.T) {
	e, _ := begun(t, "  templates:\n  - {name: main, retryStrategy: {limit: 2, expression: 'sprig.int(lastRetry.exitCode) > 1'}, container: {image: x}}\n")
	require.Equal(t, []string{"wf(0): start"}, waitsFor(e))
	failed := propagate.PodFailed("wf(0)", "m")
	failed.ExitCode, failed.HasExit = 2, true
	tell(t, e, failed)
	require.True(t, e.Complete())
	phase, message := e.Workflow()
	require.Equal(t, "Error", phase.String())
	require.Contains(t, message, "sprig")
}
