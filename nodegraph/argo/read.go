package argo

import (
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
	ResourceVersion      string // of the object as it was read; a patch that holds it is refused once somebody else has written
	Generated            bool   // the object has a generateName and no name yet: the end of Name is made up

	Spec       *nodegraph.Spec
	Snapshot   nodegraph.Snapshot // the status as it was read; SetStatus does not change it
	Unresolved []Unresolved       // what the spec leaves to the host, in the order of the spec

	text   json.RawMessage // the whole object as it was read
	object members         // the whole object
	spec   json.RawMessage // as it is now; nil while it is as it was read
	meta   members         // its metadata as it is now
	status members         // its status as it was read
	state  members         // its status as it is now, but for the nodes
	nodes  nodeTable
	packed bool // the nodes came compressed
	pack   bool // they are written compressed, however they came
	cron   bool // it was made of a CronWorkflow
}

// Limits bound what is read. The zero value means the defaults.
type Limits struct {
	Bytes        int // of input, YAML once more after its conversion to JSON; default 256 MiB
	Decompressed int // of compressedNodes once unpacked; default 256 MiB
}

// An Option changes how a workflow is read.
type Option func(*options)

// options are what options say.
type options struct {
	limits    Limits
	runs      bool
	templates *Templates
}

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return func(o *options) { o.limits = l } }

// WithRuns reads from a WorkflowTemplate, ClusterWorkflowTemplate or CronWorkflow the Workflow that is made of it, before it has
// begun.
func WithRuns() Option { return func(o *options) { o.runs = true } }

// WithTemplates looks up in t the templates that the object names and does not hold.
func WithTemplates(t *Templates) Option { return func(o *options) { o.templates = t } }

// chosen are the options with all that is not said.
func chosen(opts []Option) *options {
	o := &options{}
	for _, set := range opts {
		set(o)
	}
	o.limits = o.limits.withDefaults()
	return o
}

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

// Read reads one Workflow from JSON or YAML, gzipped or not: the object, the list with one item that kubectl prints, or an event of
// a watch. Nothing else may come before or after it. An object without kind is a Workflow if it looks like one, as Argo prints it.
// One that is still to get its name is named after its generateName. The error is a [*ReadError]; what is wrong between the parts
// of the spec, [nodegraph.New] finds. The cause of the error is a [*nodegraph.LimitError] where a limit is passed. The data is
// not kept. A [Decoder] reads several.
func Read(data []byte, opts ...Option) (*Workflow, error) {
	o := chosen(opts)
	data, err := clean(data, o.limits)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, &ReadError{Err: errors.New("the input is not UTF-8")}
	}
	text, err := toJSON(data, o.limits)
	if err != nil {
		return nil, err
	}
	if text[0] == '[' {
		text, err = onlyItem(text)
	}
	if err != nil {
		return nil, err
	}
	text, object, err := unwrapped(text)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(kindOf(object), "List") {
		if text, err = onlyItem(orNull(object.get("items"))); err != nil {
			return nil, err
		}
	}
	return o.object(text)
}

// onlyItem returns the item of a list that has one.
func onlyItem(list json.RawMessage) (json.RawMessage, error) {
	items, err := itemsOf(list)
	if err == nil && len(items) != 1 {
		err = fmt.Errorf("want one workflow, found %d", len(items))
	}
	if err != nil {
		return nil, &ReadError{Field: "items", Err: err}
	}
	if items[0][0] != '{' {
		return nil, &ReadError{Field: "items[0]", Err: &typeError{want: "an object", found: describeValue(items[0][0])}}
	}
	return items[0], nil
}

// itemsOf takes an array apart.
func itemsOf(list json.RawMessage) ([]json.RawMessage, error) {
	var items []json.RawMessage
	s := &scanner{text: list}
	err := s.array(func() error {
		items = append(items, s.skip())
		return nil
	})
	return items, err
}

// object reads one object that is known to be valid JSON.
func (o *options) object(text json.RawMessage) (*Workflow, error) {
	text, object, err := unwrapped(text)
	if err != nil {
		return nil, err
	}
	r := &reader{limits: o.limits, runs: o.runs, templates: o.templates, w: &Workflow{text: text, object: object}}
	if err := r.read(); err != nil {
		return nil, r.named(err)
	}
	return r.w, nil
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
	limits    Limits
	runs      bool       // of templates too
	templates *Templates // where templates are looked up that the object does not hold; nil for nowhere
	w         *Workflow
	meta      metadata
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
	var kind string
	if err := r.decode("kind", w.object.get("kind"), &kind); err != nil {
		return err
	}
	if err := r.decode("metadata", w.object.get("metadata"), &r.meta); err != nil {
		return err
	}
	w.Name = r.meta.Name
	switch kind = kindOf(w.object); {
	case r.runs && isTemplate(kind):
		if err := r.makeRun(kind); err != nil {
			return err
		}
	case kind != workflowKind:
		return &ReadError{Field: "kind", Err: fmt.Errorf("want Workflow, found %q%s", bounded(kind), hint(kind))}
	}
	if err := r.readNames(); err != nil {
		return err
	}
	var err error
	if w.status, err = split(w.object.get("status")); err != nil {
		return &ReadError{Field: "status", Err: err}
	}
	w.state = w.status
	if err := r.readSpec(); err != nil {
		return err
	}
	return r.readStatus()
}

// hint says what to do with an object of another kind.
func hint(kind string) string {
	if isTemplate(kind) {
		return ": only what is submitted of it has a status"
	}
	return ""
}

// readNames reads the metadata. An object that is still to get its name is named after its generateName.
func (r *reader) readNames() error {
	w := r.w
	var err error
	if w.meta, err = split(w.object.get("metadata")); err != nil {
		return &ReadError{Field: "metadata", Err: err}
	}
	if r.meta.Name == "" && r.meta.GenerateName != "" {
		r.meta.Name, w.Generated = r.meta.GenerateName+"xxxxx", true
	}
	w.Name, w.Namespace, w.UID, w.ResourceVersion = r.meta.Name, r.meta.Namespace, r.meta.UID, r.meta.Version
	if w.Name == "" {
		return &ReadError{Field: "metadata.name", Err: errEmpty}
	}
	return nil
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
