package argo

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Workflow is one Argo Workflow that was read. It is not safe for use by several goroutines while one of them sets
// or removes nodes.
type Workflow struct {
	Name, Namespace, UID string // from metadata; empty where the object has none
	ResourceVersion      string // of the object as it was read; a patch that holds it is refused once somebody else has written
	Generated            bool   // the object has a generateName and no name yet: the end of Name is made up

	Spec       *nodegraph.Spec    // the part of the spec that decides status
	Snapshot   nodegraph.Snapshot // the status as it was read; SetStatus does not change it
	Unresolved []Unresolved       // what the spec leaves to the host, in the order of the spec

	text   string  // the whole object as it was read; empty once it was followed
	object members // the whole object
	spec   string  // as it is now; empty while it is as it was read
	meta   members // its metadata as it is now
	status members // its status as it was read
	state  members // its status as it is now, but for the nodes
	nodes  nodeTable
	packed bool // the nodes came compressed
	pack   bool // they are written compressed, however they came
	cron   bool // it was made of a CronWorkflow

	plain map[*nodegraph.Template]bool // DAGs and Steps that have no outputs and are not memoized

	known  *metadata // what its metadata say; nil where Follow can't tell whether an object is the same
	limits Limits
	size   int   // of the text that was read
	wrong  error // why RemoveNodes did nothing
}

// StoresOutputs reports whether a controller may store outputs with a DAG or Steps of a template of w.Spec that has succeeded, or
// an entry of a cache. It reports true where that is not known.
func (w *Workflow) StoresOutputs(t *nodegraph.Template) bool { return !w.plain[t] }

// notePlain notes that a template has no outputs and is not memoized.
func (w *Workflow) notePlain(t *nodegraph.Template) {
	if w.plain == nil {
		w.plain = make(map[*nodegraph.Template]bool)
	}
	w.plain[t] = true
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
	borrowed  bool
	templates *Templates
}

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return func(o *options) { o.limits = l } }

// WithRuns reads from a WorkflowTemplate, ClusterWorkflowTemplate or CronWorkflow the Workflow that is made of it, before it has
// begun.
func WithRuns() Option { return func(o *options) { o.runs = true } }

// WithTemplates looks up in t the templates that the object names and does not hold.
func WithTemplates(t *Templates) Option { return func(o *options) { o.templates = t } }

// WithBorrowedNodes has the nodes of the snapshot in the order of the object, and shared with the workflow, which goes by them in
// SetStatus: the caller must not change them. That saves a copy and a sort, which are a fifth of the time of reading.
func WithBorrowedNodes() Option { return func(o *options) { o.borrowed = true } }

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
	text, err := clean(data, o.limits)
	if err != nil {
		return nil, err
	}
	if !utf8.ValidString(text) {
		return nil, &ReadError{Err: errNotUTF8}
	}
	if text, err = toJSON(text, o.limits); err != nil {
		return nil, err
	}
	if text[0] == '[' {
		if err := checkSyntax(text); err != nil {
			return nil, err
		}
		if text, err = onlyItem(text); err != nil {
			return nil, err
		}
	}
	r := o.reader()
	if err := r.takeApart(text); err != nil {
		return nil, r.named(err)
	}
	if !strings.HasSuffix(kindOf(r.w.object), "List") {
		return r.workflow()
	}
	if text, err = onlyItem(orNull(r.w.object.get("items"))); err != nil {
		return nil, err
	}
	return o.object(text)
}

// errNotUTF8 is the cause where text is refused before it is looked at.
var errNotUTF8 = errors.New("the input is not UTF-8")

// object reads one object.
func (o *options) object(text string) (*Workflow, error) {
	r := o.reader()
	if err := r.takeApart(text); err != nil {
		return nil, r.named(err)
	}
	return r.workflow()
}

// orNull is value, or null where there is none.
func orNull(value string) string {
	if value == "" {
		return "null"
	}
	return value
}

// reader reads the parts of one object.
type reader struct {
	limits    Limits
	runs      bool       // of templates too
	borrowed  bool       // the nodes of the snapshot are shared
	templates *Templates // where templates are looked up that the object does not hold; nil for nowhere
	w         *Workflow
	records   []nodegraph.NodeStatus // of all nodes, in the order of the text
	meta      metadata
	own       spec   // the object's own
	ownText   string // its text

	isWorkflow, hasMeta, hasSpec, hasStatus bool // what was read so far
}

func (o *options) reader() *reader {
	return &reader{limits: o.limits, runs: o.runs, borrowed: o.borrowed, templates: o.templates, w: &Workflow{}}
}

// takeApart takes the object apart, or the one inside it if it is an event of a watch. What the object says of a Workflow is read on
// the way if its kind comes first and its metadata next, as the API server writes it: so every byte of the status is looked at once.
func (r *reader) takeApart(text string) error {
	for {
		r.isWorkflow = false
		s := &scanner{text: text}
		err := s.uniquely(1, func() (err error) {
			r.w.object, err = s.members(func(key string) error { return r.part(key, s) })
			return err
		})
		if err == nil {
			err = s.end()
		}
		if err != nil {
			if wrong := checkSyntax(text); wrong != nil {
				return wrong // whatever was read before
			}
			return inField("", err)
		}
		r.w.text = text
		inner := wrapped(r.w.object)
		if inner == "" {
			return nil
		}
		text = inner
	}
}

// part reads one part of the object.
func (r *reader) part(key string, s *scanner) error {
	switch {
	case key == "kind":
		kind, err := s.raw()
		r.isWorkflow = kind == `"`+workflowKind+`"`
		return err
	case key == "metadata" && r.isWorkflow:
		return r.readMeta(s)
	case key == "spec" && r.hasMeta:
		return r.readOwnSpec(s)
	case key == "status" && r.hasMeta:
		return r.readStatus(s)
	}
	return s.skip()
}

// named puts the name of the workflow into an error.
func (r *reader) named(err error) error {
	if e := (*ReadError)(nil); errors.As(err, &e) && e.Workflow == "" {
		e.Workflow = r.w.Name
	}
	return err
}

// workflow reads what was not read on the way, and makes the workflow of all.
func (r *reader) workflow() (*Workflow, error) {
	if err := r.read(); err != nil {
		return nil, r.named(err)
	}
	if r.w.limits, r.w.size = r.limits, len(r.w.text); !r.runs && r.templates == nil {
		known := r.meta // who keeps it does not keep the reader
		r.w.known = &known
	}
	return r.w, nil
}

func (r *reader) read() error {
	w := r.w
	if _, err := (&scanner{text: orNull(w.object.get("kind"))}).str(); err != nil {
		return inField("kind", err)
	}
	part := func(key string, read func(s *scanner) error, done bool) error {
		if done {
			return nil
		}
		return inField(key, read(&scanner{text: orNull(w.object.get(key))}))
	}
	if err := part("metadata", r.readMeta, r.hasMeta); err != nil {
		return err
	}
	switch kind := kindOf(w.object); {
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
	if err := part("spec", r.readOwnSpec, r.hasSpec); err != nil {
		return err
	}
	if err := part("status", r.readStatus, r.hasStatus); err != nil {
		return err
	}
	if err := r.finishStatus(); err != nil {
		return err
	}
	return r.convertSpec()
}

// hint says what to do with an object of another kind.
func hint(kind string) string {
	if isTemplate(kind) {
		return ": only what is submitted of it has a status"
	}
	return ""
}

// readMeta reads the metadata that come next.
func (r *reader) readMeta(s *scanner) error {
	err := s.uniquely(maxDepth, func() (err error) {
		r.w.meta, err = s.members(func(key string) error { return r.meta.field(key, s) })
		return err
	})
	r.w.Name, r.hasMeta = r.meta.Name, true
	return err
}

// readNames names the workflow. One that is still to get its name is named after its generateName.
func (r *reader) readNames() error {
	w := r.w
	if r.meta.Name == "" && r.meta.GenerateName != "" {
		r.meta.Name, w.Generated = r.meta.GenerateName+"xxxxx", true
	}
	w.Name, w.Namespace, w.UID, w.ResourceVersion = strings.Clone(r.meta.Name), strings.Clone(r.meta.Namespace), r.meta.UID, r.meta.Version
	if w.Name == "" {
		return &ReadError{Field: "metadata.name", Err: errEmpty}
	}
	return nil
}

// readOwnSpec reads the spec that comes next, which is the object's own. It is read from a copy: an engine keeps what it says, and is
// not to keep the whole object for that.
func (r *reader) readOwnSpec(s *scanner) error {
	text, err := s.raw()
	if err != nil {
		return err
	}
	r.ownText, r.hasSpec = strings.Clone(text), true
	own := &scanner{text: r.ownText}
	return own.uniquely(maxDepth, func() error { return r.own.read(own) })
}

// read reads a part of an object. The error is a [*ReadError].
func read[T any](field, text string, into *T, read func(into *T, s *scanner) error) error {
	s := &scanner{text: orNull(text)}
	return inField(field, s.uniquely(maxDepth, func() error { return read(into, s) }))
}
