package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A host that says what changed comes to the same as one that lists all pods, whatever happens to them.
func TestSyncChangedIsSyncPods(t *testing.T) {
	const first = 1
	for seed := uint64(first); seed < first+50; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			text := `dag(many: retry(2, pod(x -> y)) over [a, b, c] -> after, d: daemon -> with)`
			listed, told := drawn(t, text), drawn(t, text)
			pods := make(map[string]propagate.PodStatus) // by node
			for step := 0; step < 60 && !listed.Complete(); step++ {
				changed, gone := mutate(r, listed, pods, step)
				var all []propagate.PodStatus
				for i := nodegraph.Entry; int(i) < listed.Graph().Len(); i++ {
					if p, ok := pods[listed.Graph().Node(i).Name()]; ok {
						all = append(all, p)
					}
				}
				_, err := listed.SyncPods(epoch, all)
				require.NoError(t, err)
				_, err = told.SyncChanged(epoch, changed, gone)
				require.NoError(t, err)
				require.NoError(t, told.Check())
				require.Empty(t, cmp.Diff(listed.Save(), told.Save()), "after step %d: changed %v, gone %v", step, changed, gone)
			}
		})
	}
}

// mutate makes pods that were asked for, and lets something happen to some of those that exist.
func mutate(r *rand.Rand, e *propagate.Engine, pods map[string]propagate.PodStatus, step int) (changed, gone []propagate.PodStatus) {
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		n, phase := e.Graph().Node(i), e.Verdict(i).Phase
		if n.Kind != nodegraph.KindPod || phase == nodegraph.PhasePlanned || r.IntN(2) == 0 {
			continue
		}
		p, exists := pods[n.Name()]
		switch {
		case !exists && !phase.Completed():
			p = podOf(n.Name(), fmt.Sprintf("%s-%d", n.Name(), step), "Pending")
		case !exists:
			continue
		case r.IntN(6) == 0:
			gone = append(gone, propagate.PodStatus{Node: n.Name(), UID: p.UID})
			delete(pods, n.Name())
			continue
		case p.Phase == "Pending":
			p.Phase, p.Containers = "Running", []propagate.ContainerStatus{running("x"), running("y"), running("main")}
			for k := range p.Containers {
				p.Containers[k].Ready = true
			}
		case p.Phase == "Running":
			p.Phase, p.Containers = []propagate.PodPhase{"Succeeded", "Failed"}[r.IntN(2)], nil
			p.Message = "boom"
		default:
			continue
		}
		pods[n.Name()] = p
		changed = append(changed, p)
	}
	return changed, gone
}

func TestSyncChangedNamesUnknownPods(t *testing.T) {
	e := drawn(t, `dag(a -> b)`)
	r, err := e.SyncChanged(epoch, []propagate.PodStatus{podOf("wf.b", "1", "Running"), podOf("wf.a", "2", "Running")},
		[]propagate.PodStatus{podOf("wf.nobody", "3", "")})
	require.NoError(t, err)
	require.Equal(t, []string{"wf.b"}, r.Unknown, "it was not asked for yet")
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	_, err = e.SyncChanged(epoch, nil, []propagate.PodStatus{podOf("wf.a", "older", "")})
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
	_, err = e.SyncChanged(epoch, []propagate.PodStatus{podOf("wf.a", "2", "Succeeded")}, nil, propagate.Suspended(true))
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	require.Equal(t, []string{"wf.b: unsuspend"}, waitsFor(e))
}

// What is gone is the pod that its node has, and nothing else.
func TestSyncChangedLosesPods(t *testing.T) {
	e := drawn(t, "dag(a, b -> c, d)")
	_, err := e.SyncChanged(epoch, []propagate.PodStatus{podOf("wf.a", "1", "Running"), podOf("wf.b", "2", "Running")}, nil)
	require.NoError(t, err)
	r, err := e.SyncChanged(epoch, nil, []propagate.PodStatus{podOf("wf.a", "0", ""), podOf("wf.c", "", ""), podOf("wf.d", "", ""), podOf("wf.nobody", "", "")})
	require.NoError(t, err)
	require.Equal(t, propagate.Result{Unknown: r.Unknown}, r)
	_, err = e.SyncChanged(epoch, nil, []propagate.PodStatus{podOf("wf.a", "1", "")})
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseError)
	expect(t, e, "wf.b", nodegraph.PhaseRunning)
	expect(t, e, "wf.c", nodegraph.PhasePlanned)
}

// A pod that had ended and whose results were on their way could vanish from the list of pods, and its node waited for the
// results for ever: they come with the pod, or not at all.
func TestResultsOfAPodThatIsNotListedAnyMore(t *testing.T) {
	for name, vanish := range map[string]func(*propagate.Engine) (propagate.Result, error){
		"all pods": func(e *propagate.Engine) (propagate.Result, error) { return e.SyncPods(epoch, nil) },
		"what changed": func(e *propagate.Engine) (propagate.Result, error) {
			return e.SyncChanged(epoch, nil, []propagate.PodStatus{podOf("wf.a", "1", "")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := drawn(t, "dag(a)")
			_, err := e.SyncPods(epoch, []propagate.PodStatus{podOf("wf.a", "1", "Succeeded")}, of("1", propagate.ResultPending("wf.a")))
			require.NoError(t, err)
			require.Equal(t, []string{"wf.a: result"}, waitsFor(e))
			_, err = vanish(e)
			require.NoError(t, err)
			expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
			require.True(t, e.Complete())
		})
	}
}
