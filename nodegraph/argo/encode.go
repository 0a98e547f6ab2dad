package argo

// Encode returns the whole object as JSON: byte for byte what was read if nothing was set, otherwise with the status and the spec
// as they are now. After [Workflow.Follow] white space between the parts of the object may be missing. What came in a list comes
// without it, what came as YAML comes as JSON. Nodes that came compressed are compressed again. The error is a [*WriteError], for a value that JSON does not have in an object that came decoded.
func (w *Workflow) Encode() ([]byte, error) {
	if err := w.openAll(); err != nil {
		return nil, err
	}
	status := w.state
	changed := w.text == "" || w.nodes.changed()
	switch {
	case changed && (w.packed || w.pack):
		status = status.with("compressedNodes", quote(compress(w.nodes.encode())))
		if !w.packed {
			status = status.with("nodes", "null")
		}
	case changed:
		status = status.with("nodes", w.nodes.encode())
	case w.spec == "" && !differ(w.status, w.state):
		return []byte(w.text), nil
	}
	object := w.object
	if was, _ := parts(object.get("metadata")); differ(was, w.meta) { // of an object: can't fail
		object = object.with("metadata", w.meta.encode())
	}
	object = object.with("status", status.encode())
	if w.spec != "" {
		object = object.with("spec", w.spec)
	}
	return []byte(object.encode()), nil
}

// EncodeYAML returns the whole object as YAML, with sorted keys. The error is that of Encode, or of the YAML encoder.
func (w *Workflow) EncodeYAML() ([]byte, error) {
	text, err := w.Encode()
	if err != nil {
		return nil, err
	}
	return toYAML(string(text))
}

// changed reports whether any node is not as it was read.
func (t *nodeTable) changed() bool {
	for k := range t.rows {
		if t.rows[k].was != t.rows[k].now {
			return true
		}
	}
	return false
}

// encode puts the object of all nodes together.
func (t *nodeTable) encode() string {
	m := make(members, 0, len(t.rows))
	for row := range t.inOrder() {
		if row.now != "" {
			m = append(m, member{row.record.ID, row.quoted, row.now})
		}
	}
	return m.encode()
}

// differ reports whether two objects have other keys or values, in their text or order.
func differ(a, b members) bool {
	if len(a) != len(b) {
		return true
	}
	for i := range a {
		if a[i].key != b[i].key || a[i].value != b[i].value {
			return true
		}
	}
	return false
}
