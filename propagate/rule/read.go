package rule

import (
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// stoppedBy says that a shutdown with this strategy stopped a node.
func stoppedBy(strategy string) Message {
	if strategy == "Stop" {
		return Message{kind: messageStop}
	}
	return Message{kind: messageTerminate}
}

// Stops reports whether the shutdown in force applies to node i: Stop spares exit handlers (Argo: ShouldExecute).
func (e *Evaluator) Stops(i nodegraph.Index) bool {
	return e.facts.Shutdown() == "Terminate" || e.facts.Shutdown() == "Stop" && !e.graph.Node(i).InExitHandler()
}

// Barred reports whether a shutdown, the deadline or something around it that only ends keeps node i from running.
func (e *Evaluator) Barred(i nodegraph.Index) bool {
	return e.Stops(i) || e.facts.Overdue() && !e.graph.Node(i).InExitHandler() || e.WithinClosing(i)
}

// WithinClosing reports whether node i is inside a composite that only ends: nothing starts there any more.
func (e *Evaluator) WithinClosing(i nodegraph.Index) bool {
	if !e.facts.HasClosing() {
		return false
	}
	for p := e.facts.Node(i).Parent(); p > nodegraph.Root; p = e.facts.Node(p).Parent() {
		if e.facts.Node(p).Closing() {
			return true
		}
	}
	return false
}

// WithinEnded reports whether node i is inside something that has ended. A TaskGroup that ended with its items does not count:
// their hooks outlive it. Groups and Retries do not count for a daemon: it lives, and is tried again, until its boundary ends.
func (e *Evaluator) WithinEnded(i nodegraph.Index) bool {
	daemon := e.isDaemon(i)
	for p := e.graph.Node(i).Parent; p != nodegraph.None; p = e.graph.Node(p).Parent {
		v, n := e.briefs[p], e.facts.Node(p)
		switch n.Kind() {
		case nodegraph.KindTaskGroup:
			if daemon || n.Stage() != fact.StageEnded {
				continue
			}
		case nodegraph.KindStepGroup, nodegraph.KindRetry:
			if daemon {
				continue
			}
		case nodegraph.KindDAG, nodegraph.KindSteps:
			daemon = false
		}
		if v.Fulfilled() && !v.Daemoned() {
			return true
		}
	}
	return false
}

// isDaemon reports whether node i is a daemon, a container of one, or a Retry around one.
func (e *Evaluator) isDaemon(i nodegraph.Index) bool {
	if e.facts.Node(i).Kind() == nodegraph.KindContainer {
		i = e.facts.Node(i).Parent()
	}
	n := e.graph.Node(i)
	return (n.Kind == nodegraph.KindPod || n.Kind == nodegraph.KindRetry) && n.Template.Kind == nodegraph.KindPod && n.Template.Daemon
}

// StopText says that the shutdown in force stopped a node.
func (e *Evaluator) StopText() string { return texts[stoppedBy(e.facts.Shutdown()).kind] }

// Clear reports whether what comes after node i, on which the verdict is v, may go on: it is fulfilled and so are its hooks.
func (e *Evaluator) Clear(i nodegraph.Index, v Brief) bool {
	return v.Fulfilled() && (!e.facts.HasHooks() || e.hooksDone(i))
}

// OpenMember is something directly inside node i that was created and is not fulfilled; None if nothing is.
func (e *Evaluator) OpenMember(i nodegraph.Index) nodegraph.Index {
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Exists() && !e.briefs[m].Fulfilled() {
			return m
		}
	}
	return nodegraph.None
}

// firstOpen returns a member that holds composite i open; a daemon does not where daemons are passed.
func (e *Evaluator) firstOpen(i nodegraph.Index, passed bool) (nodegraph.Index, bool) {
	kind := e.facts.Node(i).Kind()
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		if e.facts.Node(m).Counts() && e.briefs[m].HoldsOpen(kind) && !(passed && e.isDaemon(m)) {
			return m, true
		}
	}
	return nodegraph.None, false
}

// HooksOf returns the declared hooks of node i: those of its task or step, or of the workflow for the entry node. An item of a
// TaskGroup has the exit hook of the task alone, the group has all.
func (e *Evaluator) HooksOf(i nodegraph.Index) []nodegraph.Hook {
	n := e.graph.Node(i)
	switch {
	case i == nodegraph.Entry:
		return e.graph.Spec().Hooks
	case n.Task == nil:
		return nil
	case n.Role == nodegraph.RoleItem && e.facts.Node(n.Parent).Kind() == nodegraph.KindTaskGroup:
		for k := range n.Task.Hooks {
			if n.Task.Hooks[k].Name == nodegraph.ExitHook {
				return n.Task.Hooks[k : k+1]
			}
		}
		return nil
	}
	return n.Task.Hooks
}

// hooksDone reports whether every hook of node i that was started has ended and none is due. The exit hook of a TaskGroup, which
// comes a call later, is waited for only where an item has one: else what comes after the group was looked at before that.
func (e *Evaluator) hooksDone(i nodegraph.Index) bool {
	n, v := e.facts.Node(i), e.briefs[i]
	switch {
	case !n.Hooked():
		return true
	case n.Kind() == nodegraph.KindTaskGroup && !e.itemHooked(i):
		return !e.hookOpen(i) && !e.otherHookDue(i, v)
	case v.WantsHook(), e.ExitHookLater(i, v):
		return false
	}
	for _, h := range e.graph.Hooks(i) {
		if !e.briefs[h].Fulfilled() {
			return false
		}
	}
	return true
}

// released reports whether node m is a daemon that was ended with its boundary. What was decided inside the boundary saw
// it running, and stays.
func (e *Evaluator) released(m nodegraph.Index) bool {
	if !e.facts.HasDaemons() {
		return false
	}
	f := e.facts.Node(e.lastAttempt(m))
	return f.Released() && f.Phase() == nodegraph.PhaseSucceeded
}

// lastAttempt is the last attempt of a Retry, and any other node itself.
func (e *Evaluator) lastAttempt(m nodegraph.Index) nodegraph.Index {
	if e.graph.Node(m).Kind == nodegraph.KindRetry && e.graph.Last(m) != nodegraph.None {
		return e.graph.Last(m)
	}
	return m
}

// replaced reports whether step m stood for items that are now nodes of their own.
func (e *Evaluator) replaced(m nodegraph.Index) bool {
	return e.facts.Node(m).Kind() == nodegraph.KindTaskGroup && e.facts.Node(m).Answer() == fact.AnswerRun
}

// LocksOf returns the locks that node i holds while it is unfinished. Groups hold none, their members do; the attempts of a
// Retry run under the locks of the Retry.
func (e *Evaluator) LocksOf(i nodegraph.Index) []nodegraph.Lock {
	n := e.graph.Node(i)
	switch {
	case i == nodegraph.Root:
		return e.graph.Spec().Locks
	case n.Role == nodegraph.RoleAttempt, n.Kind == nodegraph.KindTaskGroup, n.Kind == nodegraph.KindStepGroup, n.Kind == nodegraph.KindContainer:
		return nil
	}
	return n.Template.Locks
}

// Deadline is when the workflow's activeDeadlineSeconds are over; zero if it has none or has not started.
func (e *Evaluator) Deadline() time.Time {
	d := e.graph.Spec().ActiveDeadline
	if d == 0 || e.facts.Started().IsZero() {
		return time.Time{}
	}
	return e.facts.Started().Truncate(time.Second).Add(d)
}

// When is the condition of node i with its item filled in; empty for a node that can have none.
func (e *Evaluator) When(i nodegraph.Index) string {
	if e.graph.Node(i).Task == nil {
		return ""
	}
	return withItem(e.graph.Node(i).Task.When, e.graph.Item(i))
}

// withItem fills {{item}} and {{item.key}} into text, and leaves what it does not know.
func withItem(text string, item *nodegraph.Item) string {
	if item == nil {
		return text
	}
	var b strings.Builder
	for {
		before, rest, _ := strings.Cut(text, "{{")
		tag, after, closed := strings.Cut(rest, "}}")
		b.WriteString(before)
		if !closed {
			b.WriteString(text[len(before):])
			return b.String()
		}
		if value, known := ofItem(item, strings.TrimSpace(tag)); known {
			b.WriteString(value)
		} else {
			b.WriteString(text[len(before) : len(text)-len(after)])
		}
		text = after
	}
}

// ofItem is what a name stands for in the conditions of an item.
func ofItem(item *nodegraph.Item, name string) (value string, known bool) {
	if name == "item" {
		return item.Text, true
	}
	if key, of := strings.CutPrefix(name, "item."); of {
		value, known = item.Fields[key]
	}
	return value, known
}

// told is the Message with what was said of node i.
func (e *Evaluator) told(i nodegraph.Index) Message { return said(e.facts.Phrase(i)) }

// NameOf is the name of node i; the workflow's for the workflow.
func (e *Evaluator) NameOf(i nodegraph.Index) string {
	if i == nodegraph.Root {
		return e.graph.Spec().Name
	}
	return e.graph.Node(i).Name()
}

// insideEntry reports whether node i is inside the entry node.
func (e *Evaluator) insideEntry(i nodegraph.Index) bool {
	for e.facts.Node(i).Parent() > nodegraph.Root {
		i = e.facts.Node(i).Parent()
	}
	return i == nodegraph.Entry
}

// passed reports whether node i is a StepGroup after which the next was created, and not opened again by a manual retry, when that
// waits for the group anew. After a group that a manual retry has opened the next is the first that did not stay as it had ended.
func (e *Evaluator) passed(i nodegraph.Index) bool {
	n := e.graph.Node(i)
	if n.Role != nodegraph.RoleGroup {
		return false
	}
	reopened := e.facts.Node(i).Reopened()
	for k := int(n.DeclIndex) + 1; k < len(n.Template.Steps); k++ {
		next := e.facts.Node(e.graph.MemberAt(n.Parent, int32(k)))
		if !reopened || next.Stage() != fact.StageEnded {
			return next.Exists() && !next.Reopened()
		}
	}
	return false
}

// staysPending reports whether node i is a composite that has waited for a lock, or was not found in the cache: Argo never sets it to
// Running.
func (e *Evaluator) staysPending(i nodegraph.Index) bool {
	n := e.facts.Node(i)
	return n.Kind().Composite() && (n.Waited() || e.facts.Memo(i) == fact.AnswerRun)
}
