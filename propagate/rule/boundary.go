package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// failFastRule: a DAG or Steps whose template says failFast starts nothing more once a member failed, and fails as soon
// as none of its pods is active (Argo: checkParallelism). A StepGroup that is open then fails with its Steps. A ready
// daemon is active, so a boundary with one ends as its members say. A boundary that is open does not wait for it, since it
// waits for the boundary.
func (e *Evaluator) failFastRule(i nodegraph.Index, open bool, l line) (Ruling, bool) {
	if !e.graph.Node(i).Template.FailFast {
		return Ruling{}, false
	}
	c := e.Census(i)
	if c.Failed == nodegraph.None || c.Busy > 0 || !open && (c.Active > 0 || c.Released) {
		return Ruling{}, false
	}
	return settled(nodegraph.PhaseFailed, Message{kind: messageFailedFast}, l, c.Failed), true
}

// boundaryOpen is the verdict on a DAG or Steps of which member m is open.
func (e *Evaluator) boundaryOpen(i, m nodegraph.Index, failsFast, runs line) Ruling {
	if v, decided := e.failFastRule(i, true, failsFast); decided {
		return v
	}
	return running(runs, m)
}

// A Census counts the pods, DAGs and Steps of a boundary: those directly inside it, its StepGroups, TaskGroups and Retries,
// attempts included.
type Census struct {
	Active   int             // those that have not ended
	Busy     int             // those of them that are no ready daemons
	Released bool            // a daemon was ended with the boundary, which was decided while the daemon was active
	Failed   nodegraph.Index // one that failed, None if none did
}

// Census counts what is in a boundary. It allocates where a boundary has groups or Retries.
func (e *Evaluator) Census(boundary nodegraph.Index) Census {
	c := Census{Failed: nodegraph.None}
	e.eachCounted(boundary, func(m nodegraph.Index) {
		switch p := e.briefs[m].Phase(); {
		case e.TakesPlace(m):
			c.Active++
			if !e.briefs[m].Daemoned() {
				c.Busy++
			}
		case p.Unsuccessful() && c.Failed == nodegraph.None:
			c.Failed = m
		}
		c.Released = c.Released || e.released(m)
	})
	return c
}

// PlacesIn lists what takes a place under the parallelism of a boundary.
func (e *Evaluator) PlacesIn(boundary nodegraph.Index) []nodegraph.Index {
	var list []nodegraph.Index
	e.eachCounted(boundary, func(m nodegraph.Index) {
		if e.TakesPlace(m) {
			list = append(list, m)
		}
	})
	return list
}

// TakesPlace reports whether node m, a pod, DAG or Steps that exists, has not ended. What waits for a lock uses nothing, and the
// holder of that may need the place.
func (e *Evaluator) TakesPlace(m nodegraph.Index) bool {
	n := e.facts.Node(m)
	return n.Exists() && !e.briefs[m].Phase().Settled() && n.Lock() != fact.LockWaits
}

// eachCounted calls do for what a Census counts and exists.
func (e *Evaluator) eachCounted(boundary nodegraph.Index, do func(nodegraph.Index)) {
	stack := []nodegraph.Index{boundary}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
			if !e.facts.Node(m).Exists() {
				continue
			}
			switch e.graph.Node(m).Kind {
			case nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps:
				do(m)
			case nodegraph.KindRetry, nodegraph.KindStepGroup, nodegraph.KindTaskGroup:
				stack = append(stack, m)
			}
		}
	}
}
