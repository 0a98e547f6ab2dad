package replay

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// ahead reports whether the controller lags behind its own fixed point at this node: it shows what the engine shows in
// a following frame, and until then nothing happens that the node depends on.
//
// A controller lags in three ways: it has not made a node yet, it has not closed a workflow whose entry failed fast, or it has not
// closed a group since it broke off at an item.
func (s *scene) ahead(t site) bool {
	if !(t.want.none() && t.isNew()) && !t.unclosed() && !t.brokeOff() {
		return false
	}
	frames, recorded := s.judge.player.Recording.Frames, s.judge.recorded
	for next := s.moment.Frame + 1; next < len(frames) && !acted(&frames[next]); next++ {
		changed := s.changed(next)
		if len(changed) > 0 && (slices.ContainsFunc(changed, t.dependsOn) || t.comesAfterChange(next)) {
			return false
		}
		if recorded[next].states[t.id] == t.got {
			return true
		}
		if len(changed) > 0 {
			return false
		}
	}
	return false
}

// unclosed reports whether this is the workflow, which the recording leaves Running although its entry has failed fast.
func (t site) unclosed() bool {
	entry := t.at(t.graph.Node(nodegraph.Entry).ID())
	return t.id == "" && t.want == t.before && t.want.open() && t.got.settled() && entry.want.settled() && entry.want.Message == failedFast
}

// brokeOff reports whether the recording leaves a TaskGroup Running since the controller could not go on with an item of it, which is in
// Error.
func (t site) brokeOff() bool {
	return t.want.Kind == nodegraph.KindTaskGroup && t.want == t.before && t.want.open() && t.got.settled() &&
		slices.ContainsFunc(t.members(), func(m site) bool {
			return m.want.Phase == nodegraph.PhaseError && strings.HasPrefix(m.want.Message, "task '"+m.want.Name+"' errored: ") && !m.differs()
		})
}

// acted reports whether somebody did something to the workflow before the frame, or let time pass on purpose.
func acted(f *Frame) bool {
	for _, verb := range []string{"sleep", "wait", "resume", "manual-retry", "shutdown", "suspend", "unsuspend", "stopnode"} {
		if f.has(verb) {
			return true
		}
	}
	return f.respecified
}

// changed are the ids of the nodes whose pods are not what they were in the frame before, and of the HTTP and Plugin nodes
// that were reported since. A pod that is gone changes nothing where the recording shows its node as ended by then.
func (s *scene) changed(frame int) []string {
	frames := s.judge.player.Recording.Frames
	before := make(map[string]*propagate.PodStatus)
	for k := range frames[frame-1].Pods {
		before[frames[frame-1].Pods[k].UID] = &frames[frame-1].Pods[k]
	}
	var ids []string
	for k := range frames[frame].Pods {
		p := &frames[frame].Pods[k]
		if !samePod(before[p.UID], p) {
			ids = append(ids, p.Node)
		}
		delete(before, p.UID)
	}
	for _, gone := range before {
		if !s.judge.recorded[frame-1].states[gone.Node].settled() {
			ids = append(ids, gone.Node)
		}
	}
	for id, state := range s.judge.recorded[frame].states {
		if (state.Kind == nodegraph.KindHTTP || state.Kind == nodegraph.KindPlugin) && state != s.judge.recorded[frame-1].states[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// dependsOn reports whether what happens to the pod of node id can change this node by what is inside it or around it.
// Where it cannot be told, it can.
func (t site) dependsOn(id string) bool {
	pod := t.graph.Find(id)
	if t.index <= nodegraph.Root || pod <= nodegraph.Root || t.decidedAbove() || t.contends() {
		return true
	}
	self, other := t.index, pod
	for t.graph.Node(other).Depth() > t.graph.Node(self).Depth() {
		other = t.graph.Node(other).Parent
	}
	for t.graph.Node(self).Depth() > t.graph.Node(other).Depth() {
		self = t.graph.Node(self).Parent
	}
	return self == other
}

// comesAfterChange reports whether something that the node comes after, or that what it is inside of does, is recorded in
// another state in that frame than in the one before it.
func (t site) comesAfterChange(frame int) bool {
	recorded := t.judge.recorded
	for i := t.index; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		for _, p := range t.at(t.graph.Node(i).ID()).after() {
			if recorded[frame].states[p.id] != recorded[frame-1].states[p.id] {
				return true
			}
		}
	}
	return false
}

// decidedAbove reports whether it is not the node and what is inside it that decided, but what it is inside of.
func (t site) decidedAbove() bool {
	switch t.moment.Engine.Verdict(t.index).Rule {
	case rule.RuleStopped, rule.RuleShutdown, rule.RuleFailFast, rule.RuleWhole, rule.RuleDaemonEnded:
		return true
	}
	return false
}

// contends reports whether a lock or a limit of parallelism keeps this node waiting for others, so that any end elsewhere
// may let it go on.
func (t site) contends() bool {
	waits := t.want.none() || t.want.Phase == nodegraph.PhasePending
	if !waits {
		return false
	}
	if t.graph.Spec().Parallelism > 0 {
		return true
	}
	for i := t.index; i > nodegraph.Root; i = t.graph.Node(i).Parent {
		if tmpl := t.graph.Node(i).Template; tmpl != nil && (len(tmpl.Locks) > 0 || tmpl.Parallelism > 0) {
			return true
		}
	}
	return false
}

// samePod reports whether both statuses say the same of a pod.
func samePod(a, b *propagate.PodStatus) bool {
	return a != nil && a.Phase == b.Phase && a.Reason == b.Reason && a.Message == b.Message && a.Unschedulable == b.Unschedulable &&
		slices.Equal(a.Containers, b.Containers) && slices.Equal(a.Init, b.Init)
}
