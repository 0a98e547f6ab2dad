package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// shown are the actions of a result, one in a line.
func shown(r propagate.Result) []string {
	var lines []string
	for _, a := range r.Actions {
		lines = append(lines, a.String())
	}
	return lines
}

// A field of a template that only the host knows is a question, before a node of the template starts and for no other node.
func TestTheHostIsAskedForFieldsOfATemplate(t *testing.T) {
	const spec = `spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: p}
      - {name: b, depends: a, template: slow, arguments: {parameters: [{name: limit, value: "{{tasks.a.outputs.result}}"}]}}
      - {name: c, depends: a, template: slow, arguments: {parameters: [{name: limit, value: "2"}]}}
  - {name: p, container: {}}
  - {name: slow, inputs: {parameters: [{name: limit}]}, container: {}, retryStrategy: {limit: "{{inputs.parameters.limit}}"}}
`
	const question = "spec.templates[2].retryStrategy.limit: {{inputs.parameters.limit}}"
	begun := func(t *testing.T) *propagate.Engine {
		e := manifest(t, spec)
		r, err := e.Apply(epoch)
		require.NoError(t, err)
		require.Equal(t, []string{"Start DAG wf", "Start Pod wf.a"}, shown(r))
		r, err = e.Apply(epoch, propagate.PodSucceeded("wf.a"))
		require.NoError(t, err)
		require.Equal(t, []string{`Resolve wf.b "` + question + `"`, "Start Retry wf.c", "Start Pod wf.c(0)"}, shown(r))
		require.NoError(t, e.Check())
		return e
	}
	t.Run("it waits for the answer", func(t *testing.T) {
		var b propagate.Obligation
		for _, o := range begun(t).Obligations() {
			if o.Name == "wf.b" {
				b = o
			}
		}
		assert.Equal(t, propagate.WaitCondition, b.For)
		assert.Equal(t, "only the host knows "+question, b.Message)
	})
	t.Run("the host sees to it", func(t *testing.T) {
		r, err := begun(t).Apply(epoch, propagate.Resolved("wf.b", true, ""))
		require.NoError(t, err)
		assert.Equal(t, []string{"Start Retry wf.b", "Start Pod wf.b(0)"}, shown(r))
	})
	t.Run("the host can't", func(t *testing.T) {
		e := begun(t)
		_, err := e.Apply(epoch, propagate.Unanswerable("wf.b", question+" has no value"))
		require.NoError(t, err)
		phase, message := e.Phase(e.Graph().Find("wf.b"))
		assert.Equal(t, nodegraph.PhaseError, phase)
		assert.Equal(t, question+" has no value", message)
	})
	t.Run("after a restart it is asked again", func(t *testing.T) {
		e := begun(t)
		again, rest, err := propagate.FromState(e.Graph().Spec(), e.Save())
		require.NoError(t, err)
		require.Empty(t, rest)
		r, err := again.Apply(epoch)
		require.NoError(t, err)
		assert.Contains(t, shown(r), `Resolve wf.b "`+question+`"`)
	})
}

// An entry node and a hook have no condition, and are asked about like any other node.
func TestTheHostIsAskedForFieldsOfAnEntryAndAHook(t *testing.T) {
	e := manifest(t, `spec:
  entrypoint: p
  hooks: {exit: {template: p}}
  templates:
  - {name: p, container: {}, timeout: "{{workflow.parameters.none}}"}
`)
	const question = ` "spec.templates[0].timeout: {{workflow.parameters.none}}"`
	r, err := e.Apply(epoch)
	require.NoError(t, err)
	assert.Equal(t, []string{"Resolve wf" + question}, shown(r))
	r, err = e.Apply(epoch, propagate.Resolved("wf", true, ""))
	require.NoError(t, err)
	assert.Equal(t, []string{"Start Pod wf"}, shown(r))
	r, err = e.Apply(epoch, propagate.PodSucceeded("wf"))
	require.NoError(t, err)
	assert.Equal(t, []string{"Resolve wf.onExit" + question}, shown(r))
	_, err = e.Apply(epoch, propagate.Resolved("wf.onExit", false, ""))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"wf": "Succeeded"}, phases(e))
	require.NoError(t, e.Check())
}

// The items of one loop may run different templates; one that can't run is an error of its item.
func TestItemsRunTemplatesOfTheirOwn(t *testing.T) {
	e := manifest(t, `spec:
  entrypoint: main
  templates:
  - {name: main, dag: {tasks: [{name: a, templateRef: {name: lib, template: "{{item}}"}, withItems: [none, p, hold]}]}}
status:
  storedTemplates:
    namespaced/lib/p: {name: p, container: {}}
    namespaced/lib/hold: {name: hold, suspend: {}}
`)
	r, err := e.Apply(epoch)
	require.NoError(t, err)
	assert.Equal(t, []string{"Start DAG wf", "Start TaskGroup wf.a", "Start Pod wf.a(1:p)", "Start Suspend wf.a(2:hold)"}, shown(r))
	assert.Equal(t, map[string]string{"wf": "Running", "wf.a": "Running", "wf.a(0:none)": "Error", "wf.a(1:p)": "Pending", "wf.a(2:hold)": "Running"}, phases(e))
	require.NoError(t, e.Check())
	recorded := make(map[string]string)
	for _, n := range e.Snapshot().Nodes {
		recorded[n.Name] = n.Template
	}
	assert.Equal(t, "namespaced/lib/p", recorded["wf.a(1:p)"])
}
