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

// reference returns the name under which a template is known here: the key of a stored template if it belongs to a
// WorkflowTemplate, its own name otherwise. What comes of a template that the object does not hold yet is known to the
// host only: Argo stores a template when its first node starts.
func (c *converter) reference(field, scope, name string, ref *templateRef) string {
	switch {
	case ref != nil:
		field, scope, name = field+".templateRef", ref.scope(), ref.key()
	case open(name):
		c.placeholder(field+".template", name, fmt.Sprintf("the host must resolve template %q", bounded(name)))
		return name
	case scope == local:
		return name
	default:
		field, name = field+".template", scope+"/"+name
	}
	if _, ok := c.stored[name]; !ok {
		c.placeholder(field, name, fmt.Sprintf("template %q is not in status.storedTemplates", bounded(name)))
		return name
	}
	if !c.known[name] {
		c.known[name] = true
		c.queue = append(c.queue, storedTemplate{key: name, scope: scope})
	}
	return name
}

// placeholder adds a template that only the host knows. Its nodes end in Error, which says so.
func (c *converter) placeholder(field, name, message string) {
	c.unresolved(field, name, countsAsError)
	if !c.known[name] {
		c.known[name] = true
		c.out.Templates = append(c.out.Templates, &nodegraph.Template{Name: name, Kind: nodegraph.KindPod, Err: message})
	}
}
