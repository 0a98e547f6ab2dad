package argo

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Record is a JSON object whose fields are not in a map, such as a struct that a host has decoded into. It stays as it is as long as
// what was read of it is in use.
type Record interface {
	// Fields yields the fields by their keys in JSON, each once, until yield returns false. One that JSON would leave out is left
	// out. A value is a nil, bool, string, int, int32, int64, float64, json.Number, []any, []string, map[string]any,
	// map[string]string or [time.Time], or another Record.
	Fields(yield func(key string, value any) bool)
}

// ReadObject is [Read] for a Workflow that the host has decoded already: a map[string]any, as encoding/json and Kubernetes'
// unstructured objects have it, or a [Record]. The nodes are read as they are, and all else as its text, which is made here. Keys count
// as sorted. The object must not be changed as long as the workflow is in use.
func ReadObject(object any, opts ...Option) (*Workflow, error) {
	o := chosen(opts)
	r := o.reader()
	if err := r.takeDecoded(object); err != nil {
		return nil, r.named(err)
	}
	return r.workflow()
}

// takeDecoded takes a decoded object apart.
func (r *reader) takeDecoded(object any) (err error) {
	if r.w.object, err = membersOf(object, "status"); err != nil {
		return inField("", err)
	}
	status := fieldOf(object, "status")
	if status == nil {
		return nil
	}
	r.hasStatus = true
	if r.w.status, err = membersOf(status, "nodes"); err != nil {
		return inField("status", err)
	}
	if nodes := fieldOf(status, "nodes"); nodes != nil {
		r.w.status = append(r.w.status, member{"nodes", quote("nodes"), "{}"}) // which are put together where they are
		err = inField("status.nodes", r.decodedNodes(nodes))
	}
	r.w.object = append(r.w.object, member{"status", quote("status"), "{}"})
	return err
}

// fieldOf returns a field of an object, nil if there is none.
func fieldOf(object any, key string) (value any) {
	switch o := object.(type) {
	case map[string]any:
		return o[key]
	case Record:
		o.Fields(func(k string, v any) bool {
			if k == key {
				value = v
			}
			return k != key
		})
	}
	return value
}

// A field is a key of a decoded object and its value.
type field struct {
	key   string
	value any
}

// sortedFields lists the fields of an object by their keys.
func sortedFields(object any) (fields []field, err error) {
	add := func(key string, value any) bool {
		fields = append(fields, field{key, value})
		return true
	}
	switch o := object.(type) {
	case map[string]any:
		fields = make([]field, 0, len(o))
		for key, value := range o {
			add(key, value)
		}
	case map[string]string:
		for key, value := range o {
			add(key, value)
		}
	case Record:
		o.Fields(add)
	default:
		return nil, &typeError{want: "an object", found: describeValue(firstByte(object))}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.key, b.key) })
	return fields, nil
}

// membersOf is an object as text, but for one field.
func membersOf(object any, leftOut string) (members, error) {
	fields, err := sortedFields(object)
	if err != nil {
		return nil, err
	}
	m := make(members, 0, len(fields))
	for _, f := range fields {
		if f.key == leftOut {
			continue
		}
		text, err := encodeValue(f.value)
		if err != nil {
			return nil, within(f.key, err)
		}
		m = append(m, member{f.key, quote(f.key), text})
	}
	return m, nil
}

// decodedNodes reads the object of all nodes.
func (r *reader) decodedNodes(nodes any) error {
	all, err := sortedFields(nodes)
	if err != nil {
		return err
	}
	t := &r.w.nodes
	t.rows, t.at, r.records = make([]nodeRow, len(all)), make(map[string]int, len(all)), make([]nodegraph.NodeStatus, len(all))
	d, s := new(nodeDecoder), new(scanner)
	for k, n := range all {
		s.decoded, s.value = true, n.value
		if err := d.node(n.key, &r.records[k], s); err != nil {
			return err
		}
		t.rows[k] = nodeRow{object: n.value, record: &r.records[k]}
		if t.at[n.key] = k; len(t.at) <= k {
			return &ReadError{Node: n.key, Err: ErrDuplicateKey}
		}
	}
	return nil
}

// lookUp reads those fields of a node that is a map, in the order in which a decoder has allocated them as a rule. It costs less than
// a walk over the map.
func (d *nodeDecoder) lookUp(node map[string]any, s *scanner) error {
	for at := range nodeFields {
		value, there := node[nodeFields[at].name]
		if !there {
			continue
		}
		s.value = value
		if err := nodeFields[at].read(d, s); err != nil {
			return within(nodeFields[at].name, err)
		}
	}
	return nil
}

// open makes the text of a node that came decoded. The error is that of a value that JSON does not have.
func (row *nodeRow) open() error {
	if row.object == nil {
		return nil
	}
	text, err := encodeValue(row.object)
	if err == nil {
		row.quoted, row.was, row.now, row.object = quote(row.record.ID), text, text, nil
	}
	return err
}

// openAll makes the texts of all nodes. The error is a [*WriteError].
func (w *Workflow) openAll() error {
	for k := range w.nodes.rows {
		if err := w.nodes.rows[k].open(); err != nil {
			return w.cantWrite(w.nodes.rows[k].record.ID, err)
		}
	}
	return nil
}

// cantWrite is the error of a node that came decoded, and has a value that JSON does not have.
func (w *Workflow) cantWrite(id string, err error) error {
	e := inField("", err).(*ReadError) // which inField makes
	return &WriteError{Workflow: w.Name, Node: id, Field: e.Field, Err: e.Err}
}

// gone reports whether there is no such node now.
func (row *nodeRow) gone() bool { return row.now == "" && row.object == nil }

// The following are what a scanner does with a value that is decoded.

// fields calls each for every field of a decoded object.
func (s *scanner) fields(each func(key string) error) (err error) {
	object := s.value
	one := func(key string, value any) error {
		s.value = value
		if err := each(key); err != nil {
			return within(key, err)
		}
		return nil
	}
	switch o := object.(type) {
	case nil:
	case Record:
		err = s.recordFields(o, one)
	case map[string]any:
		for key, value := range o {
			if err = one(key, value); err != nil {
				err = firstError(o, one)
				break
			}
		}
	default:
		err = &typeError{want: "an object", found: describeValue(firstByte(object))}
	}
	s.value = object
	return err
}

// recordFields calls one for every field of a record, once all are listed: a Record, which may keep what it is passed, never gets one,
// so that the closures of all walks stay on the stack.
func (s *scanner) recordFields(r Record, one func(key string, value any) error) (err error) {
	from := len(s.listed)
	r.Fields(func(key string, value any) bool {
		s.listed = append(s.listed, field{key, value})
		return true
	})
	for k := from; k < len(s.listed) && err == nil; k++ {
		err = one(s.listed[k].key, s.listed[k].value)
	}
	s.listed = s.listed[:from]
	return err
}

// firstError is the error of the first field of which something is wrong, since a walk over a map may meet another.
func firstError(object map[string]any, one func(key string, value any) error) error {
	fields, _ := sortedFields(object) // of a map: can't fail
	for _, f := range fields {
		if err := one(f.key, f.value); err != nil {
			return err
		}
	}
	return nil
}

// elements calls each for every element of a decoded list.
func (s *scanner) elements(each func(k int) error) error {
	list := s.value
	one := func(k int, value any) error {
		s.value = value
		if err := each(k); err != nil {
			return withinElement(k, err)
		}
		return nil
	}
	var err error
	switch l := list.(type) {
	case nil:
	case []any:
		for k := 0; k < len(l) && err == nil; k++ {
			err = one(k, l[k])
		}
	case []string:
		for k := 0; k < len(l) && err == nil; k++ {
			err = one(k, l[k])
		}
	default:
		err = &typeError{want: "a list", found: describeValue(firstByte(list))}
	}
	s.value = list
	return err
}

// decodedText is a string that is decoded.
func decodedText(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", &typeError{want: "a string", found: describeValue(firstByte(value))}
}

// decodedFlag is true or false that is decoded.
func decodedFlag(value any) (bool, error) {
	switch v := value.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	}
	return false, &typeError{want: "true or false", found: describeValue(firstByte(value))}
}

// decodedInteger is a whole number that is decoded.
func decodedInteger(value any) (int64, error) {
	switch v := value.(type) {
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case int64:
		return v, nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int64(v), nil
		}
	}
	return 0, &typeError{want: "a whole number", found: describeValue(firstByte(value))}
}
