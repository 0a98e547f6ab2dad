package argo

import (
	"maps"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Follow reports whether data is the object as it is set now: as it was read, with what SetStatus has changed since. If so, data is
// what was read from now on, and [Workflow.Patch] leads from there. What decides nothing may differ, such as the resourceVersion, or
// fields of nodes that are not read. What was read before is recognised by its bytes. That takes the time of a comparison, and memory
// for what differs alone.
//
// If data is not, or that can't be told cheaply, w must not be used any more: [Read] reads data. So it is after RemoveNodes and
// ClearShutdown, where nodes are compressed, where the object is not the plain JSON of one Workflow, with [WithRuns] and
// [WithTemplates], and once half of the text that was read first is out of date.
//
// Afterwards [Workflow.Record] has the nodes, and Snapshot.Nodes is nil. The data is not kept.
func (w *Workflow) Follow(data []byte) bool {
	outdated := w.nodes.dead > w.size/2
	if w.known == nil || w.spec != "" || w.packed || w.pack || outdated || len(data) > w.limits.Bytes {
		return false
	}
	f := &follower{text: data, w: w}
	object, ok := f.members(w.object, f.part)
	lacks := func(m member) bool { return object.get(m.key) == "" }
	unset := object.get("status") == "" && len(w.state)+len(w.nodes.rows) > 0
	if f.white(); !ok || f.at < len(data) || unset || slices.ContainsFunc(w.object, lacks) {
		return false
	}
	w.object, w.text, w.Snapshot.Nodes = object, "", nil
	return true
}

// Record returns the node with this id as it is set now, nil if there is none. It must not be changed.
func (w *Workflow) Record(id string) *nodegraph.NodeStatus {
	if row := w.nodes.get(id); row != nil {
		return row.record
	}
	return nil
}

// part follows one part of the object.
func (f *follower) part(key, was string) (string, bool) {
	switch key {
	case "metadata":
		return f.metadata(was)
	case "status":
		return "{}", f.status() // which is put together anew where the whole object is
	}
	return was, was != "" && f.sameValue(was)
}

// metadata follows what the object says of itself: what values of variables are taken from stays as it is.
func (f *follower) metadata(was string) (string, bool) {
	if f.sameValue(was) {
		return was, true
	}
	text, ok := f.value()
	r := &reader{w: new(Workflow)}
	s := &scanner{text: text}
	if !ok || r.readMeta(s) != nil || s.end() != nil || !r.meta.decidesAs(f.w.known) {
		return "", false
	}
	f.w.meta, f.w.ResourceVersion = r.w.meta, r.meta.Version
	return text, true
}

// decidesAs reports whether two objects' metadata are the same as far as anything is decided by them.
func (m *metadata) decidesAs(o *metadata) bool {
	return m.Name == o.Name && m.GenerateName == o.GenerateName && m.Namespace == o.Namespace && m.UID == o.UID &&
		m.Created.Equal(o.Created) && maps.Equal(m.Labels, o.Labels) && maps.Equal(m.Annotations, o.Annotations)
}

// specified are the keys of the status that decide what a specification says, or what the nodes are.
var specified = [...]string{"storedTemplates", "storedWorkflowTemplateSpec", "compressedNodes", "offloadNodeStatusVersion"}

// status follows the status.
func (f *follower) status() bool {
	w, listed := f.w, false
	status, ok := f.members(w.state, func(key, was string) (string, bool) {
		switch {
		case key == "nodes":
			listed = true
			return "{}", f.nodes()
		case was != "" && f.sameValue(was):
			return was, true
		}
		text, ok := f.value()
		s := &scanner{text: text}
		return text, ok && s.skip() == nil && s.end() == nil
	})
	if !ok || !listed && len(w.nodes.rows) > 0 {
		return false
	}
	for _, key := range specified {
		if status.get(key) != w.state.get(key) {
			return false
		}
	}
	was, _ := decodeState(w.state, nodegraph.Snapshot{}) // of a status that was read, or set here: can't fail
	is, err := decodeState(status, nodegraph.Snapshot{})
	if err != nil || is.Phase != was.Phase || is.Message != was.Message || !is.Started.Equal(was.Started) || !is.Finished.Equal(was.Finished) {
		return false
	}
	w.status, w.state = status, status
	w.Snapshot.Phase, w.Snapshot.Message, w.Snapshot.Started, w.Snapshot.Finished = is.Phase, is.Message, is.Started, is.Finished
	return true
}

// nodes follows the nodes: each has to be there once.
func (f *follower) nodes() bool {
	t := &f.w.nodes
	t.reads++
	order, next := t.spare[:0], 0
	ok := f.object(func() bool {
		k, known := f.nextRow(&next)
		if !known || t.rows[k].read == t.reads {
			return false
		}
		order = append(order, int32(k))
		t.rows[k].read = t.reads
		return f.row(&t.rows[k])
	})
	t.spare, t.order = t.order, order
	return ok && len(order) == len(t.rows)
}

// nextRow goes behind the id of the next node and returns its row, which is most often the one after that of the node before.
func (f *follower) nextRow(next *int) (k int, known bool) {
	t := &f.w.nodes
	if k = *next; k < len(t.order) {
		k = int(t.order[k])
	}
	if k < len(t.rows) && f.same(t.rows[k].quoted) {
		*next++
		return k, f.pass(':')
	}
	id, ok := f.key()
	if !ok {
		return 0, false
	}
	k, known = t.at[string(id)]
	return k, known
}

// row follows one node. Its record is to be what it is now.
func (f *follower) row(row *nodeRow) bool {
	t := &f.w.nodes
	if row.now != "" && f.sameValue(row.now) {
		if row.was != row.now {
			t.replaced(row)
			row.was, row.patch = row.now, nil
		}
		return true
	}
	text, ok := f.value()
	if !ok || row.now == "" {
		return false
	}
	record, s := new(nodegraph.NodeStatus), &scanner{text: text}
	if new(nodeDecoder).node(row.record.ID, record, s) != nil || s.end() != nil || !sameRecord(record, row.record) {
		return false
	}
	t.replaced(row)
	row.was, row.now, row.patch, row.record = text, text, nil, record
	return true
}

// replaced counts the text of a node that has become out of date.
func (t *nodeTable) replaced(row *nodeRow) {
	if !row.own {
		row.own = true
		t.dead += len(row.was)
	}
}

// sameRecord reports whether two records say the same.
func sameRecord(a, b *nodegraph.NodeStatus) bool {
	return a.ID == b.ID && a.Name == b.Name && a.DisplayName == b.DisplayName && a.Kind == b.Kind && a.Phase == b.Phase &&
		a.Message == b.Message && a.Started.Equal(b.Started) && a.Finished.Equal(b.Finished) && a.Daemoned == b.Daemoned &&
		a.Unready == b.Unready && a.Unsynced == b.Unsynced && a.Hooked == b.Hooked && a.Retried == b.Retried && a.CacheHit == b.CacheHit &&
		a.ExitCode == b.ExitCode && a.HasExit == b.HasExit && a.WaitsFor == b.WaitsFor && a.Restarts == b.Restarts &&
		a.Restarting == b.Restarting && a.Boundary == b.Boundary && a.Template == b.Template && slices.Equal(a.Children, b.Children)
}
