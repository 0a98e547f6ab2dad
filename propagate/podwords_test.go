package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What is said of a pod as it goes through its states, as in Argo (assessNodeStatus): what was said of one that runs stays, and what
// was said of one that waited is over once it runs. Each line is one state after the other; an engine that was loaded or
// restored in between says the same.
func TestWhatIsSaidOfAPod(t *testing.T) {
	wait := propagate.ContainerStatus{Name: "wait", Running: true, Ready: true}
	stored := propagate.ContainerStatus{Name: "wait", Terminated: true, Finished: epoch}
	pod := func(phase propagate.PodPhase, containers ...propagate.ContainerStatus) propagate.PodStatus {
		return podOf("wf.a", "1", phase, containers...)
	}
	unready := propagate.ContainerStatus{Name: "main", Running: true}
	pulling := pod("Pending", propagate.ContainerStatus{Name: "main", Waiting: true, Reason: "ContainerCreating"})
	unknown, lost := pod("Unknown", wait), pod("Unknown", stored)
	running, ready, done := pod("Running", wait, unready), pod("Running", wait), pod("Succeeded", stored)
	const unexpected = "Unexpected pod phase for pod-of-wf.a: Unknown"
	type state struct {
		pod  propagate.PodStatus
		want string
	}
	for text, cases := range map[string][][]state{
		"dag(a, b: suspend)": {
			{{pulling, "Pending: ContainerCreating"}, {running, "Running"}, {done, "Succeeded"}},
			{{pulling, "Pending: ContainerCreating"}, {done, "Succeeded"}},
			{{ready, "Running"}, {unknown, "Running: " + unexpected}, {running, "Running: " + unexpected}, {done, "Succeeded: " + unexpected}, {done, "Succeeded: " + unexpected}},
			{{pulling, "Pending: ContainerCreating"}, {unknown, "Pending: " + unexpected}, {running, "Running"}},
			{{ready, "Running"}, {lost, "Error: " + unexpected}},
			{{pulling, "Pending: ContainerCreating"}, {pod("Succeeded", wait), "Pending: ContainerCreating"}, {done, "Succeeded"}},
			{{ready, "Running"}, {pod("Succeeded", wait), "Running"}, {done, "Succeeded"}},
		},
		"dag(a: daemon, b: suspend)": {
			{{pulling, "Pending: ContainerCreating"}, {running, "Pending: ContainerCreating"}, {done, "Failed: ContainerCreating"}, {done, "Failed: ContainerCreating"}},
			{{pulling, "Pending: ContainerCreating"}, {done, "Failed: ContainerCreating"}},
			{{pulling, "Pending: ContainerCreating"}, {ready, "Running"}, {done, "Failed"}},
			{{ready, "Running"}, {unknown, "Running: " + unexpected}, {ready, "Running: " + unexpected}},
			{{pulling, "Pending: ContainerCreating"}, {running, "Pending: ContainerCreating"}, {ready, "Running"}, {done, "Failed"}},
		},
	} {
		for _, states := range cases {
			for _, again := range []func(testing.TB, *propagate.Engine) *propagate.Engine{
				func(_ testing.TB, e *propagate.Engine) *propagate.Engine { return e }, reloaded, restored,
			} {
				e := drawn(t, text)
				for k, s := range states {
					listed(t, e, s.pod)
					assert.Equal(t, map[string]string{"wf.a": s.want}, looks(e, "wf.a"), "%s, state %d of %v", text, k, states)
					e = again(t, e)
					assert.Equal(t, map[string]string{"wf.a": s.want}, looks(e, "wf.a"), "%s, state %d of %v, once more", text, k, states)
				}
			}
		}
	}
}

// What is said of a pod that holds a lock is taken away with the words about the lock, in each reconcile.
func TestNothingIsSaidOfAPodWithALock(t *testing.T) {
	e := drawn(t, "dag(a: mutex(m, pod), b: suspend)")
	tell(t, e, propagate.LockGranted("wf.a"))
	running := propagate.ContainerStatus{Name: "wait", Running: true, Ready: true}
	for _, phase := range []propagate.PodPhase{"Running", "Unknown", "Running"} {
		listed(t, e, podOf("wf.a", "1", phase, running))
		assert.Equal(t, map[string]string{"wf.a": "Running"}, looks(e, "wf.a"), phase)
	}
	_, err := e.SyncPods(epoch, []propagate.PodStatus{podOf("wf.a", "1", "Succeeded", propagate.ContainerStatus{Name: "main", Terminated: true, Finished: epoch})})
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	assert.Equal(t, map[string]string{"wf.a": "Succeeded"}, looks(e, "wf.a"))
}
