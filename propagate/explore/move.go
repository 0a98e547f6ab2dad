package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// good reports whether the move does no harm, so that nobody may have to wait for more than it.
func (m move) good() bool {
	switch m.what {
	case moveErrand:
		return m.how == 0 && m.with == 0
	case movePod:
		return podMove(m.how) <= lastGood && m.with == 0
	case moveServed:
		return m.how == 0 && m.with == 0
	}
	return m.what < moveSuspend && m.with == 0
}

// harm is how much of what may do harm on a path the move uses up.
func (w *World) harmOf(m move) int {
	harm := 0
	switch {
	case m.what >= moveSuspend, m.what == moveServed && m.how > 0:
		harm = 1
	case m.what == movePod:
		if good, _ := w.podMoves(w.pods()[m.at]); !slices.Contains(good, podMove(m.how)) {
			harm = 1
		}
	}
	if m.with > 0 {
		harm++
	}
	if m.crash > 0 {
		harm++
	}
	return harm
}

// possible lists all that may happen next: what is good first, time last of that.
func (w *World) possible() []move {
	var good, bad []move
	for m, f := range w.x.Facts {
		if !w.Told(m) && w.may(f) {
			good = append(good, move{what: moveFact, at: int16(m)})
		}
	}
	for at := range w.Owed {
		for how := range w.answers(&w.Owed[at]) {
			good = append(good, move{what: moveErrand, at: int16(at), how: int8(how)})
		}
	}
	if w.x.Cluster != nil {
		good, bad = w.inCluster(good)
	}
	return append(good, bad...)
}

// may reports whether a fact may come next: its node was created and has, if it is about a pod, one that was asked for.
func (w *World) may(f Fact) bool {
	e := w.Engines[f.Workflow]
	if e.Complete() {
		return false
	}
	if f.Event.Node == "" {
		return true
	}
	i := e.Graph().Find(f.Event.Node)
	ofPod := f.Event.Type <= propagate.EventContainerRetried
	return i != nodegraph.None && !e.Fact(i).Created.IsZero() && (e.Fact(i).Lock == fact.LockNone || e.Fact(i).Lock == fact.LockHeld) &&
		(!ofPod || w.flows[f.Workflow].asked[f.Event.Node])
}

// inCluster adds to good what may happen in the cluster, and returns what may do harm besides.
func (w *World) inCluster(good []move) (all, bad []move) {
	c := w.x.Cluster
	for at, p := range w.pods() {
		if w.Workflow(p.Workflow).Engine.Complete() {
			continue
		}
		fine, worse := w.podMoves(p)
		for _, how := range fine {
			good = append(good, move{what: movePod, at: int16(at), how: int8(how)})
		}
		for _, how := range worse {
			bad = append(bad, move{what: movePod, at: int16(at), how: int8(how)})
		}
		if c.Newer && !w.newer() {
			for how := range 3 {
				bad = append(bad, move{what: moveNewer, at: int16(at), how: int8(how)})
			}
		}
	}
	for k, e := range w.Engines {
		more, worse := w.ofWorkflow(k, e)
		good, bad = append(good, more...), append(bad, worse...)
	}
	if c.Harm > w.harm {
		for _, m := range good {
			for with := range c.Shutdown {
				if m.what == moveErrand || m.what == movePod || m.what == moveWoken {
					m.with = int8(with) + 1
					bad = append(bad, m)
				}
			}
		}
	}
	if !w.NextWake().IsZero() {
		good = append(good, move{what: moveClock})
	}
	return good, bad
}

// newer reports whether a pod has come that nobody asked for.
func (w *World) newer() bool {
	return slices.ContainsFunc(w.path, func(m move) bool { return m.what == moveNewer })
}

// ofWorkflow lists what may happen to one workflow as a whole, to what it waits for, and to its served nodes.
func (w *World) ofWorkflow(k int, e *propagate.Engine) (good, bad []move) {
	c, f, flow, at := w.x.Cluster, &w.flows[k], w.Workflows[k], int16(k)
	if e.Complete() {
		if phase, _ := e.Workflow(); c.Retry && !f.retried && phase.Unsuccessful() {
			bad = append(bad, move{what: moveRetry, at: at})
		}
		return nil, bad
	}
	for which := range flow.Served {
		good = append(good, move{what: moveServed, at: at, how: int8(2 * which)})
		if c.Fail {
			bad = append(bad, move{what: moveServed, at: at, how: int8(2*which + 1)})
		}
	}
	for which := range w.resumable(k) {
		good = append(good, move{what: moveResumed, at: at, how: int8(which)})
	}
	if f.suspended {
		good = append(good, move{what: moveUnsuspend, at: at})
	} else if c.Suspend {
		bad = append(bad, move{what: moveSuspend, at: at})
	}
	if !flow.Wake.IsZero() && !flow.Wake.After(w.Now) {
		good = append(good, move{what: moveWoken, at: at})
	}
	for how, strategy := range c.Shutdown {
		if f.shutdown != strategy && f.shutdown != "Terminate" {
			bad = append(bad, move{what: moveShutdown, at: at, how: int8(how)})
		}
	}
	if c.Agent && len(flow.Served) > 0 {
		bad = append(bad, move{what: moveAgent, at: at})
	}
	return good, bad
}

// resumable are the Suspend nodes that wait for somebody.
func (w *World) resumable(k int) []string {
	var list []string
	for _, o := range w.Engines[k].Obligations() {
		if o.For == propagate.WaitResume {
			list = append(list, o.Name)
		}
	}
	return list
}

// tell makes the move in the cluster and at the host, and returns what is to be told.
func (w *World) tell(m move) deed {
	w.faults = nil
	d := deed{workflow: int(m.at)}
	say := func(ev propagate.Event) { d.events = append(d.events, ev) }
	switch m.what {
	case moveFact:
		d.workflow = w.x.Facts[m.at].Workflow
		say(w.x.Facts[m.at].Event)
		w.told |= 1 << m.at
	case moveErrand:
		d.workflow = w.Index(w.Owed[m.at].Workflow)
		say(w.run(int(m.at), int(m.how)))
	case movePod:
		p := w.pods()[m.at]
		d.workflow = w.Index(p.Workflow)
		if podMove(m.how) == podMade {
			d.silent = true
			p.Become(propagate.PodPending("", ""))
			w.note("the pod of %s is made", p.Node)
			return d
		}
		say(become(p, podMove(m.how)))
	case moveNewer:
		p := w.pods()[m.at]
		d.workflow = w.Index(p.Workflow)
		say(w.unasked(p, int(m.how)))
	case moveServed:
		say(w.served(d.workflow, int(m.how)))
	case moveResumed:
		say(propagate.Resumed(w.resumable(d.workflow)[m.how]))
	case moveSuspend, moveUnsuspend:
		w.flows[m.at].suspended = m.what == moveSuspend
		say(propagate.Suspended(m.what == moveSuspend))
	case moveShutdown:
		w.flows[m.at].shutdown = w.x.Cluster.Shutdown[m.how]
		say(propagate.Shutdown(w.x.Cluster.Shutdown[m.how]))
	case moveRetry:
		w.flows[m.at].retried = true
		w.flows[m.at].watch.ManualRetry()
		say(propagate.ManualRetry())
	case moveAgent:
		w.Workflows[m.at].Served = nil
		say(propagate.AgentEnded("the agent is gone"))
	case moveClock:
		w.Now, d.silent = w.NextWake(), true
	}
	if m.with > 0 {
		w.flows[d.workflow].shutdown = w.x.Cluster.Shutdown[m.with-1]
		say(propagate.Shutdown(w.x.Cluster.Shutdown[m.with-1]))
	}
	w.noteDeed(m, d)
	return d
}

func (w *World) noteDeed(m move, d deed) {
	if !w.noting {
		return
	}
	text := fmt.Sprintf("%d:", d.workflow)
	if len(w.Engines) == 1 {
		text = ""
	}
	switch {
	case d.silent:
		text = fmt.Sprintf("time passes: +%v", w.Now.Sub(epoch))
	case len(d.events) == 0:
		text += "Apply"
	}
	for at, ev := range d.events {
		if at > 0 {
			text += " +"
		}
		if i := w.Engines[d.workflow].Graph().Find(ev.Node); i > nodegraph.Root {
			ev.Node = w.Engines[d.workflow].Graph().Node(i).Name() // locks are granted to ids
		}
		text += " " + simhost.Describe(ev)
	}
	w.note("%s", strings.TrimLeft(text, " "))
}

// served is the end of an HTTP or Plugin node.
func (w *World) served(k, how int) propagate.Event {
	f := w.Workflows[k]
	name, phase := f.Served[how/2], nodegraph.PhaseSucceeded
	if how%2 == 1 {
		phase = nodegraph.PhaseFailed
	}
	f.Served = slices.Delete(f.Served, how/2, how/2+1)
	return propagate.NodeEnded(name, phase, "")
}

// unasked makes a pod that nobody asked for in the place of another.
func (w *World) unasked(old *simhost.Pod, how int) propagate.Event {
	p := w.Make(old.Workflow, old.Node)
	p.Become(propagate.PodPending("", ""))
	p.Stray = true
	return become(p, []podMove{podVanishes, podBegins, podFails}[how])
}

// take lets a move happen, and returns what its engine said. On an error nothing comes of it.
func (w *World) take(m move) (propagate.Result, error) {
	if m.what == moveAgain {
		w.sayAgain(func(int, propagate.Event, propagate.Result, error) {})
		return propagate.Result{}, nil
	}
	harm := w.harmOf(m)
	d := w.tell(m)
	var r propagate.Result
	var err error
	if !d.silent {
		r, err = w.apply(d.workflow, d.events...)
	}
	return r, w.come(m, d, harm, r, err)
}

// come lets come of a move what its engine said.
func (w *World) come(m move, d deed, harm int, r propagate.Result, err error) error {
	w.moves, w.harm = w.moves+1, w.harm+harm
	w.path = append(w.path, m)
	w.odd = w.odd || m.what >= moveWoken || m.with > 0 || m.crash > 0
	if m.what == moveErrand {
		if errors.Is(err, propagate.ErrComplete) { // what asked has ended meanwhile: the host gives the lock back
			if d.events[0].Type == propagate.EventLockGranted || d.events[0].Type == propagate.EventLockQueued {
				w.GiveBack(w.Workflows[d.workflow].Name, d.events[0].Node)
			}
			err = nil
		} else if w.flows[d.workflow].retried && (errors.Is(err, propagate.ErrUnknownNode) || errors.Is(err, propagate.ErrNotStarted)) {
			err = nil // the question was asked before
		}
	}
	if err != nil {
		return err
	}
	w.remember(m, d)
	if m.what == moveRetry {
		w.Workflows[d.workflow].DeletePods()
	}
	actions := r.Actions
	if m.crash > 0 {
		actions = actions[:m.crash-1]
	}
	w.carryOut(d.workflow, actions)
	if m.crash > 0 {
		w.crash(m.from)
	}
	return nil
}

// sayAgain says all that was said once more, at the time that the engines know. It leaves out those that a call with
// nothing at all would change.
func (w *World) sayAgain(heard func(k int, ev propagate.Event, r propagate.Result, err error)) {
	w.faults = nil
	again, now := false, w.Now
	for k := range w.flows {
		w.Now = w.Engines[k].Now()
		if wake := w.Workflows[k].Wake; !wake.IsZero() && !wake.After(w.Now) {
			continue
		}
		for _, ev := range w.flows[k].said {
			if w.Engines[k].Complete() {
				break
			}
			again = true
			r, err := w.call(k, ev)
			heard(k, ev, r, err)
		}
	}
	w.Now = now
	if again {
		w.path = append(w.path, move{what: moveAgain})
		w.note("all of that is said once more")
	}
}

// remember notes what may be said once more.
func (w *World) remember(m move, d deed) {
	f := &w.flows[d.workflow]
	if m.what == moveRetry {
		w.Workflows[d.workflow].Served = nil
		f.said = slices.DeleteFunc(f.said, func(ev propagate.Event) bool { return ev.Pod.UID == "" }) // what is asked anew is answered anew
		w.Owed = slices.DeleteFunc(w.Owed, func(e simhost.Errand) bool { return e.Workflow == w.Workflows[d.workflow].Name })
		return
	}
	for _, ev := range d.events {
		f.history = append(f.history, simhost.Describe(ev))
		switch ev.Type {
		case propagate.EventLockGranted, propagate.EventLockQueued, propagate.EventSuspended, propagate.EventShutdown, propagate.EventAgentEnded,
			propagate.EventResultPending, propagate.EventResultSynced: // it counts when they come
		default:
			f.said = append(f.said, ev)
		}
	}
}
