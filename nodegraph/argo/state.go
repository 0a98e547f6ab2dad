package argo

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// nodeTable holds the nodes of a workflow in the order in which they were read, added ones after them.
type nodeTable struct {
	rows  []nodeRow
	at    map[string]int // row by id
	order []int32        // rows in the order of the object that was followed last, added ones after them; nil for that of rows
	spare []int32        // scratch of Follow
	reads uint32         // how often all nodes were gone through
	dead  int            // bytes of the text in which nodes stood that have changed since
}

// A nodeRow is one node as it was read, and as it is now.
type nodeRow struct {
	quoted   string                // the id as it stood in the text
	was, now string                // empty where there is none: a node that was added, or removed
	patch    *members              // what leads from was to now, where that was one edit; else nil
	record   *nodegraph.NodeStatus // what the text says that is there now, or was last; it is replaced, never changed
	read     uint32                // nodeTable.reads when the node was met last
	own      bool                  // its text is no part of that of the object
	object   any                   // what it came as if it came decoded and has no text yet; was and now are empty as long
}

// inOrder yields all rows in the order of the object, added ones after them.
func (t *nodeTable) inOrder() iter.Seq[*nodeRow] {
	return func(yield func(*nodeRow) bool) {
		for k := range t.rows {
			if k < len(t.order) {
				k = int(t.order[k])
			}
			if !yield(&t.rows[k]) {
				return
			}
		}
	}
}

// get returns the row of the node with this id, nil if there is none now.
func (t *nodeTable) get(id string) *nodeRow {
	if at, ok := t.at[id]; ok && !t.rows[at].gone() {
		return &t.rows[at]
	}
	return nil
}

// set sets the text of a node that was read, or is made here.
func (t *nodeTable) set(id, now string) {
	at, ok := t.at[id]
	if !ok {
		at = len(t.rows)
		t.at[id] = at
		t.rows = append(t.rows, nodeRow{quoted: quote(id)})
	}
	t.rows[at].change(id, now)
}

// change sets the text of the node, which has this id.
func (row *nodeRow) change(id, now string) {
	row.now, row.patch, row.record = now, nil, new(nodegraph.NodeStatus)
	_ = new(nodeDecoder).node(id, row.record, &scanner{text: now}) // of a node that was read, or made here: can't fail
}

// take makes the node what an edit of its text has made of it.
func (row *nodeRow) take(e *edit) {
	fresh := row.now == row.was
	patch := patchOf(e.before, e.members)
	row.change(row.record.ID, e.inOrder().encode())
	if fresh {
		row.patch = &patch
	}
}

// readStatus reads the status that comes next, but for what finishStatus does.
func (r *reader) readStatus(s *scanner) error {
	r.hasStatus = true
	return s.uniquely(1, func() (err error) {
		r.w.status, err = s.members(func(key string) error {
			if key == "nodes" {
				return r.readNodes(s)
			}
			return s.skip()
		})
		return err
	})
}

// finishStatus makes the snapshot of the status: the workflow's own fields and its nodes, these in the order of their names.
func (r *reader) finishStatus() error {
	w, s := r.w, &r.w.Snapshot
	w.state = w.status
	if w.nodes.at == nil {
		w.nodes.at = make(map[string]int)
	}
	var err error
	if *s, err = decodeState(w.status, *s); err != nil {
		return r.offloaded(err)
	}
	if len(w.nodes.rows) == 0 {
		nodes, err := r.unpack()
		if err == nil && nodes != "" {
			err = inField("status.nodes", r.readNodes(&scanner{text: nodes}))
		}
		if err != nil {
			return err
		}
	}
	if s.Nodes = r.records; !r.borrowed {
		s.Nodes = byName(r.records)
	}
	return nil
}

// byName returns copies of records in the order of their names.
func byName(records []nodegraph.NodeStatus) []nodegraph.NodeStatus {
	if len(records) == 0 {
		return nil
	}
	type named struct { // what is moved often is small
		name string
		at   int
	}
	order := make([]named, len(records))
	for k := range records {
		order[k] = named{records[k].Name, k}
	}
	slices.SortFunc(order, func(a, b named) int { return strings.Compare(a.name, b.name) })
	sorted := make([]nodegraph.NodeStatus, len(records))
	for k := range order {
		sorted[k] = records[order[k].at]
	}
	return sorted
}

// unpack returns the nodes that came compressed, empty if there are none. Argo looks at them only where there are no
// others.
func (r *reader) unpack() (string, error) {
	packed, err := (&scanner{text: orNull(r.w.status.get("compressedNodes"))}).str()
	if err != nil || packed == "" {
		return "", inField("status.compressedNodes", err)
	}
	nodes, err := decompress(packed, r.limits.Decompressed)
	if err != nil {
		return "", inField("status.compressedNodes", err)
	}
	r.w.packed = true
	return nodes, nil
}

// decodeState reads what the status says of the workflow as a whole.
func decodeState(status members, s nodegraph.Snapshot) (nodegraph.Snapshot, error) {
	for _, m := range status {
		var err error
		v := &scanner{text: m.value}
		switch m.key {
		case "phase":
			s.Phase, err = v.workflowPhase()
		case "message":
			s.Message, err = v.str()
		case "startedAt":
			s.Started, err = v.moment()
		case "finishedAt":
			s.Finished, err = v.moment()
		case "offloadNodeStatusVersion":
			var version string
			if version, err = v.str(); version != "" {
				err = ErrOffloaded
			}
		}
		if err != nil {
			return s, &ReadError{Field: "status." + m.key, Err: err}
		}
	}
	return s, nil
}

// workflowPhase reads the phase of a workflow, which can't be Skipped or Omitted.
func (s *scanner) workflowPhase() (nodegraph.Phase, error) {
	text, err := s.str()
	if err != nil {
		return nodegraph.PhasePlanned, err
	}
	phase, err := nodegraph.ParsePhase(text)
	if err != nil || phase == nodegraph.PhaseSkipped || phase == nodegraph.PhaseOmitted {
		return nodegraph.PhasePlanned, fmt.Errorf("%q is not a phase of a workflow", bounded(text))
	}
	return phase, nil
}

// readNodes reads the object of all nodes, which comes next.
func (r *reader) readNodes(s *scanner) error {
	t, d := &r.w.nodes, new(nodeDecoder)
	second := s.at
	err := s.object(func(id string) error {
		n := len(r.records)
		if n == 1 {
			second = s.at // the first is the entry node as a rule, which has more children than others
		}
		if n == cap(r.records) {
			room := roomFor(n, s.at-second, len(s.text)-s.at)
			r.records, t.rows = slices.Grow(r.records, room), slices.Grow(t.rows, room)
		}
		r.records = append(r.records, nodegraph.NodeStatus{})
		quoted := s.quoted
		s.peek()
		from := s.at
		if err := d.node(id, &r.records[len(r.records)-1], s); err != nil {
			return r.orTwice(id, err)
		}
		was := s.text[from:s.at]
		t.rows = append(t.rows, nodeRow{quoted: quoted, was: was, now: was})
		return nil
	})
	if err != nil {
		return err
	}
	t.at = make(map[string]int, len(t.rows))
	for k := range t.rows {
		row := &t.rows[k]
		row.record = &r.records[k]
		if t.at[row.record.ID] = k; len(t.at) <= k {
			return &ReadError{Node: row.record.ID, Err: ErrDuplicateKey}
		}
	}
	return nil
}

// roomFor is for how many more nodes there is to be room once n were read in so many bytes: as many as are left to come if they are
// like those, which only many nodes tell.
func roomFor(n, bytes, left int) int {
	const few, many = 16, 64
	switch like := left / max(1, bytes/max(1, n)) * 17 / 16; {
	case n < many:
		return max(few, min(7*n, like))
	default:
		return max(few, like)
	}
}

// orTwice is the error of the last node, or that it is there twice.
func (r *reader) orTwice(id string, err error) error {
	for k := range r.records[:len(r.records)-1] {
		if r.records[k].ID == id {
			return &ReadError{Node: id, Err: ErrDuplicateKey}
		}
	}
	return err
}
