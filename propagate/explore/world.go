package explore

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A World is a few engines, the locks that they share, and what the host has not yet done about those.
type World struct {
	Engines []*propagate.Engine
	Locks   propagate.LockTable

	owed   []errand
	told   uint64 // facts, as bits
	moves  int    // without those that say again what was said
	path   []move
	limits map[string]int // of the locks that were asked for
	asked  map[propagate.Holder][]nodegraph.Lock
}

// An errand is to ask for locks, or to tell that they were granted.
type errand struct {
	workflow int
	node     string
	locks    []nodegraph.Lock // to ask for; nil: to tell
}

// Told tells whether a fact, by its index, has been told.
func (w *World) Told(fact int) bool { return w.told&(1<<fact) != 0 }

// holder is a node of a workflow, or the workflow, in the table of locks.
func holder(workflow int, node string) propagate.Holder {
	return propagate.Holder{Workflow: fmt.Sprint(workflow), Node: node}
}

// carryOut gives locks back at once, as a host must; it may take its time to ask for them and to hand them on.
func (w *World) carryOut(workflow int, r propagate.Result) {
	for _, a := range r.Actions {
		switch a.Type {
		case propagate.ActionAcquire:
			w.owed = append(w.owed, errand{workflow, a.ID, a.Locks})
			w.asked[holder(workflow, a.ID)] = a.Locks
			for _, l := range a.Locks {
				w.limits[l.Key] = max(1, l.Limit)
			}
		case propagate.ActionRelease:
			w.giveBack(workflow, a.ID)
		}
	}
}

func (w *World) giveBack(workflow int, node string) {
	for _, h := range w.Locks.Release(holder(workflow, node)) {
		var to int
		_, _ = fmt.Sscan(h.Workflow, &to)
		w.owed = append(w.owed, errand{workflow: to, node: h.Node})
	}
}

// holders lists, by lock, who holds it as the engines see it.
func (w *World) holders() map[string][]propagate.Holder {
	all := make(map[string][]propagate.Holder)
	for k, e := range w.Engines {
		for i := range nodegraph.Index(e.Graph().Len()) {
			h := holder(k, e.Graph().Node(i).ID())
			if e.Fact(i).Lock != propagate.LockHeld {
				continue
			}
			for _, l := range w.asked[h] {
				all[l.Key] = append(all[l.Key], h)
			}
		}
	}
	return all
}

// key tells states apart: all that the engines would save, with the nodes by id, and what the host knows.
func (w *World) key() string {
	var b strings.Builder
	for _, e := range w.Engines {
		b.WriteString(saved(e))
	}
	var owed []string
	for _, errand := range w.owed {
		owed = append(owed, fmt.Sprint(errand))
	}
	slices.Sort(owed) // errands are run in any order
	fmt.Fprintf(&b, "%x %v", w.told, owed)
	for _, key := range slices.Sorted(maps.Keys(w.limits)) {
		fmt.Fprint(&b, key, w.Locks.Holders(key), w.Locks.Waiters(key))
	}
	return b.String()
}

// savedNodes is the state of an engine with the nodes by id, in whichever order they came to exist.
func savedNodes(e *propagate.Engine) propagate.State {
	s := e.Save()
	slices.SortFunc(s.Nodes, func(a, b propagate.NodeState) int { return strings.Compare(a.ID, b.ID) })
	return s
}

var hashSeed = maphash.MakeSeed()

// saved tells states of an engine apart.
func saved(e *propagate.Engine) string {
	s := savedNodes(e)
	text := fmt.Appendf(nil, "%v %s %v %x", s.Held, s.Shutdown, s.Older, maphash.Comparable(hashSeed, s.Workflow))
	for _, n := range s.Nodes {
		text = append(text, n.ID...)
		text = strconv.AppendUint(text, maphash.Comparable(hashSeed, n.Fact), 16)
		for _, item := range n.Items {
			text = append(text, item.Text...)
		}
	}
	return string(text)
}

// Look is all phases and obligations, sorted by name.
func Look(e *propagate.Engine) string {
	var lines []string
	for i := range nodegraph.Index(e.Graph().Len()) {
		if phase, _ := e.Phase(i); phase != nodegraph.Planned {
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
