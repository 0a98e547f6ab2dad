package reconcile_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// A call with a decoded object returns what a call with its text returns.
func TestReconcileObject(t *testing.T) {
	all, err := filepath.Glob("../../testdata/recordings/*/*")
	require.NoError(t, err)
	for k := 0; k < len(all); k += *every {
		t.Run(filepath.Base(all[k]), func(t *testing.T) {
			s := scriptOf(t, all[k])
			h := newStateless(t, s)
			decoded := reconcile.Reconciler{Answer: noCache, Limit: semaphores}
			require.NoError(t, decoded.Adopt(s.object))
			for k := range s.Frames {
				f := &s.Frames[k]
				var o map[string]any
				require.NoError(t, json.Unmarshal(h.object, &o))
				want, err := h.Reconcile(f.Now, h.object, f.Pods)
				require.NoError(t, err)
				got, err := decoded.ReconcileObject(f.Now, o, f.Pods)
				require.NoError(t, err)
				require.Equal(t, string(want.Patch), string(got.Patch), "frame %d: the patch", k)
				require.Equal(t, actions(want), actions(got), "frame %d: actions", k)
				_, err = argo.DecodePatch(got.Patch)
				require.NoError(t, err)
				h.object = patched(t, h.object, want.Patch)
				for n := range want.Actions {
					if a := &want.Actions[n]; a.Type == propagate.ActionRelease {
						h.Release(want.Workflow, a)
						decoded.Release(want.Workflow, a)
					}
				}
			}
		})
	}
}
