package argo

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Patch returns the smallest JSON merge patch (RFC 7386) of the object that leads from what was read to what is set
// now: the changed keys of the status and of each changed node, null for a key or node that is gone. If nothing has
// changed it is {}. Of nodes that came compressed it replaces them all, because there is but one text for them. The
// error is nil; it is there as in encoding/json.
//
// Sent to the Kubernetes API it changes nothing that somebody else has changed meanwhile, but for the same keys.
func (w *Workflow) Patch() ([]byte, error) {
	status := patchOf(w.status, w.state)
	if w.nodes.changed() {
		if w.packed || w.pack {
			status = append(status, member{"compressedNodes", quote("compressedNodes"), quote(compress(w.nodes.encode()))})
			if !w.packed {
				status = append(status, member{"nodes", quote("nodes"), json.RawMessage("null")})
			}
		} else if nodes := w.nodes.patch(); len(nodes) > 0 {
			status = append(status, member{"nodes", quote("nodes"), nodes.encode()})
		}
	}
	var patch members
	if w.spec != nil {
		patch = append(patch, member{"spec", quote("spec"), patchOfValue(w.object.get("spec"), w.spec)})
	}
	if len(status) > 0 {
		patch = append(patch, member{"status", quote("status"), status.encode()})
	}
	return patch.encode(), nil
}

// patch returns the patch of every node that is not as it was read.
func (t *nodeTable) patch() members {
	var patch members
	for i := range t.rows {
		row := &t.rows[i]
		switch {
		case row.now == nil && row.was == nil || bytes.Equal(row.was, row.now):
		case row.now == nil:
			patch = append(patch, member{row.id, row.quoted, json.RawMessage("null")})
		case row.was == nil:
			patch = append(patch, member{row.id, row.quoted, row.now})
		default:
			was, _ := parts(row.was) // of nodes: can't fail
			now, _ := parts(row.now)
			if p := patchOf(was, now); len(p) > 0 {
				patch = append(patch, member{row.id, row.quoted, p.encode()})
			}
		}
	}
	return patch
}

// patchOf returns the merge patch that leads from one object to the other.
func patchOf(was, now members) members {
	var patch members
	for _, m := range now {
		if p := patchOfValue(was.get(m.key), m.value); p != nil {
			patch = append(patch, member{m.key, m.quoted, p})
		}
	}
	for _, m := range was {
		if now.get(m.key) == nil && m.value[0] != 'n' {
			patch = append(patch, member{m.key, m.quoted, json.RawMessage("null")})
		}
	}
	return patch
}

// patchOfValue is nil where two values mean the same. Objects are patched key by key, all else is replaced.
func patchOfValue(was, now json.RawMessage) json.RawMessage {
	switch {
	case bytes.Equal(was, now) || len(was) == 0 && now[0] == 'n':
		return nil
	case len(was) > 0 && was[0] == '{' && now[0] == '{':
		a, _ := parts(was) // of objects: can't fail
		b, _ := parts(now)
		if patch := patchOf(a, b); len(patch) > 0 {
			return patch.encode()
		}
		return nil
	case same(was, now):
		return nil
	}
	return now
}

// same reports whether two values mean the same, however they are written.
func same(a, b json.RawMessage) bool {
	if len(a) == 0 {
		return false
	}
	var x, y any
	_ = decodeNumbers(a, &x) // of valid JSON: can't fail
	_ = decodeNumbers(b, &y)
	return reflect.DeepEqual(x, y)
}

// decodeNumbers decodes JSON and keeps the text of numbers.
func decodeNumbers(text json.RawMessage, into *any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}
