package argo

import (
	"fmt"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// local is the scope of the workflow's own templates.
const local = ""

// isLocal reports whether a node's templateScope is that of the workflow itself.
func isLocal(templateScope string) bool {
	return templateScope == "" || strings.HasPrefix(templateScope, "local/")
}

// key is the name of the template that a call in a template of a scope names.
func (c *converter) key(scope string, in *call) string {
	switch {
	case in.TemplateRef != nil:
		return in.TemplateRef.key()
	case scope == local || open(in.Template):
		return in.Template
	}
	return scope + "/" + in.Template
}

// reference is key, for a call whose template is needed. What comes of a template that the object does not hold yet is known
// to the host only: Argo stores a template when its first node starts.
func (c *converter) reference(field, scope string, in *call) string {
	name := c.key(scope, in)
	switch {
	case in.TemplateRef != nil && c.sources[name] == nil:
		c.placeholder(field+".templateRef", name, fmt.Sprintf("template %q is not in status.storedTemplates", bounded(name)))
	case in.TemplateRef != nil:
	case open(name):
		c.placeholder(field+".template", name, fmt.Sprintf("the host must resolve template %q", bounded(name)))
	case scope != local && c.sources[name] == nil:
		c.placeholder(field+".template", name, fmt.Sprintf("template %q is not in status.storedTemplates", bounded(name)))
	}
	return name
}

// placeholder adds a template that only the host knows. Its nodes end in Error, which says so.
func (c *converter) placeholder(field, name, message string) {
	c.unresolved(field, name, countsAsError)
	if !c.known[name] {
		c.known[name] = true
		c.rest = append(c.rest, convertedTemplate{Template: &nodegraph.Template{Name: name, Kind: nodegraph.KindPod, Err: message}})
	}
}
