package reconcile_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// twins are two hosts that see the same objects and pods: one begins with each call from scratch, the other keeps the workflow.
type twins struct {
	scratch, keeper reconcile.Reconciler
	kept            *reconcile.Kept
	object          []byte
	engine          *propagate.Engine
	before          []propagate.PodStatus // told of
}

func newTwins(t *testing.T, object []byte) *twins {
	p := &twins{scratch: reconcile.Reconciler{Answer: noCache}, keeper: reconcile.Reconciler{Answer: noCache}, object: object}
	p.kept = p.keeper.Keep()
	require.NoError(t, p.scratch.Adopt(object))
	require.NoError(t, p.keeper.Adopt(object))
	return p
}

func (p *twins) play(t *testing.T, s *script, k int) (stats [2]int) {
	f := &s.Frames[k]
	if spec := s.respecified(k); spec != nil {
		p.object = withSpec(t, p.object, spec)
	}
	var events []propagate.Event
	if p.engine != nil {
		events = s.resumed(k, p.engine)
	}
	for range mostCalls {
		want, err := p.scratch.Reconcile(f.Now, p.object, f.Pods, events...)
		require.NoError(t, err)
		got, err := p.kept.Reconcile(f.Now, p.object, f.Pods, events...)
		require.NoError(t, err)
		require.NoError(t, got.Engine.Check())
		if diff := cmp.Diff(looks(want.Engine), looks(got.Engine)); diff != "" {
			t.Fatalf("frame %d, %v: (-from scratch, +kept)\n%s", k, f.Events, diff)
		}
		if string(want.Patch) != string(got.Patch) {
			var a, b any
			_ = json.Unmarshal(want.Patch, &a)
			_ = json.Unmarshal(got.Patch, &b)
			d := cmp.Diff(a, b)
			if d == "" {
				n := 0
				for n < len(want.Patch) && want.Patch[n] == got.Patch[n] {
					n++
				}
				d = "ORDER ALONE\n" + string(want.Patch[max(0, n-200):min(len(want.Patch), n+250)]) + "\n" + string(got.Patch[max(0, n-200):min(len(want.Patch), n+250)])
			}
			if len(d) > 1500 {
				d = d[:1500]
			}
			t.Fatalf("frame %d, %v:\n%s", k, f.Events, d)
		}
		require.ElementsMatch(t, actions(want), actions(got), "frame %d", k)
		require.Empty(t, cmp.Diff([]any{want.Others, want.Reset, want.Unknown}, []any{got.Others, got.Reset, got.Unknown}, cmpopts.EquateEmpty()), "frame %d", k)
		p.object, p.engine, events = patched(t, p.object, want.Patch), want.Engine, nil
		again := !want.Wake.IsZero() && !want.Wake.After(f.Now) || slices.Contains(want.Others, want.Workflow)
		for k := range want.Actions {
			if a := &want.Actions[k]; a.Type == propagate.ActionRelease {
				again = slices.Contains(p.scratch.Release(want.Workflow, a), want.Workflow) || again
				p.keeper.Release(want.Workflow, a)
			}
		}
		if !again {
			return
		}
	}
	t.Fatalf("asks for ever")
	return
}

func TestKeptIsAsFromScratch(t *testing.T) {
	all, err := filepath.Glob("../../testdata/recordings/*/*")
	require.NoError(t, err)
	for k := 0; k < len(all); k += *every {
		t.Run(filepath.Base(all[k]), func(t *testing.T) {
			s := scriptOf(t, all[k])
			p := newTwins(t, s.object)
			for k := range s.Frames {
				p.play(t, s, k)
			}
		})
	}
}
