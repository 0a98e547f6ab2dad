package propagate_test

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
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
		if f.dead || f.e.Complete() {
			continue
		}
		for _, o := range f.e.Obligations() {
			if o.For != propagate.NeedTimer {
				continue
			}
			if at := f.wake; at.After(w.now) {
				w.now = at
			} else if o.Until.After(w.now) {
				w.now = o.Until
			} else {
				w.now = w.now.Add(time.Second)
			}
			return w.do(move{op: "tick", flow: k, n: 1})
		}
	}
	return false
}

// goodFor lets one good thing happen to a flow.
func (w *world) goodFor(k int, f *flow) bool {
	do := func(op, node, ctr string) bool { return w.do(move{op: op, flow: k, node: node, ctr: ctr}) }
	if len(f.held) > 0 || w.host.lists && f.untold() {
		w.call(f, 0)
		return true
	}
	if len(f.owed) > 0 {
		return do("answer", f.owed[0].Name, "")
	}
	if len(f.grants) > 0 {
		w.goodGrant(k, f, f.grants[0])
		return true
	}
	if len(f.todo) > 0 {
		return do("make", f.todo[0], "")
	}
	for _, name := range f.order {
		if op, ctr := f.goodForPod(name); op != "" && do(op, name, ctr) {
			return true
		}
	}
	if f.e.Complete() {
		return false
	}
	for _, o := range f.e.Obligations() {
		if w.goodNeed(k, f, &o) {
			return true
		}
	}
	return false
}

// goodNeed does what one obligation asks for. It reports whether it could.
func (w *world) goodNeed(k int, f *flow, o *propagate.Obligation) bool {
	p := f.pods[o.Name]
	switch o.For {
	case propagate.NeedUnsuspend:
		return w.do(move{op: "suspend", flow: k, n: 1})
	case propagate.NeedResume:
		return w.do(move{op: "resume", flow: k, node: o.Name})
	case propagate.NeedServed:
		return f.served[o.Name] && w.do(move{op: "serve", flow: k, node: o.Name})
	case propagate.NeedStart:
		if p == nil || !p.alive() { // it makes one if there is none
			w.makePod(f, o.Name)
			return true
		}
	case propagate.NeedResult: // told before, it is told again, and must help
		return p != nil && w.do(move{op: "synced", flow: k, node: o.Name}) && needs(f.e.Obligations())[o.Name] != o.For.String()
	}
	return false
}

// goodGrant tells a node that it has its locks, or gives them back for one that is not known any more.
func (w *world) goodGrant(k int, f *flow, id string) {
	m := move{op: "grant", flow: k}
	if i := f.e.Graph().Find(id); i != nodegraph.None && id != "" {
		m.node = f.e.Graph().Node(i).Name()
	}
	if id != "" && m.node == "" || !w.do(m) {
		w.release(f, id)
	}
}

// untold reports whether a pod changed and the engine is to hear of that.
func (f *flow) untold() bool {
	for _, p := range f.pods {
		if p.untold {
			return true
		}
	}
	return false
}

// goodForPod says what good happens to the pod of a node next; nothing if it has ended, or is a daemon that is ready.
func (f *flow) goodForPod(name string) (op, ctr string) {
	p := f.pods[name]
	i := f.e.Graph().Find(name)
	switch {
	case p.unsynced:
		return "synced", ""
	case !p.alive():
		return "", ""
	case p.terminating:
		return "delete", ""
	case i == nodegraph.None:
		p.state = "gone" // the engine does not know it, and the host removes it
		return "", ""
	case f.e.Complete():
		return "", ""
	case p.state != "running":
		return "running", ""
	case f.e.Graph().Node(i).Template.Daemon:
		return p.goodForDaemon(), ""
	}
	for _, c := range f.e.Graph().Node(i).Template.Containers {
		for _, s := range p.status.Containers {
			if s.Name == c.Name && !s.Terminated {
				return "ctrend", c.Name
			}
		}
	}
	return "ok", ""
}

// goodForDaemon says what good happens to the running pod of a daemon: it becomes ready, or ends with its last container.
func (p *worldPod) goodForDaemon() string {
	ended, op := 0, ""
	for _, c := range p.status.Containers {
		if c.Terminated {
			ended++
		} else if !c.Ready {
			op = "running"
		}
	}
	if ended == len(p.status.Containers) {
		return "ok"
	}
	return op
}
