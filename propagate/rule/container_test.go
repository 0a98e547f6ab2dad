package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

var containerScenes = []scene{
	{text: "dag(set: pod(a -> b), c)", calls: told(propagate.ContainerEnded("wf.set", "a", 1, "boom")),
		node: "wf.set.a", want: "Container 1: Failed, boom"},
	{text: "dag(set: pod(a -> b), c)", calls: told(succeeded("wf.set")),
		node: "wf.set.a", want: "Container 2: Succeeded, by wf.set"},
	{text: "dag(set: pod(a -> b), c)", set: daemonSets, calls: told(running("wf.set"), succeeded("wf.set")),
		node: "wf.set.a", want: "Container 3: Failed, by wf.set, Pod Failed whilst container running"},
	{text: "dag(set: pod(a -> b), c)", set: daemonSets, calls: eachTold(running("wf.set"), succeeded("wf.c")),
		node: "wf.set.a", want: "Container 1: Succeeded"},
	{text: "dag(set: pod(a -> b), c)", calls: told(propagate.PodFailed("wf.set", "boom")),
		node: "wf.set.b", want: "Container 3: Failed, by wf.set, Pod Failed whilst container running"},
	{text: "dag(set: pod(a -> b), c)", calls: eachTold(running("wf.set"), propagate.Shutdown("Stop")), node: "wf.set.b",
		want: "Container 1: Failed, workflow shutdown with strategy:  Stop"},
	{text: "dag(set: pod(a -> b), c)", calls: eachTold(running("wf.set"), deleted("wf.set")), node: "wf.set.b",
		want: "Container 4: Error, by wf.set, container deleted"},
	{text: "dag(set: pod(a -> b), c)", calls: told(propagate.ContainerRunning("wf.set", "a")),
		node: "wf.set.a", want: "Container 5: Running"},
	{text: "dag(set: pod(a -> b), c)", calls: told(propagate.ContainerRunning("wf.set", "a")),
		node: "wf.set.b", want: "Container 6: Pending"},
	{text: "dag(set: pod(a -> b), c)", calls: eachTold(propagate.PodPending("wf.set", ""), deleted("wf.set")),
		node: "wf.set.b", want: "Container 6: Pending"},
}

// daemonSets makes daemons of pods with containers.
func daemonSets(spec *nodegraph.Spec) {
	for _, template := range spec.Templates {
		template.Daemon = len(template.Containers) > 0
	}
}

// What the end of a pod has forced on a container is said again by the rule: a record of it is no end of the container's own.
func TestForcedByPod(t *testing.T) {
	deleted, under := "container deleted", "Pod Failed whilst container running"
	for _, c := range []struct {
		message string
		pod     fact.Fact
		forced  bool
	}{
		{deleted, fact.Fact{Stage: fact.StageGone}, true},
		{deleted, fact.Fact{Stage: fact.StageRunning}, false},
		{under, fact.Fact{Stage: fact.StageEnded, Phase: nodegraph.PhaseFailed}, true},
		{under, fact.Fact{Stage: fact.StageEnded, Phase: nodegraph.PhaseError}, true},
		{under, fact.Fact{Stage: fact.StageEnded, Phase: nodegraph.PhaseSucceeded}, false},
		{under, fact.Fact{Stage: fact.StageStopped, Phase: nodegraph.PhaseFailed}, false},
		{under, fact.Fact{Stage: fact.StageGone}, false},
		{"exit code 1", fact.Fact{Stage: fact.StageEnded, Phase: nodegraph.PhaseFailed}, false},
	} {
		require.Equal(t, c.forced, rule.ForcedByPod(c.message, &c.pod), "%q of a container whose pod is %s %s", c.message, c.pod.Stage, c.pod.Phase)
	}
}

func TestContainer(t *testing.T) { chapter(t, containerScenes) }
