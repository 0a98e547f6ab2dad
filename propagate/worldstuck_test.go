package propagate_test

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// stuck notes what the unfinished workflows wait for when nothing good is left to happen, and does what a person would do
// then. It reports whether there was anything to do.
func (w *world) stuck() bool {
	again := false
	for _, f := range w.flows {
		if f.dead || f.Engine.Complete() {
			continue
		}
		for _, o := range f.Engine.Obligations() {
			if why := w.hopeless(f, &o); why != "" && o.Never == "" {
				w.fault(f, "hangs: "+why, "%v for ever: %s", o, why)
			}
		}
	}
	for k, f := range w.flows {
		if f.dead || f.Engine.Complete() {
			continue
		}
		if !f.stopped {
			f.stopped = true
			w.do(move{op: "shutdown", flow: k, n: 1})
			again = true
		} else {
			w.fault(f, "hangs after Terminate", "%v", f.Engine.Obligations())
			f.dead = true
		}
	}
	return again
}

// hopeless says why an obligation of a stuck workflow is a fault; nothing where its users are to blame, who take locks in
// different orders, and somebody says so.
func (w *world) hopeless(f *flow, o *propagate.Obligation) string {
	if o.For == propagate.WaitLock {
		if why := w.lockWait(f, o); why != "" || w.whyIsTold() {
			return why
		}
		return "lock, and nobody says why"
	}
	if o.For == propagate.WaitParallelism && w.locked(f) {
		return "" // those who have the places wait for locks
	}
	return o.For.String()
}

// whyIsTold reports whether the table names a cycle of waits, or a workflow that it waits for ever, or for something else: then that
// is the fault. A dead workflow says nothing.
func (w *world) whyIsTold() bool {
	tells := func(o propagate.Obligation) bool {
		return o.Never != "" || o.For != propagate.WaitLock && o.For != propagate.WaitParallelism
	}
	return len(w.Locks.Deadlocks()) > 0 || slices.ContainsFunc(w.flows, func(f *flow) bool {
		return f.dead || slices.ContainsFunc(f.Engine.Obligations(), tells)
	})
}

// locked reports whether a node of the flow waits for a lock as its users would have it.
func (w *world) locked(f *flow) bool {
	return slices.ContainsFunc(f.Engine.Obligations(), func(o propagate.Obligation) bool {
		return o.For == propagate.WaitLock && w.lockWait(f, &o) == ""
	})
}

// lockWait says why a wait for locks is a fault. The locks may be free; or held by a node that has ended or is a ready
// daemon, or by nobody but what the waiter is inside of.
func (w *world) lockWait(f *flow, o *propagate.Obligation) string {
	g := f.Engine.Graph()
	locks := f.Spec.Locks
	if o.Node != nodegraph.Root {
		locks = g.Node(o.Node).Template.Locks
	}
	free := true
	for _, l := range locks {
		holders := w.Locks.Holders(l.Key)
		free = free && len(holders) < max(1, l.Limit)
		around := 0
		for _, h := range holders {
			switch why := w.heldBy(f, o.Node, h); why {
			case "":
			case ofWhatItIsInside:
				around++
			default:
				return "lock " + why
			}
		}
		if around >= max(1, l.Limit) {
			return "lock " + ofWhatItIsInside
		}
	}
	if free {
		return "lock that is free"
	}
	return ""
}

const ofWhatItIsInside = "of what it is inside of"

// heldBy says why a holder keeps a lock for ever from node i of a flow; nothing if it waits itself.
func (w *world) heldBy(f *flow, i nodegraph.Index, h propagate.Holder) string {
	for _, other := range w.flows {
		if other.Name != h.Workflow {
			continue
		}
		if other.dead {
			return ""
		}
		k := other.Engine.Graph().Find(h.Node)
		if h.Node == "" {
			k = nodegraph.Root
		}
		if k == nodegraph.None {
			return "of a node that is not known"
		}
		if other == f {
			for p := i; p != nodegraph.None; p = f.Engine.Graph().Node(p).Parent {
				if p == k {
					return ofWhatItIsInside
				}
			}
		}
		v := other.Engine.Verdict(k)
		switch {
		case v.Daemoned:
			return "of a ready daemon"
		case v.Fulfilled:
			return "of what has ended"
		}
	}
	return ""
}

// checkLeft: when all is over no lock is held, nobody is queued, and no pod is left that was heard of and nobody ends.
func (w *world) checkLeft() {
	for _, f := range w.flows {
		if f.dead || !f.Engine.Complete() {
			return
		}
		w.checkExitHooks(f)
		if w.host.lists {
			w.call(f, 0) // a list still shows what was not told
		}
		for _, p := range f.Pods {
			i := f.Engine.Graph().Find(p.Node)
			told := w.host.lists && p.State != simhost.PodNew || i != nodegraph.None && f.Engine.Fact(i).UID == p.UID
			if p.Alive() && !p.Terminating && told {
				w.fault(f, "left pod"+f.since(), "the pod of %s lives on, and the workflow is complete", p.Node)
			}
		}
	}
	for _, l := range []nodegraph.Lock{lockM, lockJ, lockS, lockOne} {
		if h := w.Locks.Holders(l.Key); len(h) > 0 {
			w.fault(nil, "left lock held", "%s is held by %v", l.Key, h)
		}
		if h := w.Locks.Waiters(l.Key); len(h) > 0 {
			w.fault(nil, "left lock awaited", "%s is awaited by %v", l.Key, h)
		}
	}
}

// since says whether the host of a flow crashed.
func (f *flow) since() string {
	if f.crashed {
		return " after a crash"
	}
	return ""
}

// checkExitHooks: whatever ran and ended has its exit hook, in a workflow that nobody and nothing cut short.
func (w *world) checkExitHooks(f *flow) {
	cut := slices.ContainsFunc(allTemplates(f.Spec), func(t *nodegraph.Template) bool { return t.FailFast })
	if cut || f.Engine.Save().Shutdown != "" || f.Spec.ActiveDeadline > 0 || f.retry > 0 {
		return
	}
	for _, i := range simhost.LostExitHooks(f.Engine) {
		n := f.Engine.Graph().Node(i)
		if n.Task.ExitHook().Expression != "" || n.Template != nil && n.Template.Daemon { // it may not hold; it ends with what it is inside of
			continue
		}
		w.fault(f, "exit hook lost of "+kindOf(f.Engine, i), "%s is %v, and its exit hook never ran", n.Name(), f.Engine.Verdict(i).Phase)
	}
}
