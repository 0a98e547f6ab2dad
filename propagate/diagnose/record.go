package diagnose

import (
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// record answers questions about the nodes as they were recorded.
type record struct {
	byID map[string]*nodegraph.NodeStatus
	g    *nodegraph.Graph
	all  *nodegraph.Snapshot
}

func newRecord(s *nodegraph.Snapshot, g *nodegraph.Graph) *record {
	r := &record{byID: make(map[string]*nodegraph.NodeStatus, len(s.Nodes)), g: g, all: s}
	for k := range s.Nodes {
		r.byID[s.Nodes[k].ID] = &s.Nodes[k]
	}
	return r
}

// open reports whether a node is recorded as unfinished. A ready daemon is, too.
func open(r *nodegraph.NodeStatus) bool { return !r.Phase.Settled() }

// of returns the record of node i, nil if there is none.
func (r *record) of(i nodegraph.Index) *nodegraph.NodeStatus { return r.byID[r.g.Node(i).ID()] }

// find returns the graph's node for a record, None where the specification does not ask for it.
func (r *record) find(n *nodegraph.NodeStatus) nodegraph.Index {
	if i := r.g.Find(n.ID); i > nodegraph.Root {
		return i
	}
	return nodegraph.None
}

// endedAround returns the innermost node around n that is recorded as ended with its results.
func (r *record) endedAround(n *nodegraph.NodeStatus) *nodegraph.NodeStatus {
	i := r.find(n)
	if i == nodegraph.None {
		return nil
	}
	for p := r.g.Node(i).Parent; p > nodegraph.Root; p = r.g.Node(p).Parent {
		if around := r.of(p); around != nil && around.Phase.Settled() && !around.Unsynced {
			return around
		}
	}
	return nil
}

// lateUnder returns the Retry that is recorded as ended and has n inside an attempt that the graph does not know, and
// the name of that attempt.
func (r *record) lateUnder(n *nodegraph.NodeStatus) (retry *nodegraph.NodeStatus, attempt string) {
	if r.find(n) != nodegraph.None {
		return nil, ""
	}
	for at := 0; at < len(n.Name); at++ {
		number, _, closed := strings.Cut(n.Name[at+1:], ")")
		if n.Name[at] != '(' || !closed || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		i := r.g.Find(n.Name[:at])
		if i <= nodegraph.Root || r.g.Node(i).Kind != nodegraph.KindRetry {
			continue
		}
		attempt = n.Name[:at+1] + number + ")"
		if known := r.of(i); known != nil && known.Phase.Settled() && r.g.Find(attempt) == nodegraph.None {
			return known, attempt
		}
	}
	return nil, ""
}

// lastSign is the last time that the record tells of anything.
func (r *record) lastSign() time.Time {
	at := latest(r.all.Started, r.all.Finished)
	for k := range r.all.Nodes {
		at = latest(at, r.all.Nodes[k].Started, r.all.Nodes[k].Finished)
	}
	return at
}

// pods answers questions about the pods that exist.
type pods struct {
	known  bool
	info   map[string]PodInfo                // by name
	byNode map[string][]*propagate.PodStatus // by id or name of the node
}

func newPods(list []propagate.PodStatus, info map[string]PodInfo) *pods {
	p := &pods{known: list != nil, info: info, byNode: make(map[string][]*propagate.PodStatus, len(list))}
	for k := range list {
		p.byNode[list[k].Node] = append(p.byNode[list[k].Node], &list[k])
	}
	return p
}

// of returns the pods of a node, nil if there are none or that is not known.
func (p *pods) of(n *nodegraph.NodeStatus) []*propagate.PodStatus {
	if list := p.byNode[n.ID]; len(list) > 0 {
		return list
	}
	return p.byNode[n.Name]
}

// live returns a pod of the node that has not ended, nil if there is none.
func (p *pods) live(n *nodegraph.NodeStatus) *propagate.PodStatus {
	for _, pod := range p.of(n) {
		if !isOver(pod) {
			return pod
		}
	}
	return nil
}

// agent returns the pod of an agent that has not ended, nil if there is none or that is not known. It names no node.
func (p *pods) agent() *propagate.PodStatus {
	for _, pod := range p.byNode[""] {
		if !isOver(pod) {
			return pod
		}
	}
	return nil
}

// isOver reports whether a pod has ended.
func isOver(pod *propagate.PodStatus) bool { return pod.Phase == "Succeeded" || pod.Phase == "Failed" }

// ended is when node r ended, as far as the record tells: a pod that was evicted has no end there, and has begun.
func ended(r *nodegraph.NodeStatus) time.Time {
	if r.Finished.IsZero() {
		return r.Started
	}
	return r.Finished
}

func latest(times ...time.Time) (at time.Time) {
	for _, t := range times {
		if t.After(at) {
			at = t
		}
	}
	return at
}

func podOf(rec *record, r *nodegraph.NodeStatus) *nodegraph.NodeStatus {
	if pod := rec.byID[r.Boundary]; r.Kind == nodegraph.KindContainer && pod != nil {
		return pod
	}
	return r
}
