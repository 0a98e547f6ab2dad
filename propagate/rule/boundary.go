package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// failFastRule is the verdict on a DAG or Steps whose template says failFast, where v is what the chapter of its kind says without
// that. It starts nothing more once a member failed, and fails as soon as none of its pods is active (Argo: checkParallelism).
func (e *Evaluator) failFastRule(i nodegraph.Index, v Ruling) Ruling {
	ended, open := dag1, dag2
	if e.facts.Node(i).Kind == nodegraph.KindSteps {
		ended, open = steps1, steps2
	}
	c := e.Census(i)
	switch fails := c.failsFast(false); {
	case fails && (c.failedBefore || e.closedFast(i)):
		return failedFast(ended, c.Failed)
	case !v.Fulfilled() && c.failsFast(true):
		fast := failedFast(open, c.Failed)
		fast.Message = e.failedFastMessage(v.By, &c)
		return fast
	case fails && v.Phase() != nodegraph.PhaseFailed:
		return failedFast(ended, c.Failed) // whatever else its members say: when they are looked at decides nothing
	}
	return v
}

// failsFast reports whether a boundary in which so much is active, which is open or not, fails with what has failed in it. A StepGroup
// that is open then fails with its Steps. A ready daemon is active, so a boundary with one ends as its members say. A boundary that is
// open does not wait for it, since it waits for the boundary.
func (c *Census) failsFast(open bool) bool {
	return c.Failed != nodegraph.None && c.Busy <= c.stalled && (open || c.Active == 0 && !c.released)
}

// failedFast is the Ruling on a boundary that has failed with a member.
func failedFast(l line, failed nodegraph.Index) Ruling {
	return settled(nodegraph.PhaseFailed, Message{kind: messageFailedFast}, l, failed)
}

// failedFastMessage is what a DAG or Steps says that fails while member m of it is open. Where m is a group all of whose steps that were
// created have ended, with their hooks, these are the words of the first that failed, if Argo comes to that.
func (e *Evaluator) failedFastMessage(m nodegraph.Index, c *Census) Message {
	if e.facts.Node(m).Kind == nodegraph.KindStepGroup && !e.createdOpen(m) && !c.failedBefore {
		if failed := e.failedStep(m); failed != nodegraph.None && e.facts.Node(failed).Exists {
			return about(messageChildFailed, failed)
		}
	}
	return Message{kind: messageFailedFast}
}

// closedFast reports whether boundary i has failed fast while something inside it was open: that says so.
func (e *Evaluator) closedFast(i nodegraph.Index) bool {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Message(m) == texts[messageFailedFast] {
			return true
		}
	}
	return false
}

// failedBefore reports whether member m of a boundary, which has failed, had done so when the boundary was looked at. Of the pods
// only one that was refused as it was created had not.
func (e *Evaluator) failedBefore(m nodegraph.Index, looked store.Stamp) bool {
	return e.facts.Finished(m) < looked || e.facts.Node(m).Kind == nodegraph.KindPod && !e.stoppedAsMade(m)
}

// stoppedAsMade reports whether node m was stopped in the moment in which it was created.
func (e *Evaluator) stoppedAsMade(m nodegraph.Index) bool {
	return e.facts.Node(m).Stage == fact.StageStopped && e.facts.Finished(m) == e.facts.Created(m)
}

// Refused reports whether node m was created only to be refused: it was stopped in that moment, and nobody has seen a pod of it. A
// record tells that by the times alone.
func (e *Evaluator) Refused(m nodegraph.Index) bool {
	n := e.facts.Node(m)
	return n.EndedOnRecord() && e.stoppedAsMade(m) && e.facts.UID(m) == "" && !n.Ran
}

// createdOpen reports whether a step of group i that was created is open, or a hook of it.
func (e *Evaluator) createdOpen(i nodegraph.Index) bool {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Exists && e.briefs[m].open() {
			return true
		}
	}
	return false
}

// A Census counts the pods, DAGs and Steps of a boundary: those directly inside it, its StepGroups, TaskGroups and Retries,
// attempts included.
type Census struct {
	Active   int             // those that have not ended, and the Retries between two attempts that keep the place of the next
	Busy     int             // those of them that are no ready daemons
	Held     int             // those of them that a manual retry has opened and that can't go on yet: see [Evaluator.Held]
	stalled  int             // those of the held ones that wait for no lock, and inside which nothing has begun that has not ended
	released bool            // a daemon was ended with the boundary, which was decided while the daemon was active
	Failed   nodegraph.Index // one that failed, None if none did

	// failedBefore says that one had failed when the boundary was looked at: a pod, or what had ended earlier. Argo looks at pods
	// before, and at what is inside a boundary after it. The boundary is the Retry for it while that starts an attempt.
	failedBefore bool
}

// KeepsPlace reports whether node i is a Retry between two attempts that holds locks. Those who have its place may wait for these
// locks, so it keeps the place for the next attempt.
func (e *Evaluator) KeepsPlace(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	if n.Kind != nodegraph.KindRetry || n.Lock != fact.LockHeld || e.briefs[i].Fulfilled() {
		return false
	}
	last := e.graph.Last(i)
	return last == nodegraph.None || e.briefs[last].Fulfilled()
}

// Census counts what is in a boundary. It allocates where a boundary has groups or Retries.
func (e *Evaluator) Census(boundary nodegraph.Index) Census {
	c := Census{Failed: nodegraph.None}
	looked := e.facts.Instant
	if ended := e.facts.Finished(boundary); ended != 0 {
		looked = ended
	}
	e.eachCounted(boundary, func(m nodegraph.Index) {
		retry := e.facts.Node(m).Kind == nodegraph.KindRetry
		switch p := e.briefs[m].Phase(); {
		case e.takesPlace(m):
			c.Active++
			if waits, after := e.heldBy(m); waits || after {
				c.Held++
				if !waits && e.idle(m) {
					c.stalled++
				}
			}
			if !e.briefs[m].Daemoned() && !retry {
				c.Busy++
			}
		case retry || !p.Unsuccessful():
		default:
			if c.Failed == nodegraph.None {
				c.Failed = m
			}
			c.failedBefore = c.failedBefore || e.failedBefore(m, looked) && !e.facts.Node(boundary).IsAttempt
		}
		c.released = c.released || e.released(m)
	})
	return c
}

// idle reports whether no leaf inside composite m is open, nor a hook there.
func (e *Evaluator) idle(m nodegraph.Index) bool {
	if !e.facts.Node(m).Kind.Composite() {
		return !e.facts.Node(m).Exists || !e.briefs[m].open()
	}
	for c := e.graph.First(m); c != nodegraph.None; c = e.graph.Next(c) {
		if !e.idle(c) {
			return false
		}
	}
	return true
}

// PlacesIn lists what takes a place under the parallelism of a boundary.
func (e *Evaluator) PlacesIn(boundary nodegraph.Index) []nodegraph.Index {
	var list []nodegraph.Index
	e.eachCounted(boundary, func(m nodegraph.Index) {
		if e.takesPlace(m) && !e.Held(m) {
			list = append(list, m)
		}
	})
	return list
}

// takesPlace reports whether node m, which exists, is a pod, DAG or Steps that has not ended, or keeps a place. What waits for a
// lock uses nothing, and the holder of that may need the place.
func (e *Evaluator) takesPlace(m nodegraph.Index) bool {
	n := e.facts.Node(m)
	if n.Kind == nodegraph.KindRetry {
		return e.KeepsPlace(m)
	}
	return !e.briefs[m].Phase().Settled() && !n.Waits()
}

// Held reports whether node i, or something around it, was opened again by a manual retry and can't go on yet. It waits for its
// locks, or comes after something that is not fulfilled: a daemon or a hook that runs again. Nothing inside it starts until then.
func (e *Evaluator) Held(i nodegraph.Index) bool {
	waits, after := e.heldBy(i)
	return waits || after
}

// heldBy says whether it is a wait for locks, or what comes before, because of which node i is held.
func (e *Evaluator) heldBy(i nodegraph.Index) (waits, after bool) {
	for ; i > nodegraph.Root; i = e.facts.Node(i).Parent {
		if !e.facts.Node(i).Reopened {
			continue
		}
		waits = waits || e.facts.Node(i).Waits()
		for d := range e.graph.Dependencies(i) {
			after = after || !e.Clear(d, e.briefs[d])
		}
	}
	return waits, after
}

// eachCounted calls do for the pods, DAGs, Steps and Retries of a boundary that exist.
func (e *Evaluator) eachCounted(boundary nodegraph.Index, do func(nodegraph.Index)) {
	stack := []nodegraph.Index{boundary}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if !e.facts.Node(m).Exists {
				continue
			}
			switch e.graph.Node(m).Kind {
			case nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps:
				do(m)
			case nodegraph.KindRetry:
				do(m)
				stack = append(stack, m)
			case nodegraph.KindStepGroup, nodegraph.KindTaskGroup:
				stack = append(stack, m)
			}
		}
	}
}
