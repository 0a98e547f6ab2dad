package propagate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// manifest is the engine of a Workflow with these lines after its metadata, as it is on record.
func manifest(t *testing.T, lines string) *propagate.Engine {
	t.Helper()
	w, err := argo.Read([]byte("kind: Workflow\nmetadata: {name: wf, namespace: default}\n" + lines))
	require.NoError(t, err)
	e, rest, err := propagate.FromSnapshot(w.Spec, w.Snapshot)
	require.NoError(t, err)
	require.Empty(t, rest)
	return e
}

// phases lists the nodes that exist, in the order of the graph, with their phases.
func phases(e *propagate.Engine) map[string]string {
	all := make(map[string]string)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if phase, _ := e.Phase(i); phase != nodegraph.PhasePlanned {
			all[e.Graph().Node(i).Name()] = phase.String()
		}
	}
	return all
}

// A time of zero that is set is over, as in Argo (executeSuspend, getWorkflowDeadline, checkTemplateTimeouts); one that is not set
// never is.
func TestTimesOfZeroAreOver(t *testing.T) {
	const pod = "  - {name: p, container: {}}\n"
	const steps = "spec:\n  entrypoint: main\n  templates:\n  - {name: main, steps: [[{name: wait, template: wait}], [{name: go, template: p}]]}\n" + pod
	tests := []struct {
		name, in string
		want     map[string]string // after a second
	}{
		{"a suspension goes on at once", steps + "  - {name: wait, suspend: {duration: \"0\"}}\n",
			map[string]string{"wf": "Running", "wf[0]": "Succeeded", "wf[0].wait": "Succeeded", "wf[1]": "Running", "wf[1].go": "Pending"}},
		{"one without a duration waits", steps + "  - {name: wait, suspend: {}}\n",
			map[string]string{"wf": "Running", "wf[0]": "Running", "wf[0].wait": "Running"}},
		{"a workflow is past its deadline", "spec:\n  entrypoint: wait\n  activeDeadlineSeconds: 0\n  templates:\n  - {name: wait, suspend: {}}\n",
			map[string]string{"wf": "Failed"}},
		{"without a deadline it waits", "spec:\n  entrypoint: wait\n  templates:\n  - {name: wait, suspend: {}}\n",
			map[string]string{"wf": "Running"}},
		{"a pending pod is past its timeout", "spec:\n  entrypoint: p\n  templates:\n  - {name: p, container: {}, timeout: 0s}\n",
			map[string]string{"wf": "Failed"}},
		{"a pending pod is past its pendingTimeout", "spec:\n  entrypoint: p\n  templates:\n  - {name: p, container: {}, pendingTimeout: \"0\"}\n",
			map[string]string{"wf": "Failed"}},
		{"a pod without timeouts is pending", "spec:\n  entrypoint: p\n  templates:\n" + pod, map[string]string{"wf": "Pending"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := manifest(t, test.in)
			for _, at := range []time.Time{epoch, epoch.Add(time.Second)} {
				_, err := e.Apply(at)
				require.NoError(t, err)
			}
			assert.Equal(t, test.want, phases(e))
		})
	}
}
