package argo

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Templates are WorkflowTemplates and ClusterWorkflowTemplates that workflows refer to.
type Templates struct {
	specs map[string]string // by scope, as templateRef.scope says
	names []string          // of scopes, in the order in which they were read
}

// isTemplate reports whether workflows are made from objects of this kind.
func isTemplate(kind string) bool {
	return kind == "WorkflowTemplate" || kind == "ClusterWorkflowTemplate" || kind == "CronWorkflow"
}

// ReadTemplates reads all templates of an input, in any form that a [Decoder] takes. Objects of other kinds are left out. The
// error is a [*ReadError].
func ReadTemplates(r io.Reader, opts ...Option) (*Templates, error) {
	t := &Templates{specs: make(map[string]string)}
	d := NewDecoder(r, opts...)
	for {
		text, err := d.next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		object, err := split(text)
		if err != nil {
			return nil, inField("", err)
		}
		var meta metadata
		if err := read("metadata", object.get("metadata"), &meta, (*metadata).read); err != nil {
			return nil, err
		}
		ref := templateRef{Name: meta.Name}
		switch kindOf(object) {
		case "ClusterWorkflowTemplate":
			ref.ClusterScope = true
		case "WorkflowTemplate":
		default:
			continue
		}
		if _, known := t.specs[ref.scope()]; !known {
			t.names = append(t.names, ref.scope())
		}
		t.specs[ref.scope()] = object.get("spec")
	}
}

// With returns the templates of t and those of other that t has not.
func (t *Templates) With(other *Templates) *Templates {
	all := &Templates{specs: make(map[string]string)}
	for _, from := range []*Templates{t, other} {
		if from == nil {
			continue
		}
		for _, name := range from.names {
			if _, known := all.specs[name]; !known {
				all.specs[name], all.names = from.specs[name], append(all.names, name)
			}
		}
	}
	return all
}

// spec returns the spec of a template, empty if it is not known.
func (t *Templates) spec(ref *templateRef) string {
	if t == nil {
		return ""
	}
	return t.specs[ref.scope()]
}

// stored returns what the controller stores in status.storedTemplates, with all that is known besides.
func (t *Templates) stored(status string) (string, error) {
	if t == nil || len(t.names) == 0 {
		return status, nil
	}
	all, err := split(status)
	if err != nil {
		return "", inField("status.storedTemplates", err)
	}
	all = slices.Clone(all)
	for _, scope := range t.names {
		spec, err := split(orNull(t.specs[scope]))
		if err != nil {
			return "", inField(scope+".spec", err)
		}
		items, err := itemsOf(orNull(spec.get("templates")))
		if err != nil {
			return "", inField(scope+".spec.templates", err)
		}
		for k, item := range items {
			name := ""
			err := read(fmt.Sprintf("%s.spec.templates[%d]", scope, k), item, &name, func(into *string, s *scanner) error {
				return s.inside("name", func() error { return readText(into, s) })
			})
			if err != nil {
				return "", err
			}
			if key := scope + "/" + name; all.get(key) == "" {
				all = append(all, member{key, quote(key), item})
			}
		}
	}
	return all.encode(), nil
}

// makeRun puts the Workflow that is made of a template in the place of the template.
func (r *reader) makeRun(kind string) error {
	w := r.w
	spec := w.object.get("spec")
	meta := members{{"name", quote("name"), quote(r.meta.Name)}}
	if r.meta.Namespace != "" {
		meta = append(meta, member{"namespace", quote("namespace"), quote(r.meta.Namespace)})
	}
	if kind == "CronWorkflow" {
		w.cron = true
		cron, err := split(spec)
		if err != nil {
			return inField("spec", err)
		}
		if spec = cron.get("workflowSpec"); spec == "" {
			return &ReadError{Field: "spec.workflowSpec", Err: errEmpty}
		}
	} else {
		spec, _ = withoutKey(spec, "workflowMetadata")
	}
	w.object = members{
		{"apiVersion", quote("apiVersion"), quote("argoproj.io/v1alpha1")}, {"kind", quote("kind"), quote(workflowKind)},
		{"metadata", quote("metadata"), meta.encode()}, {"spec", quote("spec"), orNull(spec)},
	}
	w.text, w.meta = w.object.encode(), meta
	r.meta = metadata{Name: r.meta.Name, GenerateName: r.meta.GenerateName, Namespace: r.meta.Namespace}
	return nil
}

// withoutKey returns an object without one of its keys.
func withoutKey(object, key string) (string, error) {
	m, err := split(object)
	if err != nil {
		return object, err
	}
	e := &edit{members: m}
	e.remove(key)
	return e.result(object), nil
}
