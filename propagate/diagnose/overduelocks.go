package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// lockOverdue finds waits for a lock that nobody holds, and for one that the status says is held by what waits.
func (d *diagnosis) lockOverdue(w *Wait) {
	a := d.awaited(w)
	if a != nil {
		w.HeldBy = a.Holders
	}
	w.HolderUnknown = w.Lock != "" && len(w.HeldBy) == 0 && !slices.ContainsFunc(d.held, func(h Holding) bool { return h.Key == w.Lock })
	if a == nil {
		return
	}
	for _, own := range a.Own {
		if own == w.ID || !d.around(own, w.ID) {
			continue
		}
		d.late[w.ID] = true
		d.add(Finding{
			Kind: LockForEver, Node: w.Node, Since: w.Since, Lock: a.Key,
			Reason: "it never comes true: the status says that " + d.nameOf(own) + ", which it is inside of, holds " + a.Key,
			Remedy: "change the specification so that what holds the lock does not wait for it, and stop the workflow",
		})
		return
	}
	if len(a.Holders)+len(a.Own) == 0 && d.hadTime(w.Since) {
		d.late[w.ID] = true
		d.add(Finding{
			Kind: LockFree, Node: w.Node, Since: w.Since, Lock: a.Key,
			Reason: fmt.Sprintf("it has waited for %s for %s, and the status names nobody who holds it", a.Key, d.ago(w.Since)), Remedy: lookAtController,
		})
	}
}

// awaited is what the status says of the lock that w waits for, nil if it says nothing.
func (d *diagnosis) awaited(w *Wait) *Awaited {
	for k := range d.in.Awaited {
		a := &d.in.Awaited[k]
		if w.Lock == a.Key || w.Lock == "" && (w.Message == "" || strings.Contains(w.Message, a.Key)) {
			w.Lock = a.Key
			return a
		}
	}
	return nil
}

// around reports whether a node, or the workflow if outer is empty, is around another one.
func (d *diagnosis) around(outer, inner string) bool {
	i, o := d.g.Find(inner), nodegraph.Root
	if outer != "" {
		o = d.g.Find(outer)
	}
	for i > nodegraph.Root && i != o {
		i = d.g.Node(i).Parent
	}
	return i == o && o > nodegraph.None
}

// nameOf is the name of a recorded node, or of the workflow.
func (d *diagnosis) nameOf(id string) string {
	if r := d.record.byID[id]; r != nil {
		return r.Name
	}
	return "workflow " + d.in.Spec.Name
}
