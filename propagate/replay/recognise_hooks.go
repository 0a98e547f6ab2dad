package replay

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// hookErrorOfGroup is deviation 16: the expression of a hook names a step that is a loop.
func hookErrorOfGroup(t site) bool {
	return t.abandoned(nodegraph.PhaseError) && strings.HasPrefix(t.want.Message, "unable to evaluate expression '") &&
		strings.HasSuffix(t.want.Message, "^")
}

// noPlaceForHook is deviation 17: an exit hook finds no place under a limit of parallelism, or none any more since its template
// fails fast.
func noPlaceForHook(t site) bool {
	if t.want.Kind != nodegraph.KindStepGroup || t.want.Phase != nodegraph.PhaseError || t.want.Message != "Max parallelism reached" {
		return false
	}
	return t.abandoned(nodegraph.PhaseError) || t.parent().failedFast() && t.got.Kind == t.want.Kind && t.got.Message == failedFast
}

// hookForAttempt is deviation 20: a Retry has a hook that is a Retry itself. The recording takes that for its last attempt: it
// makes what belongs into an attempt inside the hook, does not look at the attempt before it again, makes no other while the
// hook runs, and when the hook has succeeded so has the Retry.
func hookForAttempt(t site) bool {
	p := t.parent()
	switch {
	case t.madeInHook():
		return true
	case t.role() == nodegraph.RoleAttempt:
		failed := func(s site) bool { return s.want.Phase.Unsuccessful() && !s.differs() }
		return t.want.none() && len(p.retriedHooks()) > 0 && slices.ContainsFunc(t.after(), failed)
	case p.role() == nodegraph.RoleAttempt && p.want.open() && len(p.parent().retriedHooks()) > 0:
		return t.want == t.before && !t.want.settled() && (t.want.none() || t.got.settled())
	case t.role() == nodegraph.RoleHook:
		return t.want.Kind == nodegraph.KindRetry && t.want.Phase == nodegraph.PhaseSucceeded && t.got.Phase.Unsuccessful() &&
			slices.ContainsFunc(t.members(), site.madeInHook)
	case t.want.Kind == nodegraph.KindDAG:
		return t.want.Phase == nodegraph.PhaseRunning && t.want == t.before && t.got.settled() && slices.ContainsFunc(t.members(), site.endedAsHook) &&
			!slices.ContainsFunc(t.members(), func(m site) bool { return m.want.open() || m.differs() })
	}
	return t.got.Phase == nodegraph.PhaseRunning && t.endedAsHook()
}

// retriedHooks are the hooks of a Retry that are Retries themselves, as recorded.
func (t site) retriedHooks() []site {
	return slices.DeleteFunc(t.hooks(), func(h site) bool { return t.want.Kind != nodegraph.KindRetry || h.want.Kind != nodegraph.KindRetry })
}

// endedAsHook reports whether the recording ended a Retry as a hook of it did: none of its attempts has succeeded.
func (t site) endedAsHook() bool {
	succeeded := func(s site) bool { return s.want.Phase == nodegraph.PhaseSucceeded }
	return t.want.Kind == nodegraph.KindRetry && succeeded(t) && t.want.Message == "" && slices.ContainsFunc(t.retriedHooks(), succeeded) &&
		!slices.ContainsFunc(t.members(), func(m site) bool { return m.role() == nodegraph.RoleAttempt && succeeded(m) })
}

// madeInHook reports whether the recording alone has the node, and made it inside a hook as it should have inside an attempt.
func (t site) madeInHook() bool {
	hook := t.parent()
	if t.exists() || t.want.none() || !hook.exists() || hook.role() != nodegraph.RoleHook {
		return false
	}
	owner, _ := t.graph.Owner(hook.index)
	if owner == nodegraph.Root {
		owner = nodegraph.Entry
	}
	of := t.at(t.graph.Node(owner).ID())
	return slices.ContainsFunc(of.retriedHooks(), func(h site) bool { return h.id == hook.id }) &&
		strings.HasPrefix(t.want.Name, hook.want.Name+".")
}

// exitHookOfItem is deviation 21: the recording has no exit hook of an item, but one of an earlier item of the same loop.
func exitHookOfItem(t site) bool {
	if !t.want.none() || t.got.none() || t.role() != nodegraph.RoleHook {
		return false
	}
	owner, hook := t.graph.Owner(t.index)
	item := t.at(t.graph.Node(owner).ID())
	if hook.Name != nodegraph.ExitHook || item.role() != nodegraph.RoleItem || !item.want.settled() || item.differs() {
		return false
	}
	return slices.ContainsFunc(item.parent().members(), func(o site) bool {
		return o.role() == nodegraph.RoleItem && o.node().DeclIndex < item.node().DeclIndex &&
			slices.ContainsFunc(o.hooks(), func(h site) bool {
				_, of := h.graph.Owner(h.index)
				return of.Name == nodegraph.ExitHook && !h.want.none()
			})
	})
}

// beforeHookOfDAG is deviation 23: the recording starts what comes after a DAG before the DAG's hook, and forgets the hook
// when that has ended.
func beforeHookOfDAG(t site) bool {
	if !t.exists() {
		return false
	}
	if t.got.none() && t.isNew() && !t.want.none() {
		openHook := func(h site) bool { return h.got.open() }
		return slices.ContainsFunc(t.after(), func(p site) bool {
			return p.want.Kind == nodegraph.KindDAG && p.want.settled() && !p.differs() && slices.ContainsFunc(p.hooks(), openHook)
		})
	}
	hook := t.parent()
	if hook.role() != nodegraph.RoleHook || !t.want.open() || t.want != t.before || !t.got.settled() {
		return false
	}
	owner, _ := t.graph.Owner(hook.index)
	after := 0
	for d := range t.graph.Dependents(owner) {
		if !t.at(t.graph.Node(d).ID()).want.settled() {
			return false
		}
		after++
	}
	return after > 0 && t.graph.Node(owner).Kind == nodegraph.KindDAG
}

// exitHookOfLoop is deviation 43: the recording ended a DAG as a loop in it did, and has no exit hook of the loop.
func exitHookOfLoop(t site) bool {
	if !t.want.none() || t.got.none() || t.role() != nodegraph.RoleHook {
		return false
	}
	owner, hook := t.graph.Owner(t.index)
	loop := t.at(t.graph.Node(owner).ID())
	return hook.Name == nodegraph.ExitHook && loop.want.Kind == nodegraph.KindTaskGroup && loop.want.settled() && !loop.differs() &&
		t.parent().want.settled()
}
