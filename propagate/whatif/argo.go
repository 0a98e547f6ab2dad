package whatif

import (
	"slices"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Played are the deviations of Argo's controller that [Input.AsArgo] plays, by their numbers in testdata/DEVIATIONS.md: those by which
// the loss of a pod, or a run without one, never ends.
func Played() []int { return []int{2, 14, 22} }

// NotPlayed are the deviations that a workflow which loses a pod can meet and that change how it ends, or whether it does, and are not
// played: what becomes of the workflow in Argo is worse, or by chance better, than said.
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
