package propagate_test

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A move is one thing that happens in a world. It names nodes, so that it means something in another world too; one that
// can't happen there is passed over.
type move struct {
	op    string // what happens: see do, and podOps
	flow  int
	node  string
	ctr   string
	n     int           // which of several variants
	wait  time.Duration // tick: how long
	held  bool          // it is told with the next call
	crash int           // see call
}

func (m move) String() string {
	text := m.op
	if m.flow > 0 {
		text = fmt.Sprintf("w%d %s", m.flow+1, m.op)
	}
	for _, part := range []string{m.node, m.ctr} {
		if part != "" {
			text += " " + part
		}
	}
	if m.n != 0 {
		text += fmt.Sprint(" #", m.n)
	}
	if m.wait > 0 {
		text += " " + m.wait.String()
	}
	if m.held {
		text += " (held)"
	}
	switch {
	case m.crash > 0:
		text += fmt.Sprintf(" (crash after %d)", m.crash-1)
	case m.crash < 0:
		text += " (crash unsaved)"
	}
	return text
}

// do lets a move happen. It reports whether it could.
func (w *world) do(m move) bool {
	if m.flow >= len(w.flows) || w.flows[m.flow].dead {
		return false
	}
	f := w.flows[m.flow]
	defer w.survive()
	switch m.op {
	case "tick":
		w.Now = w.Now.Add(m.wait)
		if m.n == 1 {
			w.call(f, m.crash)
		}
		return true
	case "crash":
		w.crash(nil, nil)
		return true
	case "drain":
		w.drain()
		return true
	case "list":
		f.missed = true
		w.callAfterCrash(f)
		return true
	case "answer", "unanswerable":
		return w.answer(f, m)
	case "grant":
		return w.grant(f, m)
	case "make":
		return w.makeLater(f, m)
	case "shutdown":
		return w.say(f, m, propagate.Shutdown([]string{"Stop", "Terminate"}[m.n&1]))
	case "suspend":
		return w.say(f, m, propagate.Suspended(m.n == 0))
	case "agent":
		return w.say(f, m, propagate.AgentEnded("the agent is gone"))
	case "manual":
		return w.manualRetry(f, m)
	case "again":
		if len(f.said) == 0 {
			return false
		}
		return w.say(f, m, f.said[m.n%len(f.said)])
	case "resume", "serve":
		return w.endServed(f, m)
	case "stray":
		return w.stray(f, m)
	}
	return w.podMove(f, m)
}

// survive makes a panic of an engine a violation, and the end of all flows: none can be trusted any more.
func (w *world) survive() {
	if p := recover(); p != nil {
		w.fault(nil, "panic "+panicSite(debug.Stack()), "%v", p)
		for _, f := range w.flows {
			f.dead = true
		}
	}
}

// say tells an event, now or with the next call.
func (w *world) say(f *flow, m move, ev propagate.Event) bool {
	if m.held {
		f.held = append(f.held, ev)
		return true
	}
	w.call(f, m.crash, ev)
	return true
}

// find returns the index of the node that a move names, -1 if there is none. In a world that was made smaller it is the
// first that has the name without attempts, items and groups, or the last part of it.
func (w *world) find(named string, have []string) int {
	if k := slices.Index(have, named); k >= 0 || !w.fuzzy {
		return k
	}
	last := func(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
	plain := plainName(named)
	if k := slices.IndexFunc(have, func(h string) bool { return plainName(h) == plain }); k >= 0 {
		return k
	}
	return slices.IndexFunc(have, func(h string) bool { return last(plainName(h)) == last(plain) })
}

// plainName is the name of a node without the numbers of attempts, items and groups.
func plainName(name string) string {
	var b strings.Builder
	depth := 0
	for _, c := range name {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		default:
			if depth == 0 {
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}

// errands are the places in what the host owes of what the engine of a flow asked, or of the grants that it is to hear of. The
// names are those of nodes: empty for the workflow, and for a node that is not known.
func (w *world) errands(f *flow, granted bool) (places []int, names []string) {
	for k, e := range w.Owed {
		if e.Workflow != f.Name || e.Granted != granted {
			continue
		}
		name := e.Action.Name
		if granted {
			name = ""
			if i := f.Engine.Graph().Find(e.Action.ID); i > nodegraph.Root {
				name = f.Engine.Graph().Node(i).Name()
			}
		}
		places, names = append(places, k), append(names, name)
	}
	return places, names
}

// answer answers what the engine asked of a node.
func (w *world) answer(f *flow, m move) bool {
	places, names := w.errands(f, false)
	k := w.find(m.node, names)
	if k < 0 {
		return false
	}
	a := w.Owed[places[k]].Action
	unanswerable := m.op == "unanswerable" && a.Type != propagate.ActionAcquire
	_, ev := w.Run(places[k])
	switch {
	case unanswerable:
		return w.say(f, m, propagate.Unanswerable(a.Name, "nobody knows"))
	case ev.Type == propagate.EventLockGranted && m.n == 1: // it hears of that later
		w.HandOn([]propagate.Holder{{Workflow: f.Name, Node: a.ID}})
		return true
	case a.Type == propagate.ActionAcquire:
		return w.say(f, m, ev)
	case a.Type == propagate.ActionResolve:
		return w.said(f, m, propagate.Resolved(a.Name, m.n != 1, ""))
	case a.Type == propagate.ActionExpand:
		return w.said(f, m, propagate.Expanded(a.Name, []nodegraph.Item{{Text: "p"}, {Text: "q"}}[:(m.n+1)%3]...))
	}
	return w.said(f, m, propagate.Memoized(a.Name, m.n == 1))
}

// said is say for an event that may be said again.
func (w *world) said(f *flow, m move, ev propagate.Event) bool {
	f.said = append(f.said, ev)
	return w.say(f, m, ev)
}

// grant tells a node that it has its locks.
func (w *world) grant(f *flow, m move) bool {
	places, names := w.errands(f, true)
	k := w.find(m.node, names)
	if k < 0 {
		return false
	}
	_, ev := w.Run(places[k])
	return w.say(f, m, ev)
}

// makeLater makes a pod that the host was asked for.
func (w *world) makeLater(f *flow, m move) bool {
	k := w.find(m.node, f.todo)
	if k < 0 {
		return false
	}
	name := f.todo[k]
	f.todo = append(f.todo[:k:k], f.todo[k+1:]...)
	w.makePod(f, name)
	return true
}

func (w *world) manualRetry(f *flow, m move) bool {
	if phase, _ := f.Engine.Workflow(); !f.Engine.Complete() || !phase.Unsuccessful() {
		return false
	}
	f.retry, f.stopped = f.retry+1, false
	if len(f.held) > 0 {
		w.call(f, 0)
	}
	retried := propagate.ManualRetry(again(f)...)
	if f.retry%3 == 0 {
		retried.Spec = f.Engine.Graph().Spec()
	}
	w.call(f, m.crash, retried)
	return true
}

// again names what is to run again although it has succeeded: with every second retry of a workflow the first leaf that has.
func again(f *flow) []string {
	g := f.Engine.Graph()
	for i := nodegraph.Entry; f.retry%2 == 0 && int(i) < g.Len(); i++ {
		if phase, _ := f.Engine.Phase(i); phase == nodegraph.PhaseSucceeded && !g.Node(i).Kind.Composite() {
			return []string{g.Node(i).Name()}
		}
	}
	return nil
}

// endServed resumes a Suspend node, or says how an HTTP or Plugin node ended.
func (w *world) endServed(f *flow, m move) bool {
	g := f.Engine.Graph()
	var names []string
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		n := g.Node(i)
		suspend, served := n.Kind == nodegraph.KindSuspend, slices.Contains(f.Served, n.Name())
		if (m.op == "resume" && suspend || m.op == "serve" && served) && !f.Engine.Fact(i).Created.IsZero() {
			names = append(names, n.Name())
		}
	}
	k := w.find(m.node, names)
	if k < 0 {
		return false
	}
	name := names[k]
	phase, known := f.ends[name]
	if !known { // it ends once
		phase = []nodegraph.Phase{nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError}[m.n%3]
		f.ends[name] = phase
	}
	if m.op == "serve" {
		return w.said(f, m, propagate.NodeEnded(name, phase, "served"))
	}
	ev := propagate.Resumed(name)
	ev.Phase = phase
	return w.said(f, m, ev)
}

// stray tells of a newer pod of a node than the host made, such as another instance of the host makes. It takes the place
// of the one that the node has.
func (w *world) stray(f *flow, m move) bool {
	k := w.find(m.node, nodesOf(f.Pods))
	if k < 0 {
		return false
	}
	old := f.Pods[k]
	name := old.Node
	i := f.Engine.Graph().Find(name)
	if i == nodegraph.None || f.Engine.Fact(i).Created.IsZero() {
		return false // nobody makes pods of nodes that were not started
	}
	if lock := f.Engine.Fact(i).Lock; w.host.lists && lock != fact.LockNone && lock != fact.LockHeld {
		return false // a list is not refused: the pod would stay, and the host's own could not be made beside it
	}
	p := w.Make(f.Name, name)
	p.UID = fmt.Sprint("x", p.Serial)
	p.Terminating = old.Terminating && old.Alive()
	f.strayed = true
	m.op = []string{"delete", "running", "fail", "pending", "ok"}[m.n%5]
	m.node = name
	return w.podMove(f, m)
}
