package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// A lasting host keeps its engine, which is never made anew. It acts in the order of one that stores before it acts: locks go
// back after each call.
type lasting struct {
	e         *propagate.Engine
	locks     propagate.LockTable
	now, wake time.Time
	pods      []propagate.PodStatus
	listed    bool // the engine was told of them
	asked     []propagate.Action
	shutdown  string
	suspended bool
}

func newLasting(t *testing.T, s *script) *lasting {
	w, err := argo.Read(s.object)
	require.NoError(t, err)
	w.Spec.EachLock(func(l *nodegraph.Lock) {
		if l.Limit == 0 {
			l.Limit, _ = semaphores(l.Key)
		}
	})
	e, err := propagate.New(w.Spec)
	require.NoError(t, err)
	return &lasting{e: e, suspended: w.Spec.Suspended}
}

// Call implements [propagate.Host].
func (h *lasting) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	if h.listed {
		return h.e.Apply(h.now, events...)
	}
	h.listed = true
	return h.e.SyncPods(h.now, h.pods, events...)
}

// Do implements [propagate.Host].
func (h *lasting) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionWake:
		h.wake = a.At
	case propagate.ActionAcquire:
		return h.locks.Answer(workflow, a), nil
	case propagate.ActionLookup:
		return []propagate.Notice{{Workflow: workflow, Event: propagate.Memoized(a.ID, false)}}, nil
	default:
		h.asked = append(h.asked, *a)
	}
	return nil, nil
}

// play calls the engine with frame k until nothing more follows, and returns what it asked for.
func (h *lasting) play(t *testing.T, s *script, k int) (all []propagate.Action) {
	f := &s.Frames[k]
	events := append(s.resumed(k, h.e), h.said(f.Shutdown, f.Held)...)
	for range mostCalls {
		h.now, h.pods, h.listed, h.asked = f.Now, f.Pods, false, nil
		if !h.wake.After(f.Now) {
			h.wake = time.Time{}
		}
		require.NoError(t, propagate.Drive(h, "w", events...))
		all, events = append(all, h.asked...), nil
		for k := range h.asked {
			if a := &h.asked[k]; a.Type == propagate.ActionRelease {
				for _, n := range h.locks.Answer("w", a) {
					events = append(events, n.Event)
				}
			}
		}
		if len(events) == 0 && (h.wake.IsZero() || h.wake.After(f.Now)) {
			return all
		}
	}
	t.Fatalf("at %v it asks to be called again for ever", f.Now)
	return nil
}

// said are the events for what users have written into the object.
func (h *lasting) said(shutdown string, suspended bool) (events []propagate.Event) {
	if h.e.Complete() {
		return nil
	}
	if shutdown != h.shutdown && shutdown != "" {
		events = append(events, propagate.Shutdown(shutdown))
	}
	if suspended != h.suspended {
		events = append(events, propagate.Suspended(suspended))
	}
	h.shutdown, h.suspended = shutdown, suspended
	return events
}
