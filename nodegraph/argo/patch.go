package argo

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Patch returns the smallest JSON merge patch (RFC 7386) of the object that leads from what was read to what is set
// now. It has the changed keys of the status and of each changed node, and null for a key or node that is gone. If nothing has
// changed it is {}. Of nodes that came compressed it replaces them all, because there is but one text for them. The
// error is that of [Workflow.Encode].
//
// Sent to the Kubernetes API it changes nothing that somebody else has changed meanwhile, but for the same keys.
func (w *Workflow) Patch() ([]byte, error) {
	if w.wrong != nil {
		return nil, w.wrong
	}
	status := patchOf(w.status, w.state)
	if w.nodes.changed() {
		if w.packed || w.pack {
			if err := w.openAll(); err != nil {
				return nil, err
			}
			status = append(status, member{"compressedNodes", quote("compressedNodes"), quote(compress(w.nodes.encode()))})
			if !w.packed {
				status = append(status, member{"nodes", quote("nodes"), "null"})
			}
		} else if nodes := w.nodes.patch(); len(nodes) > 0 {
			status = append(status, member{"nodes", quote("nodes"), nodes.encode()})
		}
	}
	var patch members
	if w.spec != "" {
		patch = append(patch, member{"spec", quote("spec"), patchOfValue(w.object.get("spec"), w.spec)})
	}
	if len(status) > 0 {
		patch = append(patch, member{"status", quote("status"), status.encode()})
	}
	return []byte(patch.encode()), nil
}

// patch returns the patch of every node that is not as it was read.
func (t *nodeTable) patch() members {
	var patch members
	for row := range t.inOrder() {
		switch {
		case row.was == row.now:
		case row.now == "":
			patch = append(patch, member{row.record.ID, row.quoted, "null"})
		case row.was == "":
			patch = append(patch, member{row.record.ID, row.quoted, row.now})
		default:
			if p := row.leads(); len(p) > 0 {
				patch = append(patch, member{row.record.ID, row.quoted, p.encode()})
			}
		}
	}
	return patch
}

// leads returns the patch of a node that was there and is.
func (row *nodeRow) leads() members {
	if row.patch != nil {
		return *row.patch
	}
	was, _ := parts(row.was) // of nodes: can't fail
	now, _ := parts(row.now)
	return patchOf(was, now)
}

// patchOf returns the merge patch that leads from one object to the other.
func patchOf(was, now members) members {
	var patch members
	for _, m := range now {
		if p := patchOfValue(was.get(m.key), m.value); p != "" {
			patch = append(patch, member{m.key, m.quoted, p})
		}
	}
	for _, m := range was {
		if now.get(m.key) == "" && m.value[0] != 'n' {
			patch = append(patch, member{m.key, m.quoted, "null"})
		}
	}
	return patch
}

// patchOfValue is empty where two values mean the same. Objects are patched key by key, all else is replaced.
func patchOfValue(was, now string) string {
	switch {
	case was == now || was == "" && now[0] == 'n':
		return ""
	case was != "" && was[0] == '{' && now[0] == '{':
		a, _ := parts(was) // of objects: can't fail
		b, _ := parts(now)
		if patch := patchOf(a, b); len(patch) > 0 {
			return patch.encode()
		}
		return ""
	case same(was, now):
		return ""
	}
	return now
}

// same reports whether two values mean the same, however they are written. Numbers that are written in two ways count as two.
func same(a, b string) bool {
	switch {
	case a == "" || a[0] != b[0]:
		return false
	case a[0] == '"':
		x, _ := (&scanner{text: a}).str() // of strings: can't fail
		y, _ := (&scanner{text: b}).str()
		return x == y
	case a[0] != '[' && a[0] != '{':
		return a == b
	}
	var x, y any
	_ = decodeNumbers(a, &x) // of valid JSON: can't fail
	_ = decodeNumbers(b, &y)
	return reflect.DeepEqual(x, y)
}

// decodeNumbers decodes JSON and keeps the text of numbers.
func decodeNumbers(text string, into *any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}
