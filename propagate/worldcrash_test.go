package propagate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/nodestatus/nodestatus/propagate/truth"
	"github.com/nodestatus/nodestatus/retry"
)

// kept is what a host stores of a workflow.
type kept struct {
	state  propagate.State
	record nodegraph.Snapshot
	watch  truth.Watch // what had run by then
	knows  memory
}

func (f *flow) keep() kept {
	knows := memory{maps.Clone(f.knows.reopened), maps.Clone(f.knows.ready)}
	return kept{f.Engine.Save(), f.Engine.Snapshot(), f.watch.Clone(), knows}
}

// crash ends the host and starts it again: all engines are made anew from what was stored, of one flow from an older
// state if it is given. What it had been asked, and whom it wanted to tell that they have their locks, it has forgotten.
func (w *world) crash(older *flow, stored *kept) {
	if w.traced {
		w.trace = append(w.trace, "the host crashes: "+w.host.String())
	}
	w.Kill()
	w.crashes++
	was, starts := make([][]propagate.Obligation, len(w.flows)), make([][]string, len(w.flows))
	states := make([]propagate.State, len(w.flows))
	for k, f := range w.flows {
		if f.dead {
			continue
		}
		from := f.keep()
		if f == older {
			from, f.watch, f.knows = *stored, stored.watch, stored.knows
		} else {
			was[k], starts[k], states[k] = f.Engine.Obligations(), f.owedAgain(), from.state
		}
		w.restart(f, &from, f != older)
		f.missed = f == older || len(f.held) > 0
		f.held, f.todo = nil, nil
	}
	for _, f := range w.flows {
		if !f.dead {
			w.Locks.Adopt(f.Name, f.Engine)
		}
	}
	w.HandOn(w.Locks.Grant())
	for k, f := range w.flows {
		if !f.dead {
			listed := f.Listed()
			w.callAfterCrash(f)
			w.checkForgotten(f, was[k], &states[k], listed)
			w.checkCounted(f, starts[k])
		}
	}
}

// owedAgain names the nodes that wait for another pod in place of one that ended, of which the engine has heard all.
func (f *flow) owedAgain() []string {
	var names []string
	for _, o := range f.Engine.Obligations() {
		if p := f.Pod(o.Name); o.For == propagate.WaitStart && p != nil && p.State == simhost.PodEnded && !f.untold[p] {
			names = append(names, o.Name)
		}
	}
	return names
}

// checkCounted: a node that waited for another pod waits for it still, and did not end because of the pod before (I7). A timeout or a
// deadline may have ended it.
func (w *world) checkCounted(f *flow, names []string) {
	for _, name := range names {
		i := f.Engine.Graph().Find(name)
		if f.dead || i == nodegraph.None {
			continue
		}
		if v := f.Engine.Verdict(i); v.Phase.Unsuccessful() && v.Rule != rule.RuleStopped {
			w.fault(f, "restart counts the end of a pod twice", "%s waited for another pod and is %v", name, v.Phase)
		}
	}
}

// callAfterCrash is the first call of an engine that was made anew. What the host may have missed it lists.
func (w *world) callAfterCrash(f *flow) {
	lists := w.host.lists
	w.host.lists = lists || f.missed || w.host.restart != restartLoad
	w.call(f, 0)
	w.host.lists = lists
}

// restart makes the engine of a flow from what was stored. Where that is as new as the engine, nothing may have changed.
func (w *world) restart(f *flow, from *kept, current bool) {
	w.census.count("Restart " + w.host.String())
	old := f.Engine
	var unknown []string
	var err error
	way := []string{"load", "restore", "restore"}[w.host.restart]
	switch w.host.restart {
	case restartLoad:
		unknown, err = f.Load(from.state)
	case restartRestore:
		unknown, err = f.Restore(from.record)
	case restartObject:
		record, ok := w.throughObject(f, from)
		if !ok {
			f.dead = true
			return
		}
		unknown, err = f.Restore(record)
	}
	if err != nil {
		f.dead = true
		w.fault(f, way+" error", "%v", err)
		return
	}
	f.crashed, f.fresh = true, true
	if !current {
		return
	}
	w.checkUnknown(f, old, unknown, way)
	if w.host.restart == restartLoad {
		w.checkLoaded(f, old)
	} else {
		w.checkRestored(f, old, way)
	}
}

// checkUnknown: whatever was stored is known again, but attempts of which a record does not say that they did not count.
func (w *world) checkUnknown(f *flow, old *propagate.Engine, unknown []string, way string) {
	for _, id := range unknown {
		i := old.Graph().Find(id)
		if i != nodegraph.None && !(w.host.restart != restartLoad && insideUncounted(old.Graph(), i)) {
			w.fault(f, way+" unknown "+kindOf(old, i), "%s is not known any more", old.Graph().Node(i).Name())
		}
	}
}

// insideUncounted reports whether node i is, or is inside, an attempt of a Retry whose attempts may not count.
func insideUncounted(g *nodegraph.Graph, i nodegraph.Index) bool {
	for ; i > nodegraph.Root; i = g.Node(i).Parent {
		n := g.Node(i)
		if s := n.Template; n.Role == nodegraph.RoleAttempt && s != nil && s.Retry != nil && (s.Retry.IgnoreDisruptions || len(s.Retry.Rules) > 0) {
			return true
		}
	}
	return false
}

// checkLoaded: an engine that was loaded looks as the one that was saved (I7).
func (w *world) checkLoaded(f *flow, old *propagate.Engine) {
	g := old.Graph()
	for i := range nodegraph.Index(g.Len()) {
		k := f.Engine.Graph().Find(g.Node(i).ID())
		if i == nodegraph.Root {
			k = i
		}
		was, _ := old.Phase(i)
		now := nodegraph.PhasePlanned
		if k != nodegraph.None {
			now, _ = f.Engine.Phase(k)
		}
		if was != now {
			w.fault(f, fmt.Sprintf("load phase %s %s to %s", group(old, i), phaseName(was), phaseName(now)), "%s was %s and is %s", nameOf(g, i), phaseName(was), phaseName(now))
		}
	}
	was, now := needs(old.Obligations()), needs(f.Engine.Obligations())
	if diff := cmp.Diff(was, now); diff != "" {
		kind := "load obligation"
		for name, need := range was {
			if now[name] != need {
				kind += " " + need
				break
			}
		}
		w.fault(f, kind, "obligations differ: %v, then %v", old.Obligations(), f.Engine.Obligations())
	}
}

// nameOf is the name of node i, for messages.
func nameOf(g *nodegraph.Graph, i nodegraph.Index) string {
	if i == nodegraph.Root {
		return "the workflow"
	}
	return g.Node(i).Name()
}

// phaseName names a phase, that of a planned node too.
func phaseName(p nodegraph.Phase) string {
	if p == nodegraph.PhasePlanned {
		return "planned"
	}
	return p.String()
}

// needs is what each node waits for.
func needs(obligations []propagate.Obligation) map[string]string {
	all := make(map[string]string)
	for _, o := range obligations {
		all[o.Name] = o.For.String()
	}
	return all
}

// checkRestored: what was recorded as ended is so in the engine (I7).
func (w *world) checkRestored(f *flow, old *propagate.Engine, way string) {
	g := old.Graph()
	for i := range nodegraph.Index(g.Len()) {
		v := old.Verdict(i)
		if !v.Fulfilled || v.Daemoned || v.Phase == nodegraph.PhasePlanned {
			continue
		}
		k, name := f.Engine.Graph().Find(g.Node(i).ID()), nameOf(g, i)
		if i == nodegraph.Root {
			k = i
		}
		now := nodegraph.PhasePlanned
		if k != nodegraph.None {
			now, _ = f.Engine.Phase(k)
		} else if insideUncounted(g, i) {
			continue
		}
		if v.Phase != now {
			w.fault(f, fmt.Sprintf("%s reopens %s %v", way, kindOf(old, i), v.Phase), "%s was %s and is %s", name, v.Phase, phaseName(now))
		}
	}
}

// checkForgotten: a node that was waited for is still there, and not planned again, after the first call of an engine
// that was made anew (I7).
func (w *world) checkForgotten(f *flow, was []propagate.Obligation, state *propagate.State, listed []propagate.PodStatus) {
	if f.dead || f.Engine.Complete() {
		return
	}
	now := needs(f.Engine.Obligations())
	for _, o := range was {
		if o.Name == "" || now[o.Name] != "" {
			continue
		}
		i := f.Engine.Graph().Find(o.Name)
		if i == nodegraph.None {
			w.fault(f, "forgotten hook or attempt", "%s was waited for (%v) and is not known any more", o.Name, o.For)
		} else if phase, _ := f.Engine.Phase(i); phase == nodegraph.PhasePlanned && !f.closed(i) &&
			!f.afterEndedDaemon(i) && !f.waitsForHook(i, w.host.restart != restartLoad) && !w.plannedAnyway(f, o.Name, state, listed) {
			w.fault(f, "forgotten "+kindOf(f.Engine, i), "%s was waited for (%v) and is planned again", o.Name, o.For)
		}
	}
}

// plannedAnyway reports whether an engine that was told in its first call what one of a record was, and has forgotten nothing, has planned
// a node again.
func (w *world) plannedAnyway(f *flow, name string, state *propagate.State, listed []propagate.PodStatus) bool {
	twin, _, err := propagate.FromState(f.Spec, *state)
	if err != nil || w.host.restart == restartLoad {
		return false
	}
	if _, err := twin.SyncPods(w.Now, listed); err != nil {
		return false
	}
	phase, _ := twin.Phase(twin.Graph().Find(name))
	return phase == nodegraph.PhasePlanned
}

// closed reports whether node i is inside something that has ended, or that fails fast and in which something failed: the first call may
// have told of that, and nothing starts there any more. That a restart alone changes something is seen before that call.
func (f *flow) closed(i nodegraph.Index) bool {
	g := f.Engine.Graph()
	for p := g.Node(i).Parent; p > nodegraph.Root; p = g.Node(p).Parent {
		if v, t := f.Engine.Verdict(p), g.Node(p).Template; v.Fulfilled && !v.Daemoned || t != nil && t.FailFast && f.failedIn(p) {
			return true
		}
	}
	return false
}

// failedIn reports whether something in boundary i has failed, its groups looked through.
func (f *flow) failedIn(i nodegraph.Index) bool {
	g := f.Engine.Graph()
	for m := range g.Members(i) {
		kind := g.Node(m).Kind
		group := kind == nodegraph.KindStepGroup || kind == nodegraph.KindTaskGroup || kind == nodegraph.KindRetry
		if f.Engine.Verdict(m).Phase.Unsuccessful() || group && f.failedIn(m) {
			return true
		}
	}
	return false
}

// afterEndedDaemon reports whether node i comes directly after a daemon that was ready and is not: the first call told of its end.
func (f *flow) afterEndedDaemon(i nodegraph.Index) bool {
	g := f.Engine.Graph()
	for d := range g.Dependencies(i) {
		if t := g.Node(d).Template; t.IsDaemon() && !f.Engine.Verdict(d).Fulfilled {
			return true
		}
	}
	return false
}

// waitsForHook reports whether node i comes after a task or step of which a hook has come to be due. An engine that was loaded is as it
// was: its hook is due because of what the first call told, or of the status that hooks see in that call. An engine of a record may
// also only have to ask the host once more whether a hook is due: that it is not stands in no record.
func (f *flow) waitsForHook(i nodegraph.Index, asked bool) bool {
	g := f.Engine.Graph()
	before := []nodegraph.Index{i}
	for k := 0; k < len(before); k++ {
		for d := range g.Dependencies(before[k]) {
			if !slices.Contains(before, d) {
				before = append(before, d)
			}
		}
	}
	return slices.ContainsFunc(f.Engine.Obligations(), func(o propagate.Obligation) bool {
		owner, h := g.Owner(o.Node)
		return h != nil && (!asked || o.For == propagate.WaitCondition) && slices.ContainsFunc(before[1:], func(d nodegraph.Index) bool {
			return d == owner || g.Node(owner).Parent == d
		})
	})
}

// throughObject writes the record into the Workflow object of the flow and reads it again.
func (w *world) throughObject(f *flow, from *kept) (nodegraph.Snapshot, bool) {
	bad := func(what string, err error) (nodegraph.Snapshot, bool) {
		w.fault(f, "object "+what, "%v", err)
		return nodegraph.Snapshot{}, false
	}
	if f.object == nil {
		f.object = propagatetest.Manifest(f.Spec)
	}
	f.object = withRequests(f.object, from.state.Shutdown, from.state.Suspended)
	object, err := argo.Read(f.object)
	if err != nil {
		return bad("is not read", err)
	}
	object.RemoveNodes(onlyIn(object.Snapshot, from.record)...) // a manual retry has forgotten them
	if err := object.SetStatus(from.record); err != nil {
		return bad("is not written", err)
	}
	written, err := object.Encode()
	if err != nil {
		return bad("is not encoded", err)
	}
	patch, err := object.Patch()
	if err != nil {
		return bad("has no patch", err)
	}
	if want, got := decoded(written), mergePatch(decoded(f.object), decoded(patch)); !reflect.DeepEqual(want, got) {
		w.fault(f, "object patch", "the patch does not lead to what is written: %s", cmp.Diff(want, got))
	}
	f.object = written
	again, err := argo.Read(written)
	if err != nil {
		return bad("is not read again", err)
	}
	if f.compared {
		return again.Snapshot, true
	}
	f.compared = true
	if diff := cmp.Diff(expressible(f.Spec), expressible(again.Spec), cmpopts.EquateEmpty(), cmp.Comparer(sameExpression)); diff != "" {
		w.fault(f, "object spec", "the specification that is read differs: %s", diff)
	}
	return again.Snapshot, true
}

// onlyIn are the ids of the nodes that only the first record has.
func onlyIn(from, in nodegraph.Snapshot) []string {
	var ids []string
	for i := range from.Nodes {
		id := from.Nodes[i].ID
		if !slices.ContainsFunc(in.Nodes, func(n nodegraph.NodeStatus) bool { return n.ID == id }) {
			ids = append(ids, id)
		}
	}
	return ids
}

func sameExpression(a, b *retry.Expression) bool {
	return (a == nil) == (b == nil) && (a == nil || a.String() == b.String())
}

func decoded(text []byte) any {
	var v any
	_ = json.Unmarshal(text, &v) // of what was encoded: can't fail
	return v
}

// mergePatch applies a JSON merge patch (RFC 7386).
func mergePatch(to, patch any) any {
	p, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	merged := make(map[string]any)
	if old, ok := to.(map[string]any); ok {
		for key, value := range old {
			merged[key] = value
		}
	}
	for key, value := range p {
		if value == nil {
			delete(merged, key)
		} else {
			merged[key] = mergePatch(merged[key], value)
		}
	}
	return merged
}
