package replay

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// ahead reports whether the controller lags behind its own fixed point at this node: it shows what the engine shows in
// a following frame, and until then nothing happens that the node depends on.
//
// A controller that lags has not touched the node yet, or has only just made it. What it has decided in this very frame
// is no lag.
func (s *scene) ahead(t site) bool {
	if t.want.settled() && t.want != t.before {
		return false
	}
	frames, recorded := s.judge.player.Recording.Frames, s.judge.recorded
	for next := s.moment.Frame + 1; next < len(frames) && !acted(&frames[next]); next++ {
		changed := s.changed(next)
		if recorded[next].states[t.id] == t.got && !slices.ContainsFunc(changed, t.dependsOn) {
			return true
		}
		if len(changed) > 0 {
			return false
		}
	}
	return false
}

// acted reports whether somebody did something to the workflow before the frame, or let time pass on purpose.
func acted(f *Frame) bool {
	for _, verb := range []string{"sleep", "wait", "resume", "manual-retry", "shutdown", "suspend", "unsuspend", "stopnode", "http", "plugin", "sem"} {
		if f.has(verb) {
			return true
		}
	}
	return f.respecified
}

// changed are the ids of the nodes whose pods are not what they were in the frame before. The pod of a node that the
// recording shows as ended by then changes nothing, but for what is inside it.
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
	slices.Sort(ids)
	return ids
}

// dependsOn reports whether what happens to the pod of node id can change this node: it is the node, inside it or around
// it, or comes before it. Where it cannot be told, it can.
func (t site) dependsOn(id string) bool {
	pod := t.graph.Find(id)
	if t.index <= nodegraph.Root || pod <= nodegraph.Root || t.decidedAbove() || t.contends() {
		return true
	}
	g := t.graph
	self, other := t.index, pod
	for g.Node(other).Depth() > g.Node(self).Depth() {
		other = g.Node(other).Parent
	}
	for g.Node(self).Depth() > g.Node(other).Depth() {
		self = g.Node(self).Parent
	}
	if self == other {
		return true
	}
	for g.Node(self).Parent != g.Node(other).Parent {
		self, other = g.Node(self).Parent, g.Node(other).Parent
	}
	return t.at(g.Node(self).ID()).comesAfter(other)
}

// comesAfter reports whether the node comes after other, which is inside the same, directly or not.
func (t site) comesAfter(other nodegraph.Index) bool {
	seen := map[string]bool{t.id: true}
	queue := []site{t}
	for len(queue) > 0 {
		for _, p := range queue[0].after() {
			if p.index == other {
				return true
			}
			if !seen[p.id] {
				seen[p.id] = true
				queue = append(queue, p)
			}
		}
		queue = queue[1:]
	}
	return false
}

// decidedAbove reports whether it is not the node and what is inside it that decided, but what it is inside of.
func (t site) decidedAbove() bool {
	switch t.moment.Engine.Verdict(t.index).Rule {
	case propagate.RuleStopped, propagate.RuleShutdown, propagate.RuleFailFast, propagate.RuleWhole, propagate.RuleDaemonEnded:
		return true
	}
	return false
}

// contends reports whether a lock or a limit of parallelism keeps this node waiting for others, so that any end elsewhere
// may let it go on.
func (t site) contends() bool {
	waits := t.want.none() || t.want.Phase == nodegraph.Pending
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
