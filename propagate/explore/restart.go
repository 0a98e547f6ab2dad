package explore

import (
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

var crashNames = [...]string{"saved state", "record", "record, and all pods have vanished"}

// crashes lists after how many of the actions that came of a move the host may crash: before and after each that it can't
// take back, from all that it keeps.
func (x *Exploration) crashes(m move, actions []propagate.Action) []move {
	var list []move
	add := func(n int) {
		m.crash = int8(n) + 1
		if x.Cluster.Crash {
			m.from = fromState
			list = append(list, m)
		}
		if x.Cluster.Record {
			m.from = fromRecord
			list = append(list, m)
			if x.Cluster.Lose {
				m.from = fromRecordAlone
				list = append(list, m)
			}
		}
	}
	for n, a := range actions {
		switch a.Type {
		case propagate.ActionStart, propagate.ActionRecreate, propagate.ActionTerminate:
			if !a.Kind.Composite() {
				add(n)
			}
		}
	}
	add(len(actions))
	return list
}

// crash replaces the host by one that goes on from what was kept. It adopts all engines before it acts on any.
func (w *World) crash(from crashKind) {
	w.note("    the host crashes, and goes on from the %s", crashNames[from])
	for _, f := range w.Workflows {
		f.Pods = slices.DeleteFunc(f.Pods, func(p *simhost.Pod) bool { return p.State == simhost.PodNew })
	}
	before := slices.Clone(w.Engines)
	due := make([]bool, len(before)) // the next call would change something
	for k, e := range before {
		wake := w.Workflows[k].Wake
		due[k] = w.Now.After(e.Now()) || !wake.IsZero() && !wake.After(w.Now) || from == fromRecordAlone
	}
	for _, p := range w.pods() {
		if from == fromRecordAlone && p.Alive() {
			p.State = simhost.PodGone
		}
	}
	w.Kill()
	for k, f := range w.Workflows {
		if from == fromState {
			w.load(k)
		} else {
			w.restore(k)
			w.flows[k].said = nil // a record does not name the pods before those that are listed
		}
		w.Engines[k], w.hashed = f.Engine, nil
		w.compareEnded("", endsOf(before[k]), f.Engine)
		w.Locks.Adopt(f.Name, f.Engine)
	}
	for k, f := range w.Workflows {
		old := endsOf(f.Engine)
		f.Relist = from != fromState || f.Engine.Complete()
		r, _ := w.apply(k)
		w.compareEnded(" with the first call", old, f.Engine)
		if !due[k] {
			w.compareOpen(before[k], f.Engine)
		}
		w.carryOut(k, r.Actions)
	}
	w.HandOn(w.Locks.Grant())
}

// compareOpen: nothing is new in the cluster, so what was open is open, and what was waited for is still waited for, or
// has come.
func (w *World) compareOpen(old, now *propagate.Engine) {
	was, is := endsOf(old), endsOf(now)
	for i := nodegraph.Root; int(i) < now.Graph().Len(); i++ {
		n := now.Graph().Node(i)
		end, ended := is[n.Name()]
		if _, had := was[n.Name()]; ended && !had {
			w.fault(kindOf("restart: what was open ends", n.Kind), "%q is %s", n.Name(), end.phase)
			return
		}
	}
	waits := make(map[nodegraph.Index]bool)
	for _, o := range now.Obligations() {
		waits[o.Node] = true
	}
	for _, o := range old.Obligations() {
		if i := now.Graph().Find(o.Name); o.Node != nodegraph.Root && (i == nodegraph.None || !waits[i]) {
			w.fault(kindOf("restart: nobody waits any more for "+o.For.String(), old.Graph().Node(o.Node).Kind), "%v", o)
			return
		}
	}
}

func (w *World) load(k int) {
	if unknown, err := w.Workflows[k].Load(w.Engines[k].Save()); err != nil || len(unknown) > 0 {
		w.fault("the saved state is refused", "workflow %d: %v %v", k, unknown, err)
	}
}

func (w *World) restore(k int) {
	s, err := w.Engines[k].Snapshot(), error(nil)
	if written := w.x.Cluster.Written; written != nil {
		s, err = written(k, s)
	}
	if err == nil {
		var unknown []string
		if unknown, err = w.Workflows[k].Restore(s); err == nil {
			w.checkUnknown(k, unknown)
		}
	}
	if err != nil {
		w.fault("the record is refused", "workflow %d: %v", k, err)
	}
}

// checkUnknown: a record does not say why a pod failed, so attempts after one with which a Retry would have ended may be
// left out. Everything else is known.
func (w *World) checkUnknown(k int, unknown []string) {
	g := w.Engines[k].Graph()
	for _, id := range unknown {
		i := g.Find(id)
		for g.Node(i).Role != nodegraph.RoleAttempt && g.Node(i).Parent > nodegraph.Entry {
			i = g.Node(i).Parent
		}
		if g.Node(i).Role != nodegraph.RoleAttempt || !w.Engines[k].Verdict(g.Node(i).Parent).Phase.Unsuccessful() {
			w.fault("restore: a node is not known any more", "workflow %d: %s", k, g.Node(g.Find(id)).Name())
		}
	}
}

// A nodeEnd is how a node ended.
type nodeEnd struct {
	kind  nodegraph.Kind
	phase nodegraph.Phase
}

// endsOf are the nodes that have ended, by name.
func endsOf(e *propagate.Engine) map[string]nodeEnd {
	ends := make(map[string]nodeEnd)
	for i := nodegraph.Root; int(i) < e.Graph().Len(); i++ {
		if v := e.Verdict(i); v.Fulfilled && !v.Daemoned {
			ends[e.Graph().Node(i).Name()] = nodeEnd{e.Graph().Node(i).Kind, v.Phase}
		}
	}
	return ends
}

// compareEnded: what had ended is as it ended.
func (w *World) compareEnded(when string, old map[string]nodeEnd, now *propagate.Engine) {
	is := endsOf(now)
	for i := nodegraph.Root; int(i) < now.Graph().Len(); i++ { // in the order of the graph
		name := now.Graph().Node(i).Name()
		was, had := old[name]
		if has, still := is[name]; had && (!still || has.phase != was.phase) {
			phase, _ := now.Phase(i)
			w.fault(kindOf("restore: what had ended changes", was.kind)+when, "%q was %s and is %s", name, was.phase, phase)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if name != "" && now.Graph().Find(name) == nodegraph.None {
			w.fault(kindOf("restore: what had ended is forgotten", old[name].kind)+when, "%q was %s", name, old[name].phase)
			return
		}
	}
}
