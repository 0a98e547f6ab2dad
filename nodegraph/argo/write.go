package argo

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// SetStatus makes s the status of the workflow: its phase, message and times, and the nodes of s. Only keys whose
// values change are replaced; all else stays byte for byte. What s holds already is no change.
//
//   - A node that s does not have stays as it is. See [Workflow.RemoveNodes].
//   - A node that only s has is created, with Argo's fields.
//   - A node that both have gets the phase, message, type, times, daemoned, taskResultSynced, exit code, and
//     restarts with the pod that was counted last. It also gets the lock it waits for and a hit in the cache. Its name, displayName, boundaryID,
//     template and nodeFlag were said when it was created, and stay.
//   - Children nil leaves the list as it is. Children that are in the list keep their places, new ones come after them.
//   - A time that is not set leaves the one that is there, save for the end of something that has not ended and
//     the start of something that is Pending. Times are written to the second; one that is not set is left out, which
//     means the same as Argo's null.
//   - An exit code that is not set goes when the node has not ended.
//
// Shutdown and Suspended belong to the spec and are not written. Labels that show the phase are the host's.
//
// The error is a [*WriteError]; nothing was changed then. Time and memory follow the nodes of s.
func (w *Workflow) SetStatus(s nodegraph.Snapshot) error { return w.SetStatusSeq(s, each(s.Nodes)) }

// SetStatusSeq is SetStatus with nodes that come one by one, in place of those of s. None is kept.
func (w *Workflow) SetStatusSeq(s nodegraph.Snapshot, nodes iter.Seq[*nodegraph.NodeStatus]) error {
	c, err := w.statusChange(&s, nodes)
	if err != nil {
		return err
	}
	w.state = c.state
	for k := range c.changed {
		w.nodes.rows[c.changed[k].row].take(&c.changed[k].edit)
	}
	w.add(c.added)
	return nil
}

// Says reports whether SetStatus would change nothing.
func (w *Workflow) Says(s nodegraph.Snapshot) bool {
	c, err := w.statusChange(&s, each(s.Nodes))
	return err == nil && len(c.changed) == 0 && len(c.added) == 0 && !differ(c.state, w.state)
}

// A statusChange is what has to be changed.
type statusChange struct {
	state   members
	changed []rowChange
	added   []*nodegraph.NodeStatus
}

// each yields every node of a list.
func each(nodes []nodegraph.NodeStatus) iter.Seq[*nodegraph.NodeStatus] {
	return func(yield func(*nodegraph.NodeStatus) bool) {
		for k := range nodes {
			if !yield(&nodes[k]) {
				return
			}
		}
	}
}

// statusChange works out what SetStatus has to change.
func (w *Workflow) statusChange(s *nodegraph.Snapshot, nodes iter.Seq[*nodegraph.NodeStatus]) (c statusChange, err error) {
	if c.state, err = w.newState(s); err != nil || w.wrong != nil {
		return c, cmp.Or(err, w.wrong)
	}
	w.nodes.reads++
	for r := range nodes {
		if err := w.checkRecord(r); err != nil {
			return c, err
		}
		at, known := w.nodes.at[r.ID]
		switch {
		case !known || w.nodes.rows[at].gone():
			added := *r
			c.added = append(c.added, &added)
			continue
		case w.nodes.rows[at].read == w.nodes.reads:
			return c, w.isTwice(r)
		}
		w.nodes.rows[at].read = w.nodes.reads
		e, err := w.updated(&w.nodes.rows[at], r)
		if err != nil {
			return c, err
		}
		switch {
		case e.wrong != nil:
			return c, w.cantWrite(r.ID, e.wrong)
		case e.changed:
			c.changed = append(c.changed, rowChange{at, e})
		}
	}
	return c, w.checkAdded(c.added)
}

// A rowChange is what changes a node.
type rowChange struct {
	row int
	edit
}

// add creates nodes that the workflow does not have.
func (w *Workflow) add(added []*nodegraph.NodeStatus) {
	c := &creator{w: w, made: make(map[string]nodeContext)}
	// The name of a node begins with the name of what it is inside of. The order says the same whatever that of the snapshot is.
	slices.SortFunc(added, func(a, b *nodegraph.NodeStatus) int {
		return cmp.Or(len(a.Name)-len(b.Name), strings.Compare(a.Name, b.Name))
	})
	for _, r := range added {
		w.nodes.set(r.ID, c.created(r))
	}
}

// checkAdded checks that no node is added twice.
func (w *Workflow) checkAdded(added []*nodegraph.NodeStatus) error {
	seen := make(map[string]bool, len(added))
	for _, r := range added {
		if seen[r.ID] {
			return w.isTwice(r)
		}
		seen[r.ID] = true
	}
	return nil
}

// isTwice is the error of a record that a snapshot has twice.
func (w *Workflow) isTwice(r *nodegraph.NodeStatus) error {
	return &WriteError{Workflow: w.Name, Node: r.ID, Field: "id", Err: errors.New("is in the snapshot twice")}
}

// checkRecord checks what a record must have to be written.
func (w *Workflow) checkRecord(r *nodegraph.NodeStatus) error {
	bad := func(field string, err error) error {
		return &WriteError{Workflow: w.Name, Node: r.ID, Field: field, Err: err}
	}
	switch {
	case r.ID == "":
		return bad("id", errEmpty)
	case r.Name == "":
		return bad("name", errEmpty)
	case r.Phase == nodegraph.PhasePlanned || r.Phase > nodegraph.PhaseOmitted:
		return bad("phase", fmt.Errorf("%q can't be written", r.Phase))
	case r.Kind == nodegraph.KindWorkflow || r.Kind > nodegraph.KindSkipped:
		return bad("type", fmt.Errorf("%q can't be written", r.Kind))
	}
	return nil
}

// newState returns the status of the workflow as a whole, as s says.
func (w *Workflow) newState(s *nodegraph.Snapshot) (members, error) {
	if s.Phase == nodegraph.PhaseSkipped || s.Phase == nodegraph.PhaseOmitted || s.Phase > nodegraph.PhaseOmitted {
		return nil, &WriteError{Workflow: w.Name, Field: "status.phase", Err: fmt.Errorf("%q is not a phase of a workflow", s.Phase)}
	}
	was, _ := decodeState(w.state, nodegraph.Snapshot{}) // of a status that was read, or set here: can't fail
	e := &edit{members: w.state}
	if s.Phase != was.Phase {
		e.setText("phase", s.Phase.String())
	}
	if s.Message != was.Message {
		e.setText("message", s.Message)
	}
	e.setTime("startedAt", was.Started, s.Started, true)
	e.setTime("finishedAt", was.Finished, s.Finished, s.Phase.Completed())
	return e.members, nil
}
