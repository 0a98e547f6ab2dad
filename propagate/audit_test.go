package propagate_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Audit finds where a table of locks and an engine differ, and nothing where the host has done all that it was asked for.
func TestAudit(t *testing.T) {
	m := []nodegraph.Lock{{Key: mutexM, Limit: 1}}
	id := nodegraph.NodeID("wf", "wf.a")
	a := propagate.Holder{Workflow: "w", Node: id}
	byName := propagate.Holder{Workflow: "w", Node: "wf.a"}
	granted := func(e *propagate.Engine) { tell(t, e, propagate.LockGranted("wf.a")) }
	for _, c := range []struct {
		name string
		do   func(l *propagate.LockTable, e *propagate.Engine)
		want []string
	}{
		{"nothing was carried out yet", func(*propagate.LockTable, *propagate.Engine) {}, nil},
		{"all was carried out", func(l *propagate.LockTable, e *propagate.Engine) { l.Acquire(a, m); granted(e) }, nil},
		{"all was carried out, to the end", func(l *propagate.LockTable, e *propagate.Engine) {
			l.Acquire(a, m)
			granted(e)
			tell(t, e, propagate.PodSucceeded("wf.a"))
			l.Release(a)
		}, nil},
		{"it waits", func(l *propagate.LockTable, e *propagate.Engine) {
			l.Acquire(propagate.Holder{Workflow: "other"}, m)
			l.Acquire(a, m)
			tell(t, e, propagate.LockQueued("wf.a", mutexM, ""))
		}, nil},
		{"the release was forgotten", func(l *propagate.LockTable, e *propagate.Engine) {
			l.Acquire(a, m)
			granted(e)
			tell(t, e, propagate.PodSucceeded("wf.a"))
		}, []string{"w " + id + " default/Mutex/m: its node does not hold it: the release was forgotten"}},
		{"a wait was forgotten", func(l *propagate.LockTable, e *propagate.Engine) {
			l.Acquire(propagate.Holder{Workflow: "other"}, m)
			l.Acquire(a, m)
			tell(t, e, propagate.LockQueued("wf.a", mutexM, ""))
			tell(t, e, propagate.Shutdown("Terminate"))
		}, []string{"w " + id + " default/Mutex/m: it is queued, and its node does not wait for it: the release was forgotten"}},
		{"the grant was not told", func(l *propagate.LockTable, _ *propagate.Engine) { l.Acquire(a, m) },
			[]string{"w " + id + " default/Mutex/m: it was granted, and the engine was not told so by LockGranted"}},
		{"the holder is named by name", func(l *propagate.LockTable, e *propagate.Engine) { l.Acquire(byName, m); granted(e) }, []string{
			"w " + id + " default/Mutex/m: its node holds it, and the table knows nothing of that: the engine was not adopted, or the holder is named otherwise",
			"w wf.a default/Mutex/m: the holder is named by the name of its node, whose id is " + id}},
		{"the holder is nobody", func(l *propagate.LockTable, _ *propagate.Engine) {
			l.Acquire(propagate.Holder{Workflow: "w", Node: "x"}, m)
		},
			[]string{"w x default/Mutex/m: no node has this id"}},
		{"nothing asked for the workflow's lock", func(l *propagate.LockTable, _ *propagate.Engine) { l.Acquire(propagate.Holder{Workflow: "w"}, m) },
			[]string{"w default/Mutex/m: its node does not hold it: the release was forgotten"}},
		{"the engine was not adopted", func(_ *propagate.LockTable, e *propagate.Engine) { granted(e) }, []string{
			"w " + id + " default/Mutex/m: its node holds it, and the table knows nothing of that: the engine was not adopted, or the holder is named otherwise"}},
		{"the wait was not entered", func(_ *propagate.LockTable, e *propagate.Engine) {
			tell(t, e, propagate.LockQueued("wf.a", mutexM, ""))
		},
			[]string{"w " + id + " default/Mutex/m: its node waits for it, and is not queued"}},
		{"it holds another lock", func(l *propagate.LockTable, e *propagate.Engine) {
			l.Acquire(a, []nodegraph.Lock{{Key: "default/Mutex/n"}})
			granted(e)
		}, []string{"w " + id + " default/Mutex/m: its node needs it, and holds others", "w " + id + " default/Mutex/n: its node does not need it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l propagate.LockTable
			e := drawn(t, "dag(a: mutex(m, pod), hold: suspend)")
			c.do(&l, e)
			if diff := cmp.Diff(c.want, l.Audit("w", e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			require.Empty(t, l.Audit("another", drawn(t, "dag(a)")), "each workflow is looked at alone")
		})
	}
}

// What a workflow has that does not exist any more is found, too.
func TestAuditOfAWorkflowThatIsGone(t *testing.T) {
	var l propagate.LockTable
	l.Acquire(propagate.Holder{Workflow: "w", Node: "n"}, []nodegraph.Lock{{Key: mutexM}})
	require.Equal(t, "[w n default/Mutex/m: its workflow does not exist any more]", fmt.Sprint(l.Audit("w", nil)))
	l.Forget("w")
	require.Empty(t, l.Audit("w", nil))
}
