package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Which container of a pod says how its node ended, where the pod is none of Argo's: the one that the template names, or the only
// one. The exit code of the node is that of the one that says why.
func TestContainerThatDoesTheWork(t *testing.T) {
	list := func(containers ...propagate.ContainerStatus) []propagate.ContainerStatus { return containers }
	for _, c := range []struct {
		name       string
		main       string // of the template
		phase      propagate.PodPhase
		reason     string
		containers []propagate.ContainerStatus
		want       string
		exit       int // -1 for none
	}{
		{"the only one failed", "", "Failed", "", list(terminated("app", 3)), "Failed: app: Error (exit code 3)", 3},
		{"the only one was killed", "", "Failed", "", list(terminated("app", 137)), "Failed: app: Error (exit code 137)", 137},
		{"the only one ended well", "", "Succeeded", "", list(terminated("app", 0)), "Succeeded", 0},
		{"the named one failed beside a sidecar", "app", "Failed", "", list(terminated("istio-proxy", 0), terminated("app", 3)), "Failed: app: Error (exit code 3)", 3},
		{"the named one was killed beside a sidecar that failed", "app", "Failed", "", list(terminated("istio-proxy", 1), terminated("app", 137)),
			"Failed: app: Error (exit code 137)", 137},
		{"the named one ended well and the sidecar was killed", "app", "Failed", "", list(terminated("istio-proxy", 137), terminated("app", 0)), "Succeeded", 0},
		{"the same, as the pod was ended as a whole", "app", "Failed", "DeadlineExceeded", list(terminated("istio-proxy", 137), terminated("app", 0)),
			"Failed: DeadlineExceeded", 0},
		{"the named one ended well and the sidecar failed", "app", "Failed", "", list(terminated("istio-proxy", 1), terminated("app", 0)),
			"Failed: istio-proxy: Error (exit code 1)", 0},
		{"the one called main ended well and the sidecar was killed", "", "Failed", "", list(terminated("istio-proxy", 137), terminated("main", 0)), "Succeeded", 0},
		{"the named one was not seen to end", "app", "Failed", "", list(terminated("istio-proxy", 0), running("app")), "Failed: pod failed: no container says why", -1},
		{"nobody says which it is, and one failed", "", "Failed", "", list(terminated("istio-proxy", 0), terminated("app", 3)), "Failed: app: Error (exit code 3)", 3},
		{"nobody says which it is, and the other was killed", "", "Failed", "", list(terminated("istio-proxy", 137), terminated("app", 3)),
			"Failed: app: Error (exit code 3)", 3},
		{"nobody says which it is, and one was killed", "", "Failed", "", list(terminated("istio-proxy", 137), terminated("app", 0)),
			"Failed: istio-proxy: Error (exit code 137)", 137},
		{"nobody says which it is, and the pod ended well", "", "Succeeded", "", list(terminated("istio-proxy", 0), terminated("app", 0)), "Succeeded", 0},
		{"one has ended and a sidecar runs on", "app", "Running", "", list(running("istio-proxy"), terminated("app", 3)), "Running", 3},
		{"Argo's own container failed", "", "Failed", "", list(terminated("main", 0), terminated("wait", 1)), "Error: wait: Error (exit code 1)", 0},
		{"no container of Argo's pod says why", "", "Failed", "", list(terminated("main", 0), running("wait")),
			"Failed: pod failed: wait container did not complete successfully", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := drawnWith(t, "dag(a, b: suspend)", eachOf(nodegraph.KindPod, func(template *nodegraph.Template) { template.MainContainer = c.main }))
			pod := podOf("wf.a", "1", c.phase, c.containers...)
			pod.Reason = c.reason
			listed(t, e, pod)
			assert.Equal(t, c.want, looks(e, "wf.a")["wf.a"])
			f := e.Fact(e.Graph().Find("wf.a"))
			assert.Equal(t, c.exit >= 0, f.HasExit)
			assert.Equal(t, max(c.exit, 0), f.ExitCode)
		})
	}
}

// The containers of a ContainerSet are all to be done before the death of a sidecar is forgiven.
func TestSetBesideASidecarThatWasKilled(t *testing.T) {
	for _, c := range []struct {
		second propagate.ContainerStatus
		want   string
	}{
		{terminated("y", 0), "Succeeded"},
		{running("y"), "Failed: istio-proxy: Error (exit code 137)"},
	} {
		e := drawn(t, "dag(a: pod(x -> y), b: suspend)")
		listed(t, e, podOf("wf.a", "1", "Failed", terminated("istio-proxy", 137), terminated("x", 0), c.second))
		require.Equal(t, c.want, looks(e, "wf.a")["wf.a"])
	}
}

// A list is refused as a whole for what no pod can look like, and says what pods look like.
func TestPodsThatCanNotBe(t *testing.T) {
	bad := podOf("wf.b", "2", "Running", propagate.ContainerStatus{Name: "main", Running: true, Terminated: true})
	for _, c := range []struct {
		pod  propagate.PodStatus
		want string
	}{
		{podOf("wf.b", "2", ""), `propagate: pod 1 of node "wf.b": phase "": invalid value; a pod is Pending, Running, Succeeded, Failed or Unknown`},
		{podOf("wf.b", "2", "running"), `propagate: pod 1 of node "wf.b": phase "running": invalid value; a pod is Pending, Running, Succeeded, Failed or Unknown`},
		{podOf("nobody", "2", "Bogus"), `propagate: pod 1 of node "nobody": phase "Bogus": invalid value; a pod is Pending, Running, Succeeded, Failed or Unknown`},
		{bad, `propagate: pod 1 of node "wf.b": state of container "main": invalid value`},
	} {
		e := drawn(t, "dag(a, b)")
		good := podOf("wf.a", "1", "Succeeded", terminated("main", 0))
		before := e.Save()
		for _, call := range []func() (propagate.Result, error){
			func() (propagate.Result, error) { return e.SyncPods(epoch, []propagate.PodStatus{good, c.pod}) },
			func() (propagate.Result, error) {
				return e.SyncChanged(epoch, []propagate.PodStatus{good, c.pod}, nil)
			},
		} {
			r, err := call()
			require.EqualError(t, err, c.want)
			require.ErrorIs(t, err, propagate.ErrInvalid)
			var refused *propagate.EventError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, propagate.Result{}, r)
			require.Equal(t, before, e.Save(), "nothing has changed")
		}
	}
}
