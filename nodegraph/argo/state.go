package argo

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// nodeTable holds the raw nodes of a workflow in the order in which they were read, added ones after them.
type nodeTable struct {
	rows []nodeRow
	at   map[string]int // row by id
}

// A nodeRow is one node as it was read, and as it is now.
type nodeRow struct {
	id       string
	quoted   []byte          // the id as it stood in the text
	was, now json.RawMessage // nil where there is none: a node that was added, or removed
}

// get returns the node with this id as it is now, nil if there is none.
func (t *nodeTable) get(id string) json.RawMessage {
	if at, ok := t.at[id]; ok {
		return t.rows[at].now
	}
	return nil
}

// set sets a node; nil removes it.
func (t *nodeTable) set(id string, now json.RawMessage) {
	at, ok := t.at[id]
	if !ok {
		at = len(t.rows)
		t.at[id] = at
		t.rows = append(t.rows, nodeRow{id: id, quoted: quote(id)})
	}
	t.rows[at].now = now
}

// readStatus reads the status: the workflow's own fields and its nodes, these in the order of their names.
func (r *reader) readStatus() error {
	w, s := r.w, &r.w.Snapshot
	var err error
	if *s, err = decodeState(w.status, *s); err != nil {
		return r.offloaded(err)
	}
	nodes := w.status.get("nodes")
	if empty(nodes) {
		if nodes, err = r.unpack(); err != nil {
			return err
		}
	}
	if err := r.readNodes(orNull(nodes)); err != nil {
		return err
	}
	slices.SortFunc(s.Nodes, func(a, b nodegraph.NodeStatus) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// empty reports whether a value is not there, null or an object without members.
func empty(value json.RawMessage) bool {
	s := &scanner{text: orNull(value)}
	switch s.peek() {
	case 'n':
		return true
	case '{':
		s.at++
		return s.peek() == '}'
	}
	return false
}

// unpack returns the nodes that came compressed, nil if there are none. Argo looks at them only where there are no
// others.
func (r *reader) unpack() (json.RawMessage, error) {
	packed, err := (&scanner{text: orNull(r.w.status.get("compressedNodes"))}).str()
	if err != nil || packed == "" {
		return nil, inField("status.compressedNodes", err)
	}
	nodes, err := decompress(packed, r.limits.Decompressed)
	if err != nil {
		return nil, inField("status.compressedNodes", err)
	}
	r.w.packed = true
	return nodes, nil
}

// inField wraps an error if there is one.
func inField(field string, err error) error {
	if err == nil {
		return nil
	}
	return &ReadError{Field: field, Err: err}
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

// readNodes reads the object of all nodes.
func (r *reader) readNodes(text json.RawMessage) error {
	w := r.w
	w.nodes.at = make(map[string]int)
	s := &scanner{text: text}
	err := s.object(func(quoted []byte) error {
		id := unquote(quoted)
		if _, ok := w.nodes.at[id]; ok {
			return &ReadError{Node: id, Err: ErrDuplicateKey}
		}
		s.space()
		from := s.at
		n, err := s.node(id)
		if err != nil {
			return err
		}
		raw := json.RawMessage(s.text[from:s.at:s.at])
		w.nodes.at[id] = len(w.nodes.rows)
		w.nodes.rows = append(w.nodes.rows, nodeRow{id, quoted, raw, raw})
		w.Snapshot.Nodes = append(w.Snapshot.Nodes, n)
		return nil
	})
	if e := (*ReadError)(nil); err != nil && !errors.As(err, &e) {
		return &ReadError{Field: "status.nodes", Err: err}
	}
	return err
}
