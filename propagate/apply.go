package propagate

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Apply tells the engine that it is now, and what happened. It returns what changed and what the host must do. Time
// never goes back: an earlier now counts as the latest one. The events of one call are one batch: either all are
// taken or, with an [*EventError], none. Their order does not matter, save where a constructor says so. A call that can't be
// made is a [*UseError].
//
// Call it with no events when a timer has run out (ActionWake), and once at the beginning to start the workflow.
//
// The slices of the result are the caller's. [Engine.ApplyTo] reuses them and does not allocate.
func (e *Engine) Apply(now time.Time, events ...Event) (Result, error) {
	var r Result
	err := e.ApplyTo(&r, now, events...)
	return r, err
}

// ApplyTo is Apply with a result to fill in: what it held is overwritten, and its slices are used again. An event that
// adds no node does not allocate once they are large enough. On an error the result is empty.
func (e *Engine) ApplyTo(result *Result, now time.Time, events ...Event) error {
	if err := e.enter(); err != nil {
		return err
	}
	err := e.call(result, now, events, nil)
	e.leave()
	return err
}

// call is ApplyTo inside a call, with the pods that the last of the events are about. The way of an event:
//
//	check    finds its node, or refuses it (intake.go)
//	begin    moves the time on (here)
//	take     joins what it tells into the fact of the node (intake.go, observe.go and answer.go); the store notes what changed
//	stop     ends what the time and a shutdown end (stop.go)
//	settle   judges who reads the facts and verdicts that changed, by the table of package sched and the rules of package rule, and
//	         lets the effects of that happen, until nothing is left (settle.go)
//	dropVoid takes back what was asked for and is not needed (output.go)
//	finish   lists the nodes that look different, and the next time to wake (here and output.go)
func (e *Engine) call(result *Result, now time.Time, events []Event, pods []*PodStatus) error {
	switch {
	case result == nil:
		return &UseError{"result", "it is nil, and is to be filled in"}
	case now.IsZero():
		return &UseError{"now", "it is zero, and nothing starts at no time"}
	}
	result.Changes, result.Actions, result.Unknown = result.Changes[:0], result.Actions[:0], result.Unknown[:0]
	if err := e.check(events); err != nil {
		return err
	}
	e.out.result = result
	complete := e.Complete() && !e.restored.completionUnreported
	e.begin(now)
	if e.restored.shutdown {
		e.shutDownAgain()
	}
	e.take(events, pods)
	if e.restored.pending {
		e.askAgain()
	}
	if e.stops.due() {
		e.stop()
	}
	e.settle()
	if e.restored.pending {
		e.demandAgain()
	}
	if len(result.Actions) > 0 {
		e.dropVoid()
	}
	e.finish(complete)
	return nil
}

// enter begins a call, or says why none can be made. What panics in a call has not left it: what the engine says then may be wrong.
func (e *Engine) enter() error {
	switch {
	case e == nil || e.self == nil:
		return &UseError{"engine", "it was not made by New, FromState or FromSnapshot"}
	case e.self != e:
		return &UseError{"engine", "it is a copy of another"}
	case !e.busy.CompareAndSwap(false, true):
		return &UseError{"engine", "it is in use by another goroutine, or a call of it has panicked"}
	case e.graph.Len() != e.facts.Len():
		e.leave()
		return &UseError{"graph", "somebody else has added nodes"}
	}
	return nil
}

// leave ends a call.
func (e *Engine) leave() { e.busy.Store(false) }

// begin opens a call: time moves on, and what waited for it is looked at again.
func (e *Engine) begin(now time.Time) {
	if now.After(e.facts.Now) {
		e.facts.SetNow(now)
	}
	if e.Complete() {
		return
	}
	if e.has.workflowStatus {
		e.seeStatus()
	}
	if e.facts.Started.IsZero() {
		e.beginWorkflow()
	}
	for _, i := range e.sched.TakeDue(e.facts.Instant) {
		e.timeCame(i)
	}
}

// seeStatus notes the status of the workflow that hooks see in this call. What has ended by then is seen to have: no hook becomes
// due inside it because of another status (Argo does not look inside it any more). Outside the entry node the status changes within a
// call.
func (e *Engine) seeStatus() {
	changed := e.facts.SetStatus(e.rules.Brief(nodegraph.Root).Phase())
	if !changed && e.graph.Next(nodegraph.Entry) == nodegraph.None {
		return
	}
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if n, v := e.facts.Node(i), e.rules.Brief(i); n.Exists && boundaries.has(n.Kind) && v.Fulfilled() && !n.SeenEnded {
			e.seeEnded(i)
		}
	}
	if changed {
		e.sched.WakeEverybody()
	}
}

// timeCame looks again at a node whose timer has run out. An exit hook that comes a call later does not come inside what has ended
// by then.
func (e *Engine) timeCame(i nodegraph.Index) {
	later := e.rules.ExitHookLater(i, e.rules.Brief(i))
	if later && e.rules.WithinEnded(i) {
		return
	}
	e.sched.WakeTimer(i)
	if i == nodegraph.Root {
		e.passDeadline()
		return
	}
	if t := e.graph.Node(i).Template; t.Timeout > 0 || t.PendingTimeout > 0 {
		e.stops.timeouts = append(e.stops.timeouts, i)
	}
	if later {
		e.facts.See(i)
	}
}

// finish closes a call: it says that the workflow is complete, unless the host has known that, lists what changed and asks to
// be woken for the next timer.
func (e *Engine) finish(complete bool) {
	if e.Complete() && (!complete || e.restored.completionUnreported) {
		e.act(Action{Type: ActionComplete, Node: nodegraph.Root})
		e.restored.completionUnreported = false
	}
	e.listChanges()
	if e.facts.PhrasesFull() {
		e.facts.ForgetPhrases(e.rules.EachSaid)
	}
	if e.has.workflowStatus && e.facts.Status != e.rules.Brief(nodegraph.Root).Phase() {
		e.sched.SetTimer(e.facts.Instant, nodegraph.Root) // the next call sees another status
	}
	if !e.Complete() {
		if at, isNew := e.sched.NextWake(); isNew {
			e.act(Action{Type: ActionWake, Node: nodegraph.Root, At: at.Time()})
		}
	}
	e.out.result = nil
}
