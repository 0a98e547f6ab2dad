package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What the host can't answer ends in Error, and what comes after it goes on from there.
func TestUnanswerable(t *testing.T) {
	for name, task := range map[string]nodegraph.Task{
		"a condition": {When: "{{tasks.x.outputs.result}} == 1"},
		"a loop":      {Loop: &nodegraph.Loop{Unresolved: "{{tasks.x.outputs.result}}"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := drawnWith(t, "dag(a -> b)", func(spec *nodegraph.Spec) {
				for _, template := range spec.Templates {
					for k := range template.Tasks {
						if at := &template.Tasks[k]; at.Name == "a" {
							at.When, at.Loop = task.When, task.Loop
						}
					}
				}
			})
			tell(t, e, propagate.Unanswerable("wf.a", "no outputs are kept"))
			expect(t, e, "wf.a", nodegraph.Error)
			expect(t, e, "wf.b", nodegraph.Omitted)
			require.True(t, e.Complete())
			require.Equal(t, "no outputs are kept", e.Explain(e.Graph().Find("wf.a"))[0].Message)
			again := restored(t, e)
			require.True(t, again.Complete())
		})
	}
}

// It says nothing of a node about which nothing was asked.
func TestUnanswerableWithoutAQuestion(t *testing.T) {
	e := drawn(t, "dag(a -> b)")
	before := e.Save()
	tell(t, e, propagate.Unanswerable("wf.a", "?"))
	tell(t, e, propagate.Unanswerable("wf.b", "?"))
	require.Equal(t, before, e.Save())
}
