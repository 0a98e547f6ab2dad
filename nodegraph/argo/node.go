package argo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// nodeDecoder fills in the record of one node, field by field.
type nodeDecoder struct {
	*scanner
	r     nodegraph.NodeStatus
	scope string // templateScope
	ref   templateRef
	seen  uint32 // one bit for each of nodeFields
	field string // the one that is being read
}

// nodeFields are the fields of a node that decide its state. The others are kept, and not looked at.
var nodeFields = [...]struct {
	name string
	read func(d *nodeDecoder) error
}{
	{"id", func(d *nodeDecoder) error { return d.string(&d.r.ID) }},
	{"name", func(d *nodeDecoder) error { return d.string(&d.r.Name) }},
	{"displayName", func(d *nodeDecoder) error { return d.string(&d.r.DisplayName) }},
	{"type", (*nodeDecoder).nodeType},
	{"phase", (*nodeDecoder).nodePhase},
	{"message", func(d *nodeDecoder) error { return d.string(&d.r.Message) }},
	{"boundaryID", func(d *nodeDecoder) error { return d.string(&d.r.Boundary) }},
	{"templateName", func(d *nodeDecoder) error { return d.string(&d.r.Template) }},
	{"templateScope", func(d *nodeDecoder) error { return d.string(&d.scope) }},
	{"templateRef", (*nodeDecoder).templateRef},
	{"startedAt", func(d *nodeDecoder) error { return d.time(&d.r.Started) }},
	{"finishedAt", func(d *nodeDecoder) error { return d.time(&d.r.Finished) }},
	{"daemoned", (*nodeDecoder).daemoned},
	{"taskResultSynced", (*nodeDecoder).synced},
	{"nodeFlag", (*nodeDecoder).nodeFlag},
	{"memoizationStatus", (*nodeDecoder).memoization},
	{"synchronizationStatus", (*nodeDecoder).synchronization},
	{"outputs", (*nodeDecoder).outputs},
	{"failedPodRestarts", func(d *nodeDecoder) (err error) { d.r.Restarts, err = d.integer(); return err }},
	{"restartingPodUID", func(d *nodeDecoder) error { return d.string(&d.r.Restarting) }},
	{"children", func(d *nodeDecoder) (err error) { d.r.Children, err = d.strings(); return err }},
}

// nodeFieldAt finds a field by its name.
var nodeFieldAt = func() map[string]int {
	at := make(map[string]int, len(nodeFields))
	for i := range nodeFields {
		at[nodeFields[i].name] = i
	}
	return at
}()

// node reads the node that comes next, which stands under the key id, and checks what every node must have. The error
// is a [*ReadError].
func (s *scanner) node(id string) (nodegraph.NodeStatus, error) {
	d := &nodeDecoder{scanner: s}
	if err := d.fields(); err != nil {
		return d.r, &ReadError{Node: id, Field: d.field, Err: err}
	}
	return d.r, d.check(id)
}

// fields reads all fields of the node.
func (d *nodeDecoder) fields() error {
	return d.object(func(quoted []byte) error {
		at, known := nodeFieldAt[string(bare(quoted))]
		if !known {
			d.skip()
			return nil
		}
		d.field = nodeFields[at].name
		if d.seen&(1<<at) != 0 {
			return ErrDuplicateKey
		}
		d.seen |= 1 << at
		return nodeFields[at].read(d)
	})
}

// check checks what every node must have, and finishes the name of its template.
func (d *nodeDecoder) check(id string) error {
	r := &d.r
	bad := func(field string, err error) error { return &ReadError{Node: id, Field: field, Err: err} }
	switch {
	case r.ID != id || id == "":
		return bad("id", fmt.Errorf("is %q", bounded(r.ID)))
	case r.Name == "":
		return bad("name", errEmpty)
	case r.Phase == nodegraph.PhasePlanned:
		return bad("phase", errEmpty)
	case r.Kind == nodegraph.KindWorkflow:
		return bad("type", errEmpty)
	}
	switch {
	case d.ref.Name != "":
		r.Template = d.ref.key()
	case r.Template != "" && !isLocal(d.scope):
		r.Template = d.scope + "/" + r.Template
	}
	return nil
}

func (d *nodeDecoder) string(into *string) (err error) {
	*into, err = d.str()
	return err
}

func (d *nodeDecoder) flag(into *bool) (err error) {
	*into, err = d.boolean()
	return err
}

func (d *nodeDecoder) time(into *time.Time) (err error) {
	*into, err = d.moment()
	return err
}

func (d *nodeDecoder) nodePhase() error {
	text, err := d.str()
	if err == nil {
		d.r.Phase, err = nodegraph.ParsePhase(text)
	}
	return err
}

func (d *nodeDecoder) nodeType() error {
	text, err := d.str()
	if err != nil || text == "" {
		return err
	}
	d.r.Kind, err = nodegraph.ParseKind(text)
	if err != nil || d.r.Kind == nodegraph.KindWorkflow {
		return fmt.Errorf("%q is not a node type", bounded(text))
	}
	return nil
}

// synced: only false says something, that the results of the node are not in.
func (d *nodeDecoder) synced() error {
	null := d.peek() == 'n'
	synced, err := d.boolean()
	d.r.Unsynced = err == nil && !null && !synced
	return err
}

// daemoned reads whether a daemon is ready. A controller leaves out that it is not, so that false says more: its pod ran before it
// was ready.
func (d *nodeDecoder) daemoned() (err error) {
	null := d.peek() == 'n'
	d.r.Daemoned, err = d.boolean()
	d.r.Unready = err == nil && !null && !d.r.Daemoned
	return err
}

// members reads the object that comes next; read is called for the value of key, other members are skipped.
func (d *nodeDecoder) members(read map[string]func() error) error {
	return d.object(func(quoted []byte) error {
		f, ok := read[string(bare(quoted))]
		if !ok {
			d.skip()
			return nil
		}
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", unquote(quoted), err)
		}
		return nil
	})
}

func (d *nodeDecoder) nodeFlag() error {
	return d.members(map[string]func() error{
		"hooked":  func() error { return d.flag(&d.r.Hooked) },
		"retried": func() error { return d.flag(&d.r.Retried) },
	})
}

func (d *nodeDecoder) memoization() error {
	return d.members(map[string]func() error{"hit": func() error { return d.flag(&d.r.CacheHit) }})
}

func (d *nodeDecoder) synchronization() error {
	return d.members(map[string]func() error{"waiting": func() error { return d.string(&d.r.WaitsFor) }})
}

// outputs reads the exit code. One that is not a number says nothing, as in Argo.
func (d *nodeDecoder) outputs() error {
	return d.members(map[string]func() error{"exitCode": func() error {
		text, err := d.str()
		code, notNumber := strconv.Atoi(text)
		if err == nil && notNumber == nil {
			d.r.ExitCode, d.r.HasExit = code, true
		}
		return err
	}})
}

func (d *nodeDecoder) templateRef() error {
	return d.members(map[string]func() error{
		"name":         func() error { return d.string(&d.ref.Name) },
		"template":     func() error { return d.string(&d.ref.Template) },
		"clusterScope": func() error { return d.flag(&d.ref.ClusterScope) },
	})
}
