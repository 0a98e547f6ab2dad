package argo

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// nodeDecoder fills in the record of one node, field by field.
type nodeDecoder struct {
	r     *nodegraph.NodeStatus
	scope string // templateScope
	ref   templateRef
	seen  uint32   // one bit for each of nodeFields
	ids   []string // scratch of children
}

// nodeFields are the fields of a node that decide its state, sorted. The others are kept, and not looked at.
var nodeFields = [...]struct {
	name string
	read func(d *nodeDecoder, s *scanner) error
}{
	{"boundaryID", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.Boundary, s) }},
	{"children", (*nodeDecoder).children},
	{"daemoned", (*nodeDecoder).daemoned},
	{"displayName", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.DisplayName, s) }},
	{"failedPodRestarts", func(d *nodeDecoder, s *scanner) error { return readInt(&d.r.Restarts, s) }},
	{"finishedAt", func(d *nodeDecoder, s *scanner) error { return readTime(&d.r.Finished, s) }},
	{"id", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.ID, s) }},
	{"memoizationStatus", (*nodeDecoder).memoization},
	{"message", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.Message, s) }},
	{"name", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.Name, s) }},
	{"nodeFlag", (*nodeDecoder).nodeFlag},
	{"outputs", (*nodeDecoder).outputs},
	{"phase", (*nodeDecoder).nodePhase},
	{"restartingPodUID", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.Restarting, s) }},
	{"startedAt", func(d *nodeDecoder, s *scanner) error { return readTime(&d.r.Started, s) }},
	{"synchronizationStatus", (*nodeDecoder).synchronization},
	{"taskResultSynced", (*nodeDecoder).synced},
	{"templateName", func(d *nodeDecoder, s *scanner) error { return readText(&d.r.Template, s) }},
	{"templateRef", func(d *nodeDecoder, s *scanner) error { return d.ref.read(s) }},
	{"templateScope", func(d *nodeDecoder, s *scanner) error { return readText(&d.scope, s) }},
	{"type", (*nodeDecoder).nodeType},
}

// nodeFieldsOf finds fields by the lengths of their names. Few share one, and no map is as fast.
var nodeFieldsOf = func() (of [32][]int) {
	for at := range nodeFields {
		n := len(nodeFields[at].name)
		of[n] = append(of[n], at)
	}
	return of
}()

// node reads the node that comes next, which stands under the key id, and checks what every node must have. The error
// is a [*ReadError].
func (d *nodeDecoder) node(id string, r *nodegraph.NodeStatus, s *scanner) error {
	*d = nodeDecoder{r: r, ids: d.ids[:0]}
	if err := d.fields(s); err != nil {
		e := inField("", err).(*ReadError) // which inField makes
		e.Node = id
		return e
	}
	return d.check(id)
}

// fields reads all fields of the node.
func (d *nodeDecoder) fields(s *scanner) error {
	if node, ok := s.value.(map[string]any); ok {
		return d.lookUp(node, s)
	}
	return s.object(func(key string) error {
		if len(key) >= len(nodeFieldsOf) {
			return s.skip()
		}
		for _, at := range nodeFieldsOf[len(key)] {
			switch {
			case nodeFields[at].name != key:
				continue
			case d.seen&(1<<at) != 0:
				return ErrDuplicateKey
			}
			d.seen |= 1 << at
			return nodeFields[at].read(d, s)
		}
		return s.skip()
	})
}

// check checks what every node must have, and finishes the name of its template.
func (d *nodeDecoder) check(id string) error {
	r := d.r
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

func (d *nodeDecoder) nodePhase(s *scanner) error {
	text, err := s.str()
	if err == nil {
		d.r.Phase, err = nodegraph.ParsePhase(text)
	}
	return err
}

func (d *nodeDecoder) nodeType(s *scanner) error {
	text, err := s.str()
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
func (d *nodeDecoder) synced(s *scanner) error {
	null := s.isNull()
	synced, err := s.boolean()
	d.r.Unsynced = err == nil && !null && !synced
	return err
}

// daemoned reads whether a daemon is ready. A controller leaves out that it is not, so that false says more: its pod ran before it
// was ready.
func (d *nodeDecoder) daemoned(s *scanner) (err error) {
	null := s.isNull()
	d.r.Daemoned, err = s.boolean()
	d.r.Unready = err == nil && !null && !d.r.Daemoned
	return err
}

func (d *nodeDecoder) nodeFlag(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "hooked":
			return readFlag(&d.r.Hooked, s)
		case "retried":
			return readFlag(&d.r.Retried, s)
		}
		return s.skip()
	})
}

func (d *nodeDecoder) memoization(s *scanner) error {
	return s.object(func(key string) error {
		if key == "hit" {
			return readFlag(&d.r.CacheHit, s)
		}
		return s.skip()
	})
}

func (d *nodeDecoder) synchronization(s *scanner) error {
	return s.object(func(key string) error {
		if key == "waiting" {
			return readText(&d.r.WaitsFor, s)
		}
		return s.skip()
	})
}

// children reads ids into a list that is no longer than they are: most nodes have one.
func (d *nodeDecoder) children(s *scanner) error {
	err := s.array(func(int) error {
		id, err := s.str()
		d.ids = append(d.ids, id)
		return err
	})
	if len(d.ids) > 0 {
		d.r.Children = slices.Clone(d.ids)
	}
	return err
}

// outputs reads the exit code. One that is not a number says nothing, as in Argo.
func (d *nodeDecoder) outputs(s *scanner) error {
	return s.object(func(key string) error {
		if key != "exitCode" {
			return s.skip()
		}
		text, err := s.str()
		code, notNumber := strconv.Atoi(text)
		if err == nil && notNumber == nil {
			d.r.ExitCode, d.r.HasExit = code, true
		}
		return err
	})
}
