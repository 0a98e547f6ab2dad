package argo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// nodeTable holds the nodes of a workflow in the order in which they were read, added ones after them.
type nodeTable struct {
	rows  []*nodeRow
	at    map[string]int // row by id
	block []nodeRow      // where rows are, as many as were made room for at once
}

// rowsAtOnce is for how many rows there is room at once: no row is ever moved.
const rowsAtOnce = 16

// newRow adds a row under an id, as it stands in the text.
func (t *nodeTable) newRow(quoted string) *nodeRow {
	if len(t.block) == cap(t.block) {
		t.block = make([]nodeRow, 0, rowsAtOnce)
	}
	t.block = append(t.block, nodeRow{quoted: quoted})
	row := &t.block[len(t.block)-1]
	t.rows = append(t.rows, row)
	return row
}

// A nodeRow is one node as it was read, and as it is now.
type nodeRow struct {
	quoted   string               // the id as it stood in the text
	was, now string               // empty where there is none: a node that was added, or removed
	record   nodegraph.NodeStatus // what the text says that is there now, or was last
}

// get returns the row of the node with this id, nil if there is none now.
func (t *nodeTable) get(id string) *nodeRow {
	if at, ok := t.at[id]; ok && t.rows[at].now != "" {
		return t.rows[at]
	}
	return nil
}

// set sets the text of a node that was read, or is made here.
func (t *nodeTable) set(id, now string) {
	at, ok := t.at[id]
	if !ok {
		at = len(t.rows)
		t.at[id] = at
		t.newRow(quote(id))
	}
	t.rows[at].change(id, now)
}

// change sets the text of the node, which has this id.
func (row *nodeRow) change(id, now string) {
	row.now, row.record = now, nodegraph.NodeStatus{}
	_ = new(nodeDecoder).node(id, &row.record, &scanner{text: now}) // of a node that was read, or made here: can't fail
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
	s.Nodes = w.nodes.records()
	return nil
}

// records lists the records of all nodes in the order of their names.
func (t *nodeTable) records() []nodegraph.NodeStatus {
	if len(t.rows) == 0 {
		return nil
	}
	type named struct { // what is moved often is small
		name string
		row  *nodeRow
	}
	order := make([]named, len(t.rows))
	for k, row := range t.rows {
		order[k] = named{row.record.Name, row}
	}
	slices.SortFunc(order, func(a, b named) int { return strings.Compare(a.name, b.name) })
	records := make([]nodegraph.NodeStatus, len(order))
	for k := range order {
		records[k] = order[k].row.record
	}
	return records
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
	t := &r.w.nodes
	d := new(nodeDecoder)
	err := s.object(func(id string) error {
		row := t.newRow(s.quoted)
		s.peek()
		from := s.at
		if err := d.node(id, &row.record, s); err != nil {
			return t.orTwice(id, err)
		}
		row.was = s.text[from:s.at]
		row.now = row.was
		return nil
	})
	if err != nil {
		return err
	}
	t.at = make(map[string]int, len(t.rows))
	for k := range t.rows {
		id := t.rows[k].record.ID
		if t.at[id] = k; len(t.at) <= k {
			return &ReadError{Node: id, Err: ErrDuplicateKey}
		}
	}
	return nil
}

// orTwice is the error of the last node, or that it is there twice.
func (t *nodeTable) orTwice(id string, err error) error {
	for k := range t.rows[:len(t.rows)-1] {
		if t.rows[k].record.ID == id {
			return &ReadError{Node: id, Err: ErrDuplicateKey}
		}
	}
	return err
}
