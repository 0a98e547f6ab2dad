package argo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Workflow is one Argo Workflow that was read. It is not safe for use by several goroutines while one of them sets
// or removes nodes.
type Workflow struct {
	Name, Namespace, UID string

	Spec       *nodegraph.Spec
	Snapshot   nodegraph.Snapshot // the status as it was read; SetStatus does not change it
	Unresolved []Unresolved       // what the spec leaves to the host, in the order of the spec

	text   json.RawMessage // the whole object as it was read
	object members         // the whole object
	meta   members         // its metadata as it is now
	status members         // its status as it was read
	state  members         // its status as it is now, but for the nodes
	nodes  nodeTable
	packed bool // the nodes came compressed
}

// Limits bound what is read. The zero value means the defaults.
type Limits struct {
	Bytes        int // of input, YAML once more after its conversion to JSON; default 256 MiB
	Decompressed int // of compressedNodes once unpacked; default 256 MiB
}

// An Option changes how a workflow is read.
type Option func(*Limits)

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return func(o *Limits) { *o = l } }

const defaultBytes = 256 << 20

// withDefaults returns l with every zero field replaced.
func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.Decompressed <= 0 {
		l.Decompressed = defaultBytes
	}
	return l
}

// Read reads one Workflow from JSON or YAML: the object, or a list with one item as kubectl prints it. Nothing else
// may come before or after it. The error is a [*ReadError]; what is wrong between the parts of the spec, [nodegraph.New]
// finds. The cause of the error is a [*nodegraph.LimitError] where a limit is passed. The data is not kept.
func Read(data []byte, opts ...Option) (*Workflow, error) {
	var limits Limits
	for _, set := range opts {
		set(&limits)
	}
	limits = limits.withDefaults()
	if len(data) > limits.Bytes {
		return nil, &ReadError{Err: &nodegraph.LimitError{Limit: "Bytes", Max: limits.Bytes}}
	}
	if !utf8.Valid(data) {
		return nil, &ReadError{Err: errors.New("the input is not UTF-8")}
	}
	text, err := toJSON(bytes.Clone(data), limits)
	if err != nil {
		return nil, err
	}
	object, err := split(text)
	if err != nil {
		return nil, &ReadError{Err: err}
	}
	if isList(object) {
		if text, object, err = onlyItem(object); err != nil {
			return nil, err
		}
	}
	r := &reader{limits: limits, w: &Workflow{text: text, object: object}}
	if err := r.read(); err != nil {
		return nil, r.named(err)
	}
	return r.w, nil
}

// isList reports whether an object is a list as kubectl prints it.
func isList(object members) bool {
	kind, err := (&scanner{text: orNull(object.get("kind"))}).str()
	return err == nil && strings.HasSuffix(kind, "List")
}

// onlyItem returns the item of a list that has one.
func onlyItem(list members) (json.RawMessage, members, error) {
	var items []json.RawMessage
	s := &scanner{text: orNull(list.get("items"))}
	err := s.array(func() error {
		items = append(items, s.skip())
		return nil
	})
	if err == nil && len(items) != 1 {
		err = fmt.Errorf("want one workflow, found %d", len(items))
	}
	if err != nil {
		return nil, nil, &ReadError{Field: "items", Err: err}
	}
	object, err := split(items[0])
	if err != nil {
		return nil, nil, &ReadError{Field: "items[0]", Err: err}
	}
	return items[0], object, nil
}

// orNull is value, or null where there is none.
func orNull(value json.RawMessage) json.RawMessage {
	if len(value) == 0 {
		return json.RawMessage("null")
	}
	return value
}

// reader reads the parts of one object.
type reader struct {
	limits Limits
	w      *Workflow
	meta   metadata
}

// named puts the name of the workflow into an error.
func (r *reader) named(err error) error {
	if e := (*ReadError)(nil); errors.As(err, &e) && e.Workflow == "" {
		e.Workflow = r.w.Name
	}
	return err
}

func (r *reader) read() error {
	w := r.w
	if err := r.decode("metadata", w.object.get("metadata"), &r.meta); err != nil {
		return err
	}
	w.Name, w.Namespace, w.UID = r.meta.Name, r.meta.Namespace, r.meta.UID
	var kind string
	if err := r.decode("kind", w.object.get("kind"), &kind); err != nil {
		return err
	}
	if kind != "Workflow" {
		return &ReadError{Field: "kind", Err: fmt.Errorf("want Workflow, found %q", bounded(kind))}
	}
	if w.Name == "" {
		return &ReadError{Field: "metadata.name", Err: errEmpty}
	}
	var err error
	if w.status, err = split(w.object.get("status")); err != nil {
		return &ReadError{Field: "status", Err: err}
	}
	if w.meta, err = split(w.object.get("metadata")); err != nil {
		return &ReadError{Field: "metadata", Err: err}
	}
	w.state = w.status
	if err := r.readSpec(); err != nil {
		return err
	}
	return r.readStatus()
}

// decode reads one part of the object into a Go value.
func (r *reader) decode(field string, text json.RawMessage, into any) error {
	if len(text) == 0 {
		return nil
	}
	if path, found := checkKeys(text); found {
		return inField(join(field, path), ErrDuplicateKey)
	}
	err := json.Unmarshal(text, into)
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		if e.Field != "" {
			field = join(field, e.Field)
		}
		err = &typeError{want: describeType(e.Type.Kind()), found: e.Value}
	}
	return inField(field, err)
}

// describeType names the JSON type that a Go value of this kind is read from.
func describeType(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}
