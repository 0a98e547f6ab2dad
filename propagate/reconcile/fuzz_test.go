package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// Whatever the object says and the pods look like, a call gives an error that says where or an engine that passes its check, and
// so does the call after it, with what the first has stored.
func FuzzReconcile(f *testing.F) {
	for _, c := range propagatetest.Cases() {
		for _, spec := range c.Workflows {
			object := propagatetest.Manifest(spec)
			f.Add(object, "Running", uint32(1))
			var r reconcile.Reconciler
			require.NoError(f, r.Adopt())
			out, err := r.Reconcile(epoch, object, nil)
			require.NoError(f, err)
			begun, err := out.Object.Encode()
			require.NoError(f, err)
			f.Add(begun, "Succeeded", uint32(100))
		}
	}
	f.Fuzz(func(t *testing.T, object []byte, phase string, seconds uint32) {
		r := reconcile.Reconciler{Answer: func(_ *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (propagate.Event, error) {
			return propagatetest.Answer(a), nil
		}}
		_ = r.Adopt(object) // it is read again below
		w, err := argo.Read(object)
		if err != nil {
			return
		}
		var pods []propagate.PodStatus
		for _, n := range w.Snapshot.Nodes {
			pods = append(pods, podOf(n.ID, phase))
		}
		for range 2 {
			out, err := r.Reconcile(epoch.Add(time.Duration(seconds)*time.Second), object, pods)
			if err != nil {
				var typed *reconcile.Error
				require.ErrorAs(t, err, &typed)
				return
			}
			require.NoError(t, out.Engine.Check())
			object, err = out.Object.Encode()
			require.NoError(t, err)
		}
	})
}
