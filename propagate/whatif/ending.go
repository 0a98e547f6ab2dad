package whatif

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
)

// ending is how the undisturbed run ended, in terms that outlive its engine: graphs that grew differently number their
// nodes differently.
type ending struct {
	Outcome
	nodes []*endingNode
	at    map[string]*endingNode // by id
}

type endingNode struct {
	Node
	parent   *endingNode // nil for the workflow
	attempts int         // of a Retry
	ran      bool
	index    nodegraph.Index // where the node was found last in a graph
}

// outcome is how the world has ended.
func (w *world) outcome() Outcome {
	var o Outcome
	o.Phase, o.Message = w.e.Workflow()
	switch {
	case len(w.open) > 0:
		for _, left := range w.open {
			o.Waits = append(o.Waits, left.String())
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
	e := &ending{Outcome: w.outcome(), at: make(map[string]*endingNode, g.Len())}
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if !w.e.Exists(i) {
			continue
		}
		n := &endingNode{Node: w.node(i), attempts: attempts(g, i), index: i}
		n.ran = n.Phase != nodegraph.PhaseOmitted && n.Phase != nodegraph.PhaseSkipped
		if p := g.Node(i).Parent; p != nodegraph.Root {
			n.parent = e.find(g.Node(p).ID())
		}
		e.at[n.ID] = n
		e.nodes = append(e.nodes, n)
	}
	return e
}

// find returns the node with this id, nil if there is none.
func (e *ending) find(id string) *endingNode { return e.at[id] }

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

// loss compares how the world has ended with the undisturbed run. Absent are those nodes of that run that may not have started.
func (s *search) loss(w *world, absent []*endingNode, lost ...Lost) Loss {
	l := Loss{Lost: lost, Outcome: w.outcome(), Remade: w.remade, Retries: s.retries(w, lost)}
	g := w.e.Graph()
	slices.Sort(w.touched)
	for _, i := range slices.Compact(w.touched) {
		phase, _ := w.e.Phase(i)
		if !counts(phase) || g.Node(i).Role == nodegraph.RoleContainer || superseded(g, i) {
			continue
		}
		was := s.base.find(g.Node(i).ID())
		switch {
		case phase.Unsuccessful() && (was == nil || !was.Phase.Unsuccessful()):
			l.Failed = append(l.Failed, w.node(i))
			if w.e.Verdict(i).Rule == rule.RuleFailFast {
				l.FailedFast = append(l.FailedFast, w.node(i))
			}
		case !phase.Unsuccessful() && was != nil && was.ran:
			l.Omitted = append(l.Omitted, w.node(i))
		}
	}
	for _, n := range absent {
		if n.ran && n.Kind != nodegraph.KindContainer && !n.started(w) && s.outermost(w, n) {
			l.NeverStarted = append(l.NeverStarted, Node{ID: n.ID, Name: n.Name, Kind: n.Kind})
		}
	}
	for _, list := range [][]Node{l.Failed, l.Omitted, l.NeverStarted, l.FailedFast} {
		slices.SortFunc(list, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	}
	return l
}

// counts reports whether a node that ends in this phase counts against a loss.
func counts(p nodegraph.Phase) bool {
	return p.Unsuccessful() || p == nodegraph.PhaseOmitted || p == nodegraph.PhaseSkipped
}

// absent are the nodes that have not started in a world.
func (e *ending) absent(w *world) []*endingNode {
	var list []*endingNode
	for _, n := range e.nodes {
		if !n.started(w) {
			list = append(list, n)
		}
	}
	return list
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

// started reports whether the node exists in a world, be it omitted. Most worlds have it where the one before had it.
func (n *endingNode) started(w *world) bool {
	g := w.e.Graph()
	if int(n.index) >= g.Len() || g.Node(n.index).ID() != n.ID {
		i := g.Find(n.ID)
		if i <= nodegraph.Root {
			return false
		}
		n.index = i
	}
	return w.e.Exists(n.index)
}

// outermost tells whether n, which never started, is inside something that ran.
func (s *search) outermost(w *world, n *endingNode) bool {
	if n.parent == nil {
		return true
	}
	g := w.e.Graph()
	i := g.Find(n.parent.ID)
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
		if phase, message := e.Phase(m); phase.Unsuccessful() && limited(strategy, attempt(e.Fact(m), phase, message)) {
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

// limited tells whether a failed attempt counts against the limit.
func limited(s *retry.Strategy, a *retry.Attempt) bool {
	for k := range s.Rules {
		if s.Rules[k].Matches(a) {
			return s.Rules[k].Action != retry.ActionIgnore
		}
	}
	disrupted := retry.IsDisruption(a.Reason) || slices.Contains(a.Conditions, retry.DisruptionTarget)
	return !s.IgnoreDisruptions || !disrupted
}

// Played are the deviations of Argo's controller that [Input.AsArgo] plays, by their numbers in testdata/DEVIATIONS.md: those by which
// the loss of a pod, or a run without one, never ends.
func Played() []int { return []int{2, 14, 22} }

// NotPlayed are deviations that a workflow which loses a pod can meet, that change how it ends or whether it does, and that are not
// played. What becomes of the workflow in Argo is worse then, or by chance better, than said.
func NotPlayed() []int { return []int{8, 9, 20, 24, 26, 35, 36} }

// A leftOpen is a node that Argo's controller leaves open.
type leftOpen struct {
	id        string // of the node
	text      string
	deviation int
}

// String shows what is left open in a few words.
func (o leftOpen) String() string {
	return o.text + ", which Argo leaves open (deviation " + strconv.Itoa(o.deviation) + ")"
}

// leave notes that Argo's controller leaves something open.
func (w *world) leave(id, text string, deviation int) {
	w.open = append(slices.Clone(w.open), leftOpen{id, text, deviation})
}

// argoLoses notes what Argo's controller leaves open when a pod is lost. It takes back what it would have left open of that pod: its
// containers end when it is deleted.
func (w *world) argoLoses(l *life, how Way) {
	if !w.in.AsArgo {
		return
	}
	w.open = slices.DeleteFunc(slices.Clone(w.open), func(o leftOpen) bool { return o.id == l.id })
	i := w.e.Graph().Find(l.id)
	if how == Evicted && w.hasOpenContainers(i) && w.withinDAGs(i) > 0 {
		w.leave(l.id, "the containers of "+l.name, 2)
	}
}

// argoDaemon notes that the containers of a daemon that is a ContainerSet hold a DAG around it open.
func (w *world) argoDaemon(l *life) {
	i := w.e.Graph().Find(l.id)
	if w.in.AsArgo && w.e.Graph().First(i) != nodegraph.None && w.withinDAGs(i) > 0 {
		w.leave(l.id, "the containers of the daemon "+l.name, 22)
	}
}

// argoFailsFast notes that a DAG that fails fast leaves a Retry open, which a DAG around it waits for.
func (w *world) argoFailsFast(c *propagate.Change) {
	if w.in.AsArgo && c.Kind == nodegraph.KindRetry && c.Message == failedFast && w.withinDAGs(c.Node) > 1 {
		w.leave(c.ID, "the Retry "+c.Name, 14)
	}
}

// failedFast is the message of what a template closes that fails fast.
const failedFast = "template has failed or errored children and failFast enabled"

// hasOpenContainers reports whether a container of a pod has not ended.
func (w *world) hasOpenContainers(pod nodegraph.Index) bool {
	for m := range w.e.Graph().Members(pod) {
		if w.e.Exists(m) && !w.e.Verdict(m).Fulfilled {
			return true
		}
	}
	return false
}

// withinDAGs is how many DAGs a node is inside of.
func (w *world) withinDAGs(i nodegraph.Index) int {
	g, n := w.e.Graph(), 0
	for p := g.Node(i).Parent; p > nodegraph.Root; p = g.Node(p).Parent {
		if g.Node(p).Kind == nodegraph.KindDAG {
			n++
		}
	}
	return n
}
