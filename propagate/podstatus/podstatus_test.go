package podstatus_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Every state that the kubelet, the scheduler and the controllers of Kubernetes report: what is observed, and what the
// engine makes of the node, which was told before that its pod runs where ran says so.
var states = []struct {
	name  string
	spec  string // of the pod, where it matters
	meta  string // of the pod, where it matters
	state string // status of the pod
	ran   bool
	want  propagate.PodStatus // without what all have
	node  string
}{
	{
		name: "just created", state: `{}`,
		want: propagate.PodStatus{Phase: "Pending"}, node: "Pending",
	}, {
		name: "pending", state: `{phase: Pending}`,
		want: propagate.PodStatus{Phase: "Pending"}, node: "Pending",
	}, {
		name: "unschedulable",
		state: `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable,
			message: "0/3 nodes are available: 3 Insufficient cpu."}]}`,
		want: propagate.PodStatus{Phase: "Pending", Unschedulable: true, UnschedulableMessage: "0/3 nodes are available: 3 Insufficient cpu."},
		node: "Pending: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.",
	}, {
		name: "held by a scheduling gate",
		state: `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated,
			message: "Scheduling is blocked due to non-empty scheduling gates"}]}`,
		want: propagate.PodStatus{Phase: "Pending"}, node: "Pending",
	}, {
		name: "container being created",
		state: `{phase: Pending, conditions: [{type: PodScheduled, status: "True"}],
			containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]}`,
		want: propagate.PodStatus{Phase: "Pending", Conditions: []string{"PodScheduled"},
			Containers: []propagate.ContainerStatus{{Name: "main", Waiting: true, Reason: "ContainerCreating"}}},
		node: "Pending: ContainerCreating",
	}, {
		name: "image pull back-off",
		state: `{phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: ImagePullBackOff,
			message: "Back-off pulling image \"nowhere/none\""}}}]}`,
		want: propagate.PodStatus{Phase: "Pending", Containers: []propagate.ContainerStatus{
			{Name: "main", Waiting: true, Reason: "ImagePullBackOff", Message: `Back-off pulling image "nowhere/none"`}}},
		node: `Pending: ImagePullBackOff: Back-off pulling image "nowhere/none"`,
	}, {
		name:  "a container without a state",
		state: `{phase: Pending, containerStatuses: [{name: main, state: {}}]}`,
		want:  propagate.PodStatus{Phase: "Pending", Containers: []propagate.ContainerStatus{{Name: "main", Waiting: true}}},
		node:  "Pending",
	}, {
		name: "init container running",
		state: `{phase: Pending, initContainerStatuses: [{name: setup, state: {running: {}}}],
			containerStatuses: [{name: main, state: {waiting: {reason: PodInitializing}}}]}`,
		want: propagate.PodStatus{Phase: "Pending", Init: []propagate.ContainerStatus{{Name: "setup", Running: true}},
			Containers: []propagate.ContainerStatus{{Name: "main", Waiting: true, Reason: "PodInitializing"}}},
		node: "Pending: PodInitializing",
	}, {
		name: "init container failed",
		state: `{phase: Failed, initContainerStatuses: [{name: setup, state: {terminated: {exitCode: 3, reason: Error}}}],
			containerStatuses: [{name: main, state: {waiting: {reason: PodInitializing}}}]}`,
		want: propagate.PodStatus{Phase: "Failed", Init: []propagate.ContainerStatus{{Name: "setup", Terminated: true, ExitCode: 3, Reason: "Error"}},
			Containers: []propagate.ContainerStatus{{Name: "main", Waiting: true, Reason: "PodInitializing"}}},
		node: "Failed: setup: Error (exit code 3)",
	}, {
		name: "a container of the node runs before the others", meta: `{annotations: {nodestatus.example/ordered: first}}`,
		state: `{phase: Pending, initContainerStatuses: [{name: setup, state: {terminated: {exitCode: 0}}}, {name: first, state: {running: {}}}],
			containerStatuses: [{name: main, state: {waiting: {reason: PodInitializing}}}]}`,
		want: propagate.PodStatus{Phase: "Running", Init: []propagate.ContainerStatus{{Name: "setup", Terminated: true}},
			Containers: []propagate.ContainerStatus{{Name: "first", Running: true}, {Name: "main", Waiting: true, Reason: "PodInitializing"}}},
		node: "Running",
	}, {
		name: "a container of the node waits for its turn", meta: `{annotations: {nodestatus.example/ordered: first}}`,
		state: `{phase: Pending, initContainerStatuses: [{name: setup, state: {running: {}}}, {name: first, state: {waiting: {reason: PodInitializing}}}]}`,
		want: propagate.PodStatus{Phase: "Pending", Init: []propagate.ContainerStatus{{Name: "setup", Running: true}},
			Containers: []propagate.ContainerStatus{{Name: "first", Waiting: true, Reason: "PodInitializing"}}},
		node: "Pending: PodInitializing",
	}, {
		name:  "running",
		state: `{phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: main, ready: true, state: {running: {}}}]}`,
		want: propagate.PodStatus{Phase: "Running", Conditions: []string{"Ready"},
			Containers: []propagate.ContainerStatus{{Name: "main", Running: true, Ready: true}}},
		node: "Running",
	}, {
		name:  "running, not ready",
		state: `{phase: Running, conditions: [{type: Ready, status: "False", reason: ContainersNotReady}], containerStatuses: [{name: main, state: {running: {}}}]}`,
		want:  propagate.PodStatus{Phase: "Running", Containers: []propagate.ContainerStatus{{Name: "main", Running: true}}},
		node:  "Running",
	}, {
		name:  "succeeded",
		state: `{phase: Succeeded, containerStatuses: [{name: main, state: {terminated: {exitCode: 0, reason: Completed, finishedAt: "2026-01-02T03:05:00Z"}}}]}`,
		want: propagate.PodStatus{Phase: "Succeeded", Containers: []propagate.ContainerStatus{
			{Name: "main", Terminated: true, Reason: "Completed", Finished: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)}}},
		node: "Succeeded",
	}, {
		name:  "failed",
		state: `{phase: Failed, containerStatuses: [{name: main, state: {terminated: {exitCode: 2, reason: Error, message: "no such file"}}}]}`,
		want: propagate.PodStatus{Phase: "Failed", Containers: []propagate.ContainerStatus{
			{Name: "main", Terminated: true, ExitCode: 2, Reason: "Error", Message: "no such file"}}},
		node: "Failed: main: Error (exit code 2): no such file",
	}, {
		name:  "out of memory",
		state: `{phase: Failed, containerStatuses: [{name: main, state: {terminated: {exitCode: 137, reason: OOMKilled}}}]}`,
		want: propagate.PodStatus{Phase: "Failed", Containers: []propagate.ContainerStatus{
			{Name: "main", Terminated: true, ExitCode: 137, Reason: "OOMKilled"}}},
		node: "Failed: main: OOMKilled (exit code 137)",
	}, {
		name: "evicted by the kubelet, with no word on the containers", ran: true,
		state: `{phase: Failed, reason: Evicted, message: "The node was low on resource: memory.",
			conditions: [{type: DisruptionTarget, status: "True", reason: TerminationByKubelet}]}`,
		want: propagate.PodStatus{Phase: "Failed", Reason: "Evicted", Message: "The node was low on resource: memory.", Conditions: []string{"DisruptionTarget"}},
		node: "Failed: The node was low on resource: memory.",
	}, {
		name: "preempted by the scheduler, not gone yet", ran: true, meta: `{deletionTimestamp: "2026-01-02T03:05:00Z"}`,
		state: `{phase: Running, conditions: [{type: DisruptionTarget, status: "True", reason: PreemptionByScheduler}],
			containerStatuses: [{name: main, ready: true, state: {running: {}}}]}`,
		want: propagate.PodStatus{Phase: "Running", Conditions: []string{"DisruptionTarget"},
			Containers: []propagate.ContainerStatus{{Name: "main", Running: true, Ready: true}}},
		node: "Running",
	}, {
		name:  "preempted by the kubelet for a critical pod",
		state: `{phase: Failed, reason: Preempting, message: "Preempted in order to admit critical pod"}`,
		want:  propagate.PodStatus{Phase: "Failed", Reason: "Preempting", Message: "Preempted in order to admit critical pod"},
		node:  "Failed: Preempted in order to admit critical pod",
	}, {
		name: "the node does not answer", ran: true, meta: `{deletionTimestamp: "2026-01-02T03:05:00Z"}`,
		state: `{phase: Running, reason: NodeLost, message: "Node n which was running pod p is unresponsive",
			conditions: [{type: DisruptionTarget, status: "True", reason: DeletionByTaintManager}, {type: Ready, status: "False"}],
			containerStatuses: [{name: main, state: {running: {}}}]}`,
		want: propagate.PodStatus{Phase: "Running", Reason: "NodeLost", Message: "Node n which was running pod p is unresponsive",
			Conditions: []string{"DisruptionTarget"}, Containers: []propagate.ContainerStatus{{Name: "main", Running: true}}},
		node: "Running",
	}, {
		name: "collected with its node: the containers still look as they did", ran: true,
		state: `{phase: Failed, conditions: [{type: DisruptionTarget, status: "True", reason: DeletionByPodGC, message: "PodGC: node no longer exists"}],
			containerStatuses: [{name: main, state: {running: {}}}]}`,
		want: propagate.PodStatus{Phase: "Failed", Conditions: []string{"DisruptionTarget"}, Containers: []propagate.ContainerStatus{{Name: "main", Running: true}}},
		node: "Failed: pod failed: no container says why",
	}, {
		name: "phase Unknown of one that ran", ran: true,
		state: `{phase: Unknown, reason: NodeLost, containerStatuses: [{name: main, state: {running: {}}}]}`,
		want:  propagate.PodStatus{Phase: "Running", Reason: "NodeLost", Containers: []propagate.ContainerStatus{{Name: "main", Running: true}}},
		node:  "Running",
	}, {
		name:  "phase Unknown of one that was never seen to run",
		state: `{phase: Unknown}`,
		want:  propagate.PodStatus{Phase: "Pending"},
		node:  "Pending",
	}, {
		name: "the node shuts down", ran: true,
		state: `{phase: Failed, reason: Terminated, message: "Pod was terminated in response to imminent node shutdown.",
			conditions: [{type: DisruptionTarget, status: "True", reason: TerminationByKubelet}],
			containerStatuses: [{name: main, state: {terminated: {exitCode: 143, reason: Error}}}]}`,
		want: propagate.PodStatus{Phase: "Failed", Reason: "Terminated", Message: "Pod was terminated in response to imminent node shutdown.",
			Conditions: []string{"DisruptionTarget"},
			Containers: []propagate.ContainerStatus{{Name: "main", Terminated: true, ExitCode: 143, Reason: "Error"}}},
		node: "Failed: Pod was terminated in response to imminent node shutdown.",
	}, {
		name:  "rejected by a node that shuts down",
		state: `{phase: Failed, reason: NodeShutdown, message: "Pod was rejected as the node is shutting down."}`,
		want:  propagate.PodStatus{Phase: "Failed", Reason: "NodeShutdown", Message: "Pod was rejected as the node is shutting down."},
		node:  "Failed: Pod was rejected as the node is shutting down.",
	}, {
		name:  "rejected: a device plugin",
		state: `{phase: Failed, reason: UnexpectedAdmissionError, message: "Allocate failed due to no healthy devices present, which is unexpected"}`,
		want:  propagate.PodStatus{Phase: "Failed", Reason: "UnexpectedAdmissionError", Message: "Allocate failed due to no healthy devices present, which is unexpected"},
		node:  "Failed: Allocate failed due to no healthy devices present, which is unexpected",
	}, {
		name:  "rejected: the node is full",
		state: `{phase: Failed, reason: OutOfcpu, message: "Node didn't have enough resource: cpu, requested: 2000, used: 7900, capacity: 8000"}`,
		want:  propagate.PodStatus{Phase: "Failed", Reason: "OutOfcpu", Message: "Node didn't have enough resource: cpu, requested: 2000, used: 7900, capacity: 8000"},
		node:  "Failed: Node didn't have enough resource: cpu, requested: 2000, used: 7900, capacity: 8000",
	}, {
		name:  "rejected: the node has other labels now",
		state: `{phase: Failed, reason: NodeAffinity, message: "Predicate NodeAffinity failed"}`,
		want:  propagate.PodStatus{Phase: "Failed", Reason: "NodeAffinity", Message: "Predicate NodeAffinity failed"},
		node:  "Failed: Predicate NodeAffinity failed",
	}, {
		name: "past its deadline", ran: true,
		state: `{phase: Failed, reason: DeadlineExceeded, message: "Pod was active on the node longer than the specified deadline"}`,
		want:  propagate.PodStatus{Phase: "Failed", Reason: "DeadlineExceeded", Message: "Pod was active on the node longer than the specified deadline"},
		node:  "Failed: Pod was active on the node longer than the specified deadline",
	}, {
		name: "deleted and still running: it may end well", ran: true, meta: `{deletionTimestamp: "2026-01-02T03:05:00Z"}`,
		state: `{phase: Running, containerStatuses: [{name: main, ready: true, state: {running: {}}}]}`,
		want:  propagate.PodStatus{Phase: "Running", Containers: []propagate.ContainerStatus{{Name: "main", Running: true, Ready: true}}},
		node:  "Running",
	}, {
		name: "deleted, and ended well within its grace period", ran: true, meta: `{deletionTimestamp: "2026-01-02T03:05:00Z"}`,
		state: `{phase: Succeeded, containerStatuses: [{name: main, state: {terminated: {exitCode: 0}}}]}`,
		want: propagate.PodStatus{Phase: "Succeeded", Containers: []propagate.ContainerStatus{
			{Name: "main", Terminated: true}}},
		node: "Succeeded",
	}, {
		name: "an init container that goes on running decides nothing",
		spec: `{initContainers: [{name: setup}, {name: proxy, restartPolicy: Always}]}`,
		state: `{phase: Failed, initContainerStatuses: [{name: setup, state: {terminated: {exitCode: 0}}}, {name: proxy, state: {terminated: {exitCode: 2, reason: Error}}}],
			containerStatuses: [{name: main, state: {terminated: {exitCode: 1, reason: Error}}}]}`,
		want: propagate.PodStatus{Phase: "Failed", Init: []propagate.ContainerStatus{{Name: "setup", Terminated: true}},
			Containers: []propagate.ContainerStatus{{Name: "main", Terminated: true, ExitCode: 1, Reason: "Error"}}},
		node: "Failed: main: Error (exit code 1)",
	},
}

func TestOf(t *testing.T) {
	for _, test := range states {
		t.Run(test.name, func(t *testing.T) {
			pod := podOf(t, test.spec, test.meta, test.state)
			got := podstatus.Of(pod)
			want := test.want
			want.Node, want.Name, want.UID = "wf", "wf", "u"
			require.Empty(t, cmp.Diff(want, got), "(-want +got)")
			require.Equal(t, test.node, nodeAfter(t, got, test.ran))
		})
	}
}

// podOf is the pod of node wf.
func podOf(t *testing.T, spec, meta, status string) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{}
	for text, into := range map[string]any{spec: &pod.Spec, meta: &pod.ObjectMeta, status: &pod.Status} {
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), into))
	}
	pod.Name, pod.UID, pod.CreationTimestamp = "wf", "u", metav1.NewTime(created)
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, podstatus.NodeID, "wf")
	return pod
}

// nodeAfter is what the engine says of the node once it was told.
func nodeAfter(t *testing.T, p propagate.PodStatus, ran bool) string {
	t.Helper()
	e, err := propagate.New(&nodegraph.Spec{Name: "wf", Entrypoint: "m", Templates: []*nodegraph.Template{{Name: "m", Kind: nodegraph.KindPod}}})
	require.NoError(t, err)
	_, err = e.Apply(created)
	require.NoError(t, err)
	if ran {
		before := propagate.PodStatus{Node: "wf", Name: "wf", UID: "u", Phase: "Running"}
		_, err = e.SyncPods(created, []propagate.PodStatus{before})
		require.NoError(t, err)
	}
	_, err = e.SyncPods(created, []propagate.PodStatus{p})
	require.NoError(t, err)
	require.NoError(t, e.Check())
	phase, message := e.Phase(nodegraph.Entry)
	if message == "" {
		return phase.String()
	}
	return phase.String() + ": " + message
}

// The commands read the same out of what kubectl prints, as far as they read it.
func TestOfAgreesWithTheCommands(t *testing.T) {
	for _, test := range states {
		if test.spec != "" || strings.Contains(test.state, "Unknown") {
			continue // the commands take sidecars and phase Unknown as they are printed
		}
		t.Run(test.name, func(t *testing.T) {
			pod := podOf(t, test.spec, test.meta, test.state)
			pod.APIVersion, pod.Kind = "v1", "Pod"
			text, err := json.Marshal(pod)
			require.NoError(t, err)
			read, err := replay.ReadPods(text)
			require.NoError(t, err)
			require.Equal(t, nodeAfter(t, podstatus.Of(pod), test.ran), nodeAfter(t, read[0], test.ran))
		})
	}
}

// A pod without the id of its node is told by the name, and one with neither by nothing.
func TestOfNamesTheNode(t *testing.T) {
	pod := &corev1.Pod{}
	require.Empty(t, podstatus.Of(pod).Node)
	pod.Annotations = map[string]string{podstatus.NodeName: "wf.a"}
	require.Equal(t, "wf.a", podstatus.Of(pod).Node)
	pod.Annotations[podstatus.NodeID] = "wf-123"
	require.Equal(t, "wf-123", podstatus.Of(pod).Node)
}
