package propagate_test

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// drain lets only good things happen, until all workflows are complete or nothing is left to happen.
func (w *world) drain() {
	for step := 0; ; step++ {
		if step == mostSteps {
			w.fault(nil, "endless", "%d good things happened, and it is not complete", mostSteps)
			return
		}
		if w.good() {
			continue
		}
		if !w.stuck() {
			return
		}
	}
}

// good lets one good thing happen. It reports whether there was one.
func (w *world) good() bool {
	for k, f := range w.flows {
		if f.dead {
			continue
		}
		if w.goodFor(k, f) {
			return true
		}
	}
	for k, f := range w.flows { // time passes only when there is nothing else
		if f.dead || f.Engine.Complete() {
			continue
		}
		for _, o := range f.Engine.Obligations() {
			if o.For != propagate.WaitTimer {
				continue
			}
			if at := f.Wake; at.After(w.Now) {
				w.Now = at
			} else if o.Until.After(w.Now) {
				w.Now = o.Until
			} else {
				w.Now = w.Now.Add(time.Second)
			}
			return w.do(move{op: "tick", flow: k, n: 1})
		}
	}
	return false
}

// goodFor lets one good thing happen to a flow.
func (w *world) goodFor(k int, f *flow) bool {
	do := func(op, node, ctr string) bool { return w.do(move{op: op, flow: k, node: node, ctr: ctr}) }
	if len(f.held) > 0 || w.host.lists && f.hasUntold() {
		w.call(f, 0)
		return true
	}
	if _, names := w.errands(f, false); len(names) > 0 {
		return do("answer", names[0], "")
	}
	if places, names := w.errands(f, true); len(names) > 0 {
		id := w.Owed[places[0]].Action.ID
		if id != "" && names[0] == "" || !do("grant", names[0], "") { // of a node that is not known any more
			w.release(f, id)
		}
		return true
	}
	if len(f.todo) > 0 {
		return do("make", f.todo[0], "")
	}
	for _, p := range f.Pods {
		if op, ctr := f.goodForPod(p); op != "" && do(op, p.Node, ctr) {
			return true
		}
	}
	if f.Engine.Complete() {
		return false
	}
	for _, o := range f.Engine.Obligations() {
		if w.goodNeed(k, f, &o) {
			return true
		}
	}
	return false
}

// goodNeed does what one obligation asks for. It reports whether it could.
func (w *world) goodNeed(k int, f *flow, o *propagate.Obligation) bool {
	p := f.Pod(o.Name)
	switch o.For {
	case propagate.WaitSuspended:
		return w.do(move{op: "suspend", flow: k, n: 1})
	case propagate.WaitResume:
		return w.do(move{op: "resume", flow: k, node: o.Name})
	case propagate.WaitServed:
		return slices.Contains(f.Served, o.Name) && w.do(move{op: "serve", flow: k, node: o.Name})
	case propagate.WaitStart:
		if p == nil || !p.Alive() { // it makes one if there is none
			w.makePod(f, o.Name)
			return true
		}
	case propagate.WaitResult: // told before, it is told again, and must help
		return p != nil && w.do(move{op: "synced", flow: k, node: o.Name}) && needs(f.Engine.Obligations())[o.Name] != o.For.String()
	}
	return false
}

// hasUntold reports whether a pod changed and the engine is to hear of that.
func (f *flow) hasUntold() bool {
	return slices.ContainsFunc(f.Pods, func(p *simhost.Pod) bool { return f.untold[p] })
}

// goodForPod says what good happens to the pod of a node next; nothing if it has ended, or is a daemon that is ready.
func (f *flow) goodForPod(p *simhost.Pod) (op, ctr string) {
	i := f.Engine.Graph().Find(p.Node)
	switch {
	case p.Unsynced:
		return "synced", ""
	case !p.Alive():
		return "", ""
	case p.Terminating:
		return "delete", ""
	case i == nodegraph.None:
		p.State = simhost.PodGone // the engine does not know it, and the host removes it
		return "", ""
	case f.Engine.Complete():
		return "", ""
	case p.State != simhost.PodRunning:
		return "running", ""
	case p.Template.Daemon:
		return goodForDaemon(p)
	}
	for _, c := range p.Template.Containers {
		for _, s := range p.Status.Containers {
			if s.Name == c.Name && !s.Terminated {
				return "ctrend", c.Name
			}
		}
	}
	return "ok", ""
}

// goodForDaemon says what good happens to the running pod of a daemon: it becomes ready, or ends with its last container. One of which
// a container has ended never becomes ready: the next thing that can happen is that another ends.
func goodForDaemon(p *simhost.Pod) (op, ctr string) {
	ended, runs := 0, ""
	for _, c := range p.Status.Containers {
		if c.Terminated {
			ended++
		} else {
			runs = c.Name
			if !c.Ready {
				op = "running"
			}
		}
	}
	switch {
	case ended == len(p.Status.Containers):
		return "ok", ""
	case ended > 0 && op == "":
		return "ctrend", runs
	}
	return op, ""
}
