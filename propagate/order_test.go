package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

// The changes of a call come deepest first and then in the order of the graph, whichever event brought them about; what
// starts does so as Argo visits the tasks, and that the workflow is complete is said last.
func TestOrderOfAResult(t *testing.T) {
	e := drawn(t, "dag(z: dag(y, x) -> w, b, a, {b, a} -> c)")
	r := tell(t, e, propagate.PodSucceeded("wf.a"), propagate.PodSucceeded("wf.z.x"), propagate.PodSucceeded("wf.b"), propagate.PodSucceeded("wf.z.y"))
	require.Equal(t, []string{
		"Pod wf.z.y: Pending -> Succeeded", "Pod wf.z.x: Pending -> Succeeded",
		"DAG wf.z: Running -> Succeeded", "Pod wf.w: (new) -> Pending", "Pod wf.b: Pending -> Succeeded",
		"Pod wf.a: Pending -> Succeeded", "Pod wf.c: (new) -> Pending",
	}, texts(r.Changes))
	require.Equal(t, []string{"Start Pod wf.c", "Start Pod wf.w"}, texts(r.Actions))

	r = tell(t, e, propagate.PodSucceeded("wf.c"), propagate.PodSucceeded("wf.w"))
	require.Equal(t, []string{
		"Pod wf.w: Pending -> Succeeded", "Pod wf.c: Pending -> Succeeded", "DAG wf: Running -> Succeeded", "Workflow wf: Running -> Succeeded",
	}, texts(r.Changes))
	require.Equal(t, []string{"Complete"}, texts(r.Actions))
}

// texts shows each in one line.
func texts[T interface{ String() string }](list []T) []string {
	var lines []string
	for _, one := range list {
		lines = append(lines, one.String())
	}
	return lines
}
