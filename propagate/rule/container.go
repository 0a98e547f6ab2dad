package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// containerRule: a container settles from its own result, else from the end of its pod. Containers of one set order
// each other; they never decide who belongs to the pod.
func (e *Evaluator) containerRule(i nodegraph.Index) Ruling {
	f, pod := e.facts.Node(i), e.facts.Node(i).Parent
	p := e.facts.Node(pod)
	if f.Stage >= fact.StageEnded && e.inPod(i, pod) {
		return settled(f.Phase, e.told(i), container1, nodegraph.None)
	}
	switch {
	case p.Stage == fact.StageEnded && p.Phase == nodegraph.PhaseSucceeded && !e.daemonEnded(pod):
		return settled(nodegraph.PhaseSucceeded, Message{}, container2, pod)
	case p.Stage == fact.StageEnded:
		return settled(nodegraph.PhaseFailed, Message{kind: messagePodFailedUnder}, container3, pod)
	case p.Stage == fact.StageGone && p.Ran:
		return settled(nodegraph.PhaseError, Message{kind: messageContainerDeleted}, container4, pod)
	case f.Stage == fact.StageRunning && e.inPod(i, pod):
		return running(container5, nodegraph.None)
	}
	return pending(container6, Message{})
}

// ForcedByPod reports whether a recorded message of a container says only that its pod ended as this fact has it: then the rule says
// so again.
func ForcedByPod(message string, pod *fact.Fact) bool {
	switch message {
	case texts[messageContainerDeleted]:
		return pod.Stage == fact.StageGone
	case texts[messagePodFailedUnder]:
		return pod.Stage == fact.StageEnded && pod.Phase.Unsuccessful()
	}
	return false
}

// inPod reports whether what is known of a container is of the pod that is known, and not of one before it.
func (e *Evaluator) inPod(container, pod nodegraph.Index) bool {
	return e.facts.Serial(container) >= e.facts.Serial(pod)
}
