package whatif

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/retry"
)

// ending is how the undisturbed run ended, in terms that outlive its engine: graphs that grew differently number their
// nodes differently.
type ending struct {
	Outcome
	nodes []endingNode
	at    map[string]int // id to place in nodes
}

type endingNode struct {
	Node
	parent   string // id, empty for the workflow
	attempts int    // of a Retry
	ran      bool
}

// outcome is how the world has ended.
func (w *world) outcome() Outcome {
	var o Outcome
	o.Phase, o.Message = w.e.Workflow()
	switch {
	case len(w.orphans) > 0:
		for _, name := range w.orphans {
			o.Waits = append(o.Waits, "the containers of "+name+", which Argo leaves open (deviation 2)")
		}
	case w.e.Complete():
	case w.endless != "":
		o.Waits = []string{w.endless + ": an attempt that succeeds"}
	default:
		for _, ob := range w.e.Obligations() {
			o.Waits = append(o.Waits, ob.String())
		}
	}
	return o
}

// ending describes how the world has ended.
func (w *world) ending() *ending {
	g := w.e.Graph()
	e := &ending{Outcome: w.outcome(), at: make(map[string]int, g.Len())}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if !w.e.Exists(i) {
			continue
		}
		n := endingNode{Node: w.node(i), attempts: attempts(g, i)}
		n.ran = n.Phase != nodegraph.PhaseOmitted && n.Phase != nodegraph.PhaseSkipped
		if p := g.Node(i).Parent; p != nodegraph.Root {
			n.parent = g.Node(p).ID()
		}
		e.at[n.ID] = len(e.nodes)
		e.nodes = append(e.nodes, n)
	}
	return e
}

// find returns the node with this id, nil if there is none.
func (e *ending) find(id string) *endingNode {
	if k, ok := e.at[id]; ok {
		return &e.nodes[k]
	}
	return nil
}

func (w *world) node(i nodegraph.Index) Node {
	n := w.e.Graph().Node(i)
	phase, message := w.e.Phase(i)
	return Node{n.ID(), n.Name(), n.Kind, phase, message}
}

// attempts counts the attempts of node i.
func attempts(g *nodegraph.Graph, i nodegraph.Index) int {
	n := 0
	for m := g.First(i); m != nodegraph.None; m = g.Next(m) {
		if g.Node(m).Role == nodegraph.RoleAttempt {
			n++
		}
	}
	return n
}

// loss compares how the world has ended with the undisturbed run.
func (s *search) loss(w *world, lost ...Lost) Loss {
	l := Loss{Lost: lost, Outcome: w.outcome(), Remade: w.remade, Retries: s.retries(w, lost)}
	g := w.e.Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		phase, _ := w.e.Phase(i)
		bad, left := phase.Unsuccessful(), phase == nodegraph.PhaseOmitted || phase == nodegraph.PhaseSkipped
		if !bad && !left || g.Node(i).Role == nodegraph.RoleContainer || superseded(g, i) {
			continue
		}
		was := s.base.find(g.Node(i).ID())
		switch {
		case bad && (was == nil || !was.Phase.Unsuccessful()):
			l.Failed = append(l.Failed, w.node(i))
		case left && was != nil && was.ran:
			l.Omitted = append(l.Omitted, w.node(i))
		}
	}
	for k := range s.base.nodes {
		if n := &s.base.nodes[k]; n.ran && n.Kind != nodegraph.KindContainer && !started(w, n.ID) && s.outermost(w, n) {
			l.NeverStarted = append(l.NeverStarted, Node{ID: n.ID, Name: n.Name, Kind: n.Kind})
		}
	}
	for _, list := range [][]Node{l.Failed, l.Omitted, l.NeverStarted} {
		slices.SortFunc(list, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	}
	return l
}

// superseded tells whether node i is inside an attempt that another followed, or is one.
func superseded(g *nodegraph.Graph, i nodegraph.Index) bool {
	for ; i > nodegraph.Root; i = g.Node(i).Parent {
		if n := g.Node(i); n.Role == nodegraph.RoleAttempt && int(n.DeclIndex) < attempts(g, n.Parent)-1 {
			return true
		}
	}
	return false
}

// started tells whether the node with this id exists, be it omitted.
func started(w *world, id string) bool {
	i := w.e.Graph().Find(id)
	return i > nodegraph.Root && w.e.Exists(i)
}

// outermost tells whether n, which never started, is inside something that ran.
func (s *search) outermost(w *world, n *endingNode) bool {
	if n.parent == "" {
		return true
	}
	g := w.e.Graph()
	i := g.Find(n.parent)
	if i <= nodegraph.Root || !w.e.Exists(i) || superseded(g, i) {
		return false
	}
	phase, _ := w.e.Phase(i)
	return phase != nodegraph.PhaseOmitted && phase != nodegraph.PhaseSkipped
}

// retries says what the Retry nodes around the lost pods have done.
func (s *search) retries(w *world, lost []Lost) []Retry {
	g := w.e.Graph()
	var list []Retry
	for _, l := range lost {
		var around []Retry
		for i := g.Find(l.ID); i > nodegraph.Root; i = g.Node(i).Parent {
			n := g.Node(i)
			known := slices.ContainsFunc(list, func(r Retry) bool { return r.ID == n.ID() })
			if n.Kind != nodegraph.KindRetry || known {
				continue
			}
			r := Retry{ID: n.ID(), Name: n.Name(), Attempts: attempts(g, i), Left: left(w.e, i)}
			if was := s.base.find(n.ID()); was != nil {
				r.Attempts -= was.attempts
			} else {
				r.Attempts-- // the Retry is inside an attempt that the undisturbed run did not make
			}
			around = append(around, r)
		}
		slices.Reverse(around)
		list = append(list, around...)
	}
	return list
}

// left is how many more failures the limit of Retry i allows.
func left(e *propagate.Engine, i nodegraph.Index) int {
	g := e.Graph()
	strategy := g.Node(i).Template.Retry
	if strategy.Limit == nil {
		return NoLimit
	}
	failures := 0
	for m := g.First(i); m != nodegraph.None; m = g.Next(m) {
		if phase, message := e.Phase(m); phase.Unsuccessful() && counts(strategy, attempt(e.Fact(m), phase, message)) {
			failures++
		}
	}
	return max(*strategy.Limit-failures, 0)
}

// attempt describes an attempt that failed to package retry.
func attempt(f fact.Fact, phase nodegraph.Phase, message string) *retry.Attempt {
	a := &retry.Attempt{Outcome: retry.Failed, Message: message, Reason: f.Reason, ExitCode: f.ExitCode, HasExitCode: f.HasExit}
	if phase == nodegraph.PhaseError {
		a.Outcome = retry.Errored
	}
	if f.Conditions != "" {
		a.Conditions = strings.Split(f.Conditions, ",")
	}
	if f.Stage == fact.StageGone {
		a.Reason = retry.ReasonPodDeleted
	}
	return a
}

// counts tells whether a failed attempt counts against the limit.
func counts(s *retry.Strategy, a *retry.Attempt) bool {
	for k := range s.Rules {
		if s.Rules[k].Matches(a) {
			return s.Rules[k].Action != retry.ActionIgnore
		}
	}
	disrupted := retry.IsDisruption(a.Reason) || slices.Contains(a.Conditions, retry.DisruptionTarget)
	return !s.IgnoreDisruptions || !disrupted
}
