package propagate

import (
	"maps"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// olderPods are the pods that nodes had before those that are known: by the id of the node, their serials by UID.
type olderPods map[string]map[string]int64

// instance places what an event says among the lives of the pod of node i.
func (e *Engine) instance(i nodegraph.Index, ev *Event) fact.Run {
	known, n := e.facts.Run(i), e.facts.Node(i)
	r := fact.Run{Serial: known.Serial, Attempt: ev.Pod.Attempt}
	if ev.Pod.Named() || n.Stage() == fact.StageGone && !n.Ran() && ev.Type != EventPodDeleted {
		r.Serial = e.serialOf(i, ev)
	}
	if r.Attempt == 0 && r.Serial == e.facts.Serial(i) {
		r.Attempt = known.Attempt
	}
	r.Attempt = max(r.Attempt, 1)
	return r
}

// serialOf is instance where more than the pod that is known may be meant. It notes which pod it is of one that was waited
// for, and which it was before that.
func (e *Engine) serialOf(i nodegraph.Index, ev *Event) int64 {
	uid, serial, n := ev.Pod.UID, e.facts.Serial(i), e.facts.Node(i)
	had, known, isOld := e.facts.UID(i), int64(0), false
	if len(e.older) > 0 {
		known, isOld = e.older[e.graph.Node(i).ID()][uid]
	}
	switch {
	case isOld:
		serial = known
	case uid != "" && uid == had:
	case !ev.Pod.Created.IsZero():
		serial = ev.Pod.Created.UnixNano()
		if e.facts.Serial(i) == 0 && n.Ran() && ev.Type != EventContainerRetried {
			e.date(i, serial)
		}
		if uid != "" && sameSecond(ev.Pod.Created, e.facts.Serial(i)) {
			serial = e.facts.Serial(i) // the pod that was waited for, unless there is one
			if had != "" {
				serial++
			}
		}
	case n.Stage() == fact.StageGone && !n.Ran():
		serial++ // the pod that was to be created again
	case uid != "" && had != "":
		serial++
	}
	if had != "" && uid != had && serial > e.facts.Serial(i) {
		e.remember(e.graph.Node(i).ID(), map[string]int64{had: e.facts.Serial(i)})
	}
	if serial > e.facts.Serial(i) && e.stoppedUnheard(i) {
		e.facts.Redate(i, serial, uid) // that is the pod that was stopped
	}
	return serial
}

// stoppedUnheard reports whether node i was stopped before anything was heard of its pod, or of the one that was asked for in
// the place of that.
func (e *Engine) stoppedUnheard(i nodegraph.Index) bool {
	serial := e.facts.Serial(i)
	return e.facts.Node(i).Stage() == fact.StageStopped && (e.facts.Remade(i) > serial || serial == e.afterOlder(i))
}

// date gives the pod of node i, which only a record or a host without times has said to have run, its place among the pods
// with times: it is the first that is heard of.
func (e *Engine) date(i nodegraph.Index, serial int64) {
	e.facts.Redate(i, serial, "")
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		e.facts.Redate(m, serial, "")
	}
}

// sameSecond reports whether the time at which a pod was created can't tell it from the pod with this serial: Kubernetes
// keeps whole seconds, and a pod that is gone is often made again within one.
func sameSecond(created time.Time, serial int64) bool {
	since := serial - created.UnixNano()
	return created.Nanosecond() == 0 && since >= 0 && since < int64(time.Second)
}

// remember notes serials of pods that a node had.
func (e *Engine) remember(id string, serials map[string]int64) {
	if e.older == nil {
		e.older = make(olderPods)
	}
	if e.older[id] == nil {
		e.older[id] = make(map[string]int64)
	}
	maps.Copy(e.older[id], serials)
}

// afterOlder is the first serial after those of the pods that node i had.
func (e *Engine) afterOlder(i nodegraph.Index) int64 {
	next := int64(0)
	if len(e.older) > 0 {
		for _, serial := range e.older[e.graph.Node(i).ID()] {
			next = max(next, serial+1)
		}
	}
	return next
}
