package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// taskGroupRule: a TaskGroup is done when all its items are; of those that failed the last declared one decides. While a
// hook of an item is still to start, the group holds what it is inside of open, as the hook will.
func (w *evalContext) taskGroupRule(i nodegraph.Index) ruling {
	if m, open := w.firstOpen(i); open {
		return running(RuleMembersOpen, m)
	}
	v, hooks := settled(nodegraph.Succeeded, message{}, RuleMembersDone, nodegraph.None), want(0)
	for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
		if w.verdicts[m].phase().Unsuccessful() {
			v = settled(w.verdicts[m].phase(), message{}, RuleMemberFailed, m)
		}
		if w.verdicts[m].want()&wantHook != 0 {
			hooks = wantWithin
		}
	}
	v.verdict = v.wanting(hooks)
	return v
}

// stepsRule: the groups of a Steps node run one after the other; the first that failed ends it, with its message, once
// no group is open.
func (w *evalContext) stepsRule(i nodegraph.Index) ruling {
	if v, decided := w.failFastRule(i, false); decided {
		return v
	}
	failed := nodegraph.None
	for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
		switch v := w.verdicts[m]; {
		case v.phase().Unsuccessful() && failed == nodegraph.None:
			failed = m
		case !v.fulfilled() && (failed == nodegraph.None || w.facts.nodes[m].created()):
			return w.boundaryOpen(i, m)
		}
	}
	if failed != nodegraph.None {
		return settled(nodegraph.Failed, w.messages[failed], RuleMemberFailed, failed)
	}
	return settled(nodegraph.Succeeded, message{}, RuleMembersDone, nodegraph.None)
}

// failFastRule: a DAG or Steps whose template says failFast starts nothing more once a member failed, and fails as soon
// as none of its pods is active (Argo: checkParallelism). A StepGroup that is open then fails with its Steps. A ready
// daemon is active, so a boundary with one ends as its members say; but where it is open it would wait for members that
// never start, and for the daemon, which waits for it.
func (w *evalContext) failFastRule(i nodegraph.Index, open bool) (ruling, bool) {
	if !w.graph.Node(i).Template.FailFast {
		return ruling{}, false
	}
	c := w.census(i)
	if c.failed == nodegraph.None || c.busy > 0 || !open && (c.active > 0 || c.released) {
		return ruling{}, false
	}
	return settled(nodegraph.Failed, said(failedFast), RuleFailFast, c.failed), true
}

// boundaryOpen is the verdict on a DAG or Steps of which member m is open.
func (w *evalContext) boundaryOpen(i, m nodegraph.Index) ruling {
	if v, decided := w.failFastRule(i, true); decided {
		return v
	}
	return running(RuleMembersOpen, m)
}

// A census counts the pods, DAGs and Steps of a boundary: those directly inside it, its StepGroups, TaskGroups and
// Retries, attempts included.
type census struct {
	active int // pods, DAGs and Steps that have not ended
	busy   int // those of them that are no ready daemons
	// released tells whether a daemon was ended with the boundary, which was decided while that was active.
	released bool
	failed   nodegraph.Index // one that failed, None if none did
}

// stepGroupRule: a StepGroup is done when its steps, their items and their hooks are; the first declared step that
// failed without continueOn decides.
func (w *evalContext) stepGroupRule(i nodegraph.Index) ruling {
	if m, open := w.firstOpen(i); open {
		return running(RuleMembersOpen, m)
	}
	failed := nodegraph.None
	for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
		n, v := w.graph.Node(m), w.verdicts[m]
		if failed == nodegraph.None && v.phase().Unsuccessful() && n.Task != nil && !n.Task.ContinueOn.Covers(v.phase()) && !w.wasReady(m) {
			failed = m
		}
	}
	if failed == nodegraph.None {
		return settled(nodegraph.Succeeded, message{}, RuleMembersDone, nodegraph.None)
	}
	if !w.facts.nodes[failed].created() { // its when is not a condition
		return settled(nodegraph.Error, w.messages[failed], RuleMemberFailed, failed)
	}
	return settled(nodegraph.Failed, message{kind: messageChildFailed, node: failed}, RuleMemberFailed, failed)
}

// wasReady tells whether node m is a daemon that was ready once: what waited for it went on then, and its later end does
// not undo that.
func (w *evalContext) wasReady(m nodegraph.Index) bool {
	if !w.facts.daemons {
		return false
	}
	m = w.lastAttempt(m)
	return w.graph.Node(m).Template.Daemon && w.facts.nodes[m].Ready
}

// released tells whether node m is a daemon that was ended with its boundary. What was decided inside the boundary saw
// it running, and stays.
func (w *evalContext) released(m nodegraph.Index) bool {
	if !w.facts.daemons {
		return false
	}
	f := &w.facts.nodes[w.lastAttempt(m)]
	return f.Released && f.Phase == nodegraph.Succeeded
}

// lastAttempt is the last attempt of a Retry, and any other node itself.
func (w *evalContext) lastAttempt(m nodegraph.Index) nodegraph.Index {
	if w.graph.Node(m).Kind == nodegraph.Retry && w.graph.Last(m) != nodegraph.None {
		return w.graph.Last(m)
	}
	return m
}

// replaced tells whether step m stood for items that are now nodes of their own.
func (w *evalContext) replaced(m nodegraph.Index) bool {
	return w.facts.nodes[m].kind == nodegraph.TaskGroup && w.facts.nodes[m].Answer == AnswerRun
}

func (w *evalContext) census(boundary nodegraph.Index) census {
	c := census{failed: nodegraph.None}
	stack := []nodegraph.Index{boundary}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for m := w.graph.First(i); m != nodegraph.None; m = w.graph.Next(m) {
			if !w.facts.nodes[m].created() {
				continue
			}
			switch p := w.verdicts[m].phase(); w.graph.Node(m).Kind {
			case nodegraph.Pod, nodegraph.DAG, nodegraph.Steps:
				if w.released(m) {
					c.released = true
				}
				if !p.Settled() {
					if w.facts.nodes[m].Lock != LockWaits { // one that waits for a lock uses nothing, and its holder may need the place
						c.active++
						if !w.verdicts[m].daemoned() {
							c.busy++
						}
					}
				} else if p.Unsuccessful() && c.failed == nodegraph.None {
					c.failed = m
				}
			case nodegraph.Retry, nodegraph.StepGroup, nodegraph.TaskGroup:
				stack = append(stack, m)
			}
		}
	}
	return c
}
