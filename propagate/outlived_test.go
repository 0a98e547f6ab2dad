package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

const textClosed = "closed: what it is inside of has ended"

// In a workflow that is on record as complete nothing is open, whatever the record says of what is inside. It is complete
// before and after the first call, in the phase on record, and asks for nothing but the end of pods that live on and for the
// release of locks. What it is stored as makes the same engine once more.
func TestNothingIsOpenInACompleteRecord(t *testing.T) {
	const pending, runs, ended, failed = nodegraph.PhasePending, nodegraph.PhaseRunning, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed
	pod := func(name string, phase nodegraph.Phase) nodegraph.NodeStatus {
		return onRecord(name, nodegraph.KindPod, phase)
	}
	ready := func(n nodegraph.NodeStatus) nodegraph.NodeStatus { n.Daemoned = true; return n }
	for _, c := range []struct {
		why, text string
		entry     nodegraph.NodeStatus
		nodes     []nodegraph.NodeStatus
		closed    string // the node that is looked at
		want      string
		alive     []string // nodes whose pods are listed as Running
		actions   []string
	}{
		{"a pod", "dag(a, b)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{pod("wf.a", runs), pod("wf.b", failed)},
			"wf.a", "Failed: " + textClosed, []string{"wf.a"}, []string{`Terminate wf.a "` + textClosed + `"`}},
		{"a pod that nobody lists", "dag(a, b)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{pod("wf.a", pending), pod("wf.b", failed)},
			"wf.a", "Failed: " + textClosed, nil, nil},
		{"a later group of Steps, with what is inside", "steps(a | b)", onRecord("wf", nodegraph.KindSteps, failed),
			[]nodegraph.NodeStatus{onRecord("wf[0]", nodegraph.KindStepGroup, failed), pod("wf[0].a", failed), onRecord("wf[1]", nodegraph.KindStepGroup, runs), pod("wf[1].b", runs)},
			"wf[1]", "Failed: " + textClosed, []string{"wf[1].b"}, []string{`Terminate wf[1].b "` + textClosed + `"`}},
		{"a step inside a group that ended", "steps(a, b)", onRecord("wf", nodegraph.KindSteps, failed),
			[]nodegraph.NodeStatus{onRecord("wf[0]", nodegraph.KindStepGroup, failed), pod("wf[0].a", failed), pod("wf[0].b", runs)},
			"wf[0].b", "Failed: " + textClosed, []string{"wf[0].b"}, []string{`Terminate wf[0].b "` + textClosed + `"`}},
		{"a Retry that was to try again", "dag(a: retry(2, pod), b)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{onRecord("wf.a", nodegraph.KindRetry, runs), pod("wf.a(0)", failed), pod("wf.b", failed)},
			"wf.a", "Failed: " + textClosed, nil, nil},
		{"an attempt inside a Retry that ended", "dag(a: retry(2, pod))", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{onRecord("wf.a", nodegraph.KindRetry, failed), pod("wf.a(0)", failed), pod("wf.a(1)", pending)},
			"wf.a(1)", "Failed: " + textClosed, []string{"wf.a(1)"}, []string{`Terminate wf.a(1) "` + textClosed + `"`}},
		{"a hook", "dag(a exit pod)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{pod("wf.a", failed), pod("wf.a.onExit", pending)},
			"wf.a.onExit", "Failed: " + textClosed, []string{"wf.a.onExit"}, []string{`Terminate wf.a.onExit "` + textClosed + `"`}},
		{"a container", "dag(a: pod(x, main))", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{pod("wf.a", runs), onRecord("wf.a.x", nodegraph.KindContainer, ended), onRecord("wf.a.main", nodegraph.KindContainer, runs)},
			"wf.a.main", "Failed: " + textClosed, []string{"wf.a"}, []string{`Terminate wf.a "` + textClosed + `"`}},
		{"a ready daemon", "dag(a: daemon, b)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{ready(pod("wf.a", runs)), pod("wf.b", failed)},
			"wf.a", "Succeeded", []string{"wf.a"}, []string{`Terminate wf.a "its boundary has ended"`}},
		{"a ready daemon in a Retry", "dag(a: retry(1, daemon), b)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{ready(onRecord("wf.a", nodegraph.KindRetry, runs)), ready(pod("wf.a(0)", runs)), pod("wf.b", failed)},
			"wf.a", "Succeeded", nil, nil},
		{"a Suspend", "dag(a: suspend)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{onRecord("wf.a", nodegraph.KindSuspend, runs)},
			"wf.a", "Failed: " + textClosed, nil, nil},
		{"an HTTP node", "dag(a: http)", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{onRecord("wf.a", nodegraph.KindHTTP, pending)},
			"wf.a", "Failed: " + textClosed, nil, nil},
		{"what holds a lock", "dag(a: mutex(m, pod))", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{pod("wf.a", runs)},
			"wf.a", "Failed: " + textClosed, []string{"wf.a"}, []string{"Release wf.a default/Mutex/m", `Terminate wf.a "` + textClosed + `"`}},
		{"a composite that its members end", "dag(x: dag(a))", onRecord("wf", nodegraph.KindDAG, failed),
			[]nodegraph.NodeStatus{onRecord("wf.x", nodegraph.KindDAG, runs), pod("wf.x.a", ended)},
			"wf.x", "Succeeded", nil, nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			spec, err := nodegraph.Parse(c.text)
			require.NoError(t, err)
			e, unknown, err := propagate.FromSnapshot(spec, nodegraph.Snapshot{
				Phase: failed, Message: "as recorded", Started: epoch, Finished: epoch, Nodes: append(c.nodes, c.entry),
			})
			require.NoError(t, err)
			require.Empty(t, unknown)
			check := func(e *propagate.Engine) {
				require.NoError(t, e.Check())
				require.Equal(t, map[string]string{"wf": c.entry.Phase.String(), c.closed: c.want}, looks(e, "wf", c.closed))
				phase, message := e.Workflow()
				require.Equal(t, "Failed as recorded", phase.String()+" "+message)
				require.Empty(t, e.Obligations())
			}
			check(e)
			check(restored(t, e))
			check(reloaded(t, e))
			var pods []propagate.PodStatus
			for _, node := range c.alive {
				pods = append(pods, podOf(node, "uid-"+node, "Running", running("main")))
			}
			require.Equal(t, c.actions, actionsOf(listed(t, e, pods...)))
			check(e)
			for k := range pods {
				pods[k].Phase = "Failed"
			}
			require.Empty(t, listed(t, e, pods...).Actions, "nothing lives any more")
			check(restored(t, e))
		})
	}
}

// The end of a pod is asked for as long as it is listed alive, also by an engine that was loaded: the host that was asked first
// may have crashed before it did it. One that ends by itself is left alone.
func TestPodsThatOutliveTheirWorkflow(t *testing.T) {
	e := drawn(t, "dag(a, d: daemon)")
	pods := []propagate.PodStatus{podOf("wf.a", "a", "Running", running("main")), podOf("wf.d", "d", "Running", running("main"))}
	listed(t, e, pods...)
	tell(t, e, propagate.Shutdown("Terminate"))
	require.True(t, e.Complete())
	for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e), e} {
		require.ElementsMatch(t, []string{
			`Terminate wf.a "workflow shutdown with strategy:  Terminate"`, `Terminate wf.d "its boundary has ended"`,
		}, actionsOf(listed(t, again, pods...)))
	}
	pods[0] = podOf("wf.a", "a", "Failed", terminated("main", 143))
	require.Equal(t, []string{`Terminate wf.d "its boundary has ended"`}, actionsOf(listed(t, e, pods...)))
	require.Empty(t, listed(t, e).Actions)

	e = drawn(t, "dag(a)")
	listed(t, e, podOf("wf.a", "a", "Succeeded", terminated("main", 0)))
	require.Empty(t, listed(t, e, podOf("wf.a", "a", "Running", running("main"))).Actions, "it was not stopped, and a list may be old")
	require.Equal(t, []string{`Terminate wf.a "its node has ended"`}, actionsOf(listed(t, e, podOf("wf.a", "b", "Running", running("main")))), "it is another")
}

// Where the workflow goes on, too, a pod that is listed alive is to be ended until it is not, if its node was ended without it.
func TestPodsThatOutliveTheirNode(t *testing.T) {
	e := drawn(t, "dag(d: dag(b: daemon), hold: suspend)")
	pods := []propagate.PodStatus{podOf("wf.d.b", "b", "Running", running("main"))}
	require.Contains(t, actionsOf(listed(t, e, pods...)), `Terminate wf.d.b "its boundary has ended"`)
	require.False(t, e.Complete())
	for _, again := range []*propagate.Engine{e, reloaded(t, e), restored(t, e), e} {
		require.Equal(t, []string{`Terminate wf.d.b "its boundary has ended"`}, actionsOf(listed(t, again, pods...)))
	}
	require.Empty(t, listed(t, e, podOf("wf.d.b", "b", "Failed", terminated("main", 143))).Actions)
}
