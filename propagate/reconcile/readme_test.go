package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// A recordedCluster is what the README's controller has around it while a recording is played. Its pods are those of the recording;
// what the controller does to them is noted.
type recordedCluster struct {
	t       *testing.T
	now     time.Time
	object  []byte
	again   bool // the workflow was enqueued
	started []string
	deleted []string
}

func (c *recordedCluster) Now() time.Time { return c.now }

func (c *recordedCluster) Patch(_ string, patch []byte) error {
	c.object = patched(c.t, c.object, patch)
	return nil
}

func (c *recordedCluster) Start(_ string, a *propagate.Action) {
	if !slices.Contains(c.started, a.Name) { // once more is as good as once
		c.started = append(c.started, a.Name)
	}
}

func (c *recordedCluster) DeletePod(_ string, a *propagate.Action) {
	if !slices.Contains(c.deleted, a.Name) {
		c.deleted = append(c.deleted, a.Name)
	}
}

func (c *recordedCluster) Enqueue(workflows ...string) { c.again = c.again || len(workflows) > 0 }

func (c *recordedCluster) EnqueueAt(at time.Time, _ string) {
	c.again = c.again || !at.IsZero() && !at.After(c.now)
}

// The controller of the README shows in its object what an engine shows that never restarted, frame by frame, makes the same pods
// and ends the same pods, where users or time stop the workflow, hold it, or its nodes share a lock.
func TestTheControllerOfTheReadme(t *testing.T) {
	for _, name := range []string{
		"shutdown-terminate", "shutdown-stop-exit-handler", "stop-nested-v3.6", "hook-stop",
		"deadline-workflow", "deadline-wf-steps", "mutex-waiting-deadline",
		"template-mutex", "mutex-crossed", "mutex-with-items", "mutex-several-overlap", "sem-two-slots",
		"suspend-workflow", "suspend-duration", "suspend-terminate-dur",
	} {
		t.Run(name, func(t *testing.T) {
			s := scriptOf(t, recordingFile(t, name))
			kept, c := newLasting(t, s), &recordedCluster{t: t, object: s.object}
			workflows = reconcile.Reconciler{Limit: semaphores, Answer: noCache}
			defer func() { workflows = reconcile.Reconciler{} }()
			require.NoError(t, workflows.Adopt(s.object))
			var made, ended []string
			for k := range s.Frames {
				for _, a := range kept.play(t, s, k) {
					served := a.Kind == nodegraph.KindPod || a.Kind == nodegraph.KindHTTP || a.Kind == nodegraph.KindPlugin
					switch {
					case a.Type == propagate.ActionStart && served, a.Type == propagate.ActionRecreate:
						made = append(made, a.Name)
					case a.Type == propagate.ActionTerminate:
						ended = append(ended, a.Name)
					}
				}
				c.play(s, k)
				require.Empty(t, cmp.Diff(recorded(t, kept.e, nil), recorded(t, nil, c.object)), "frame %d", k)
			}
			require.ElementsMatch(t, slices.Compact(slices.Sorted(slices.Values(made))), c.started)
			require.ElementsMatch(t, slices.Compact(slices.Sorted(slices.Values(ended))), c.deleted)
		})
	}
}

// play calls the controller with frame k until it is not enqueued any more.
func (c *recordedCluster) play(s *script, k int) {
	f := &s.Frames[k]
	if spec := s.respecified(k); spec != nil {
		c.object = withSpec(c.t, c.object, spec)
	}
	c.now = f.Now
	for range mostCalls {
		c.again = false
		require.NoError(c.t, changed(c, c.object, f.Pods))
		if !c.again {
			return
		}
	}
	c.t.Fatal("it enqueues itself for ever")
}

// recorded is what an engine would store, or what an object holds.
func recorded(t *testing.T, e *propagate.Engine, object []byte) map[string]string {
	s := nodegraph.Snapshot{}
	if e != nil {
		s = e.Snapshot()
	} else {
		w, err := argo.Read(object)
		require.NoError(t, err)
		s = w.Snapshot
	}
	all := map[string]string{"(workflow)": s.Phase.String() + " " + s.Message}
	for _, n := range s.Nodes {
		all[n.Name] = fmt.Sprint(n.Kind, " ", n.Phase, " ", n.Message, " daemoned ", n.Daemoned, " waits for ", n.WaitsFor)
	}
	return all
}
