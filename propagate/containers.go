package propagate

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// observeContainer merges what was seen of a container. Seeing it run, or end, says that its pod ran.
func (e *Engine) observeContainer(pod nodegraph.Index, ev *Event, stage fact.Stage) {
	c := e.container(pod, ev.Container)
	o := observed(e.instance(pod, ev), ev, stage)
	if ev.Pod.Attempt == 0 {
		o.Attempt = e.runIn(c, o.Serial)
	}
	if stage == fact.StageEnded {
		o.Phase, o.Finished = containerPhase(ev.ExitCode), e.finishedAt(ev)
	}
	if e.facts.Serial(pod) < o.Serial || e.facts.UID(pod) == "" {
		seen := onlySeen(fact.Run{Serial: o.Serial, Attempt: 1}, ev, fact.StagePending)
		e.merge(pod, &seen)
	}
	if o.Attempt > 1 {
		e.beginAnew(c, o.Run, ev)
	}
	e.merge(c, &o)
	if stage >= fact.StageRunning && e.facts.Serial(pod) == o.Serial {
		e.facts.SawRun(pod)
		e.failIfItRan(pod)
	}
	if ev.Container == "main" && stage == fact.StageEnded && e.facts.Serial(pod) == o.Serial {
		e.facts.SetExit(pod, ev.ExitCode)
	}
}

// runIn is the run that node i is known to be in inside the pod with this serial, the first if it is not known.
func (e *Engine) runIn(i nodegraph.Index, serial int64) int {
	r := e.facts.Run(i)
	if r.Serial != serial {
		return 1
	}
	return max(1, r.Attempt)
}

// containerPhase is how Argo reads a container's exit code: 64 is the executor's own.
func containerPhase(exitCode int) nodegraph.Phase {
	switch exitCode {
	case 0:
		return nodegraph.PhaseSucceeded
	case 64:
		return nodegraph.PhaseError
	}
	return nodegraph.PhaseFailed
}

// containerRetried makes a container and all that come after it unfinished again, and its pod with them.
func (e *Engine) containerRetried(pod nodegraph.Index, ev *Event) {
	c := e.container(pod, ev.Container)
	r := e.instance(pod, ev)
	n := e.facts.Node(pod)
	if !ev.Pod.Named() && n.Stage == fact.StageGone {
		r = fact.Run{Serial: e.facts.Serial(pod) + 1, Attempt: max(ev.Pod.Attempt, 1)} // the answer to the deletion: a new pod
	} else if ev.Pod.Attempt == 0 && r.Serial == e.facts.Serial(pod) {
		r.Attempt = e.runIn(c, r.Serial) + 1
		for _, m := range e.comesAfter(c) { // they begin anew too, whatever run they were in
			r.Attempt = max(r.Attempt, e.runIn(m, r.Serial)+1)
		}
	}
	o := onlySeen(r, ev, fact.StageRunning)
	podRun := o
	if n.Stage < fact.StageGone || ev.Pod.UID != "" {
		podRun.Attempt = e.runIn(pod, r.Serial) // a pod goes on as it is, and one with a name that has ended stays so
	}
	e.merge(pod, &podRun)
	e.merge(c, &o)
	e.beginAnew(c, r, ev)
}

// beginAnew makes what comes after container c pending in a run, unless it has come further in that run.
func (e *Engine) beginAnew(c nodegraph.Index, r fact.Run, ev *Event) {
	anew := onlySeen(r, ev, fact.StagePending)
	for _, m := range e.comesAfter(c) {
		e.merge(m, &anew)
	}
}

// comesAfter lists the containers that come after c, directly or not, each once.
func (e *Engine) comesAfter(c nodegraph.Index) []nodegraph.Index {
	seen := map[nodegraph.Index]bool{c: true}
	list := []nodegraph.Index{c}
	for k := 0; k < len(list); k++ {
		for m := range e.graph.Dependents(list[k]) {
			if !seen[m] {
				seen[m] = true
				list = append(list, m)
			}
		}
	}
	return list[1:]
}

// container finds a container of pod i by its name.
func (e *Engine) container(i nodegraph.Index, name string) nodegraph.Index {
	t := e.graph.Node(i).Template
	for slot := range t.Containers {
		if t.Containers[slot].Name == name && e.graph.First(i) != nodegraph.None {
			return e.graph.MemberAt(i, int32(slot))
		}
	}
	return nodegraph.None
}
