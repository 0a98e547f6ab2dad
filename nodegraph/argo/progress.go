package argo

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// SetProgress writes what Argo shows besides the status of [Workflow.SetStatus], from the nodes as they are set now:
//
//   - progress of the workflow and of each node: how many of the pods, containers, Suspend, HTTP and Plugin nodes have ended well. That
//     of another node counts all that is reached from it by children, and so what comes after it, too.
//   - outboundNodes of DAGs and Steps that are completed, if they have none. See [OutboundNodes] for g and exists.
//
// Neither decides anything. Progress that somebody else has reported stays until the node has ended well. Time follows the nodes, and
// for each node that is not counted itself what is reached from it.
func (w *Workflow) SetProgress(g *nodegraph.Graph, exists func(nodegraph.Index) bool) {
	p := &progress{rows: w.nodes.rows, at: w.nodes.at, of: make([]fraction, len(w.nodes.rows)), seen: make([]int, len(w.nodes.rows))}
	var whole fraction
	for k := range p.rows {
		if r := p.rows[k].record; p.rows[k].now != "" && counted(r.Kind) {
			p.of[k] = p.own(k)
			whole = whole.plus(p.of[k])
		}
	}
	for k := range p.rows {
		row := &p.rows[k]
		if row.now == "" {
			continue
		}
		e := &edit{raw: row.now}
		shows := p.of[k]
		if !counted(row.record.Kind) {
			shows = p.sum(k)
		}
		if shows.all > 0 {
			e.setShown("progress", shows.String())
		}
		if ends := row.record.Kind == nodegraph.KindDAG || row.record.Kind == nodegraph.KindSteps; ends && row.record.Phase.Completed() && e.get("outboundNodes") == "" {
			e.setList("outboundNodes", outboundIDs(g, exists, row.record.ID))
		}
		if e.changed {
			row.take(e)
		}
	}
	e := &edit{members: w.state}
	e.setShown("progress", whole.String())
	w.state = e.members
}

// setShown sets a string where another is.
func (e *edit) setShown(key, value string) {
	if e.get(key) != quote(value) {
		e.setText(key, value)
	}
}

// outboundIDs are the ids of the nodes at which a node ends, sorted.
func outboundIDs(g *nodegraph.Graph, exists func(nodegraph.Index) bool, id string) (ids []string) {
	if i := g.Find(id); i != nodegraph.None {
		for _, end := range OutboundNodes(g, exists, i) {
			ids = append(ids, g.Node(end).ID())
		}
	}
	slices.Sort(ids)
	return ids
}

// counted reports whether progress counts nodes of a kind.
func counted(kind nodegraph.Kind) bool {
	switch kind {
	case nodegraph.KindPod, nodegraph.KindContainer, nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin:
		return true
	}
	return false
}

// A fraction is how much of something is done.
type fraction struct{ done, all int64 }

func (f fraction) String() string { return fmt.Sprintf("%d/%d", f.done, f.all) }

func (f fraction) plus(other fraction) fraction {
	return fraction{f.done + other.done, f.all + other.all}
}

// progress works out the progress of nodes.
type progress struct {
	rows []nodeRow
	at   map[string]int
	of   []fraction // of the rows that are counted themselves
	seen []int      // the sum in which a row was reached last, counted from 1
}

// own is the progress of a row that is counted: what it says, or one of one.
func (p *progress) own(k int) fraction {
	f := fraction{0, 1}
	var text string
	if json.Unmarshal([]byte((&edit{raw: p.rows[k].now}).get("progress")), &text) == nil {
		var said fraction
		if n, _ := fmt.Sscanf(text, "%d/%d", &said.done, &said.all); n == 2 && said.String() == text && 0 <= said.done && said.done <= said.all && said.all > 0 {
			f = said
		}
	}
	switch p.rows[k].record.Phase {
	case nodegraph.PhaseSucceeded, nodegraph.PhaseSkipped, nodegraph.PhaseOmitted:
		f.done = f.all
	}
	return f
}

// sum adds up what is reached from a row by children.
func (p *progress) sum(k int) (total fraction) {
	todo := []int{k}
	for len(todo) > 0 {
		from := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, id := range p.rows[from].record.Children {
			if child, ok := p.at[id]; ok && p.rows[child].now != "" && p.seen[child] != k+1 {
				p.seen[child] = k + 1
				total = total.plus(p.of[child])
				todo = append(todo, child)
			}
		}
	}
	return total
}
