package explore

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// Look is all phases and obligations, sorted by name.
func Look(e *propagate.Engine) string {
	var lines []string
	for i := range nodegraph.Index(e.Graph().Len()) {
		if phase, _ := e.Phase(i); phase != nodegraph.PhasePlanned {
			name := e.Graph().Node(i).Name()
			if i == nodegraph.Root {
				name = "the workflow"
			}
			lines = append(lines, name+" "+phase.String())
		}
	}
	for _, o := range e.Obligations() {
		lines = append(lines, "waits for "+o.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *World) look() string {
	var looks []string
	for _, e := range w.Engines {
		looks = append(looks, Look(e))
	}
	return strings.Join(looks, "\n\n")
}

// savedNodes is the state of an engine with the nodes by name, in whichever order they came to exist.
func savedNodes(e *propagate.Engine) propagate.State {
	s := e.Save()
	slices.SortFunc(s.Nodes, func(a, b propagate.NodeState) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

var hashSeed = maphash.MakeSeed()

// A nodeKey is what tells states of one node apart.
type nodeKey struct {
	name                 string
	fact                 fact.Fact
	resolved, unexpanded bool
}

// hash tells states of an engine apart, in whichever order its nodes came to exist.
func hash(s *propagate.State) uint64 {
	sum := maphash.Comparable(hashSeed, nodeKey{fact: s.Workflow, resolved: s.Suspended, unexpanded: s.Overdue, name: s.Shutdown})
	for k := range s.Nodes {
		n := &s.Nodes[k]
		sum += maphash.Comparable(hashSeed, nodeKey{n.Name, n.Fact, n.Resolved, n.Unexpanded})
		for at, item := range n.Items {
			sum += maphash.String(hashSeed, fmt.Sprint(n.Name, at, item.Text))
		}
	}
	if len(s.Older) > 0 {
		sum += maphash.String(hashSeed, fmt.Sprint(s.Older))
	}
	return sum
}

func hashOf(e *propagate.Engine) uint64 {
	s := e.Save()
	return hash(&s)
}

// hashes tells states of all engines apart.
func (w *World) hashes() []uint64 {
	if w.hashed == nil {
		for _, e := range w.Engines {
			w.hashed = append(w.hashed, hashOf(e))
		}
	}
	return w.hashed
}

// key tells states apart: all that the engines would save, what the host knows, and how the pods are.
func (w *World) key() uint64 {
	var b strings.Builder
	hashes := w.hashes()
	for k := range w.flows {
		f := &w.flows[k]
		fmt.Fprintf(&b, "%x %v %v %v %v %v;", hashes[k], w.Workflows[k].Wake.Unix(), w.Workflows[k].Served, f.suspended, f.shutdown, f.retried)
	}
	var rest []string
	for _, e := range w.Owed {
		rest = append(rest, fmt.Sprint(e.Workflow, e.Granted, e.Action.Type, e.Action.ID))
	}
	for _, p := range w.pods() {
		rest = append(rest, podKey(p))
	}
	slices.Sort(rest) // errands are run in any order
	fmt.Fprintf(&b, "%x %v %v %v", w.told, rest, w.harm, w.Now.Unix())
	for _, key := range w.keys() {
		fmt.Fprint(&b, key, w.Locks.Holders(key), w.Locks.Waiters(key))
	}
	return maphash.String(hashSeed, b.String())
}

// existing are the names of the nodes that exist, sorted.
func existing(e *propagate.Engine) []string {
	var list []string
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if e.Exists(i) {
			list = append(list, e.Graph().Node(i).Name())
		}
	}
	slices.Sort(list)
	return list
}
