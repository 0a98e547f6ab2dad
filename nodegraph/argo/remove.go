package argo

import "slices"

// RemoveNodes removes nodes, as a manual retry does with those that are to run again, and takes them out of the lists
// of children and outbound nodes of all others. Ids of nodes that the workflow does not have are ignored.
// Of an object that came decoded it needs the texts of all nodes: if one can't be written, SetStatus and Patch give the error.
func (w *Workflow) RemoveNodes(ids ...string) {
	if w.wrong = w.openAll(); w.wrong != nil {
		return
	}
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		if row := w.nodes.get(id); row != nil {
			gone[id] = true
			row.now = ""
		}
	}
	if len(gone) == 0 {
		return
	}
	for k := range w.nodes.rows {
		row := &w.nodes.rows[k]
		if row.now == "" {
			continue
		}
		if now := without(row.now, gone); now != row.now {
			row.change(row.record.ID, now)
		}
	}
}

// ClearShutdown takes shutdown out of the spec, as a manual retry does: with it the workflow would be stopped again.
func (w *Workflow) ClearShutdown() {
	e := &edit{raw: w.object.get("spec")}
	if e.remove("shutdown"); e.changed {
		w.spec = e.members.encode()
	}
}

// without returns a node whose lists of other nodes do not have those that are gone.
func without(node string, gone map[string]bool) string {
	e := &edit{raw: node}
	for _, key := range []string{"children", "outboundNodes"} {
		s := &scanner{text: orNull(e.get(key))}
		list, err := s.strings()
		if err != nil {
			continue // not a list that we know
		}
		before := len(list)
		list = slices.DeleteFunc(list, func(id string) bool { return gone[id] })
		if len(list) < before {
			e.setList(key, list)
		}
	}
	return e.result(node)
}
