package argo

import (
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// creator makes nodes that the workflow does not have yet.
type creator struct {
	w         *Workflow
	made      map[string]nodeContext
	templates map[string]bool // names of the templates of the spec, once they are asked for
}

// A nodeContext is what a node passes on to the nodes that have it as their boundary.
type nodeContext struct {
	name    string
	scope   string // of the templates inside it
	retried bool   // it is an attempt, or part of one
}

// created returns the node that r describes, with the fields of a node that Argo creates. Its boundary must have been
// created before it.
func (c *creator) created(r *nodegraph.NodeStatus) string {
	boundary := c.context(r.Boundary)
	e := &edit{}
	e.setText("id", r.ID)
	e.setText("name", r.Name)
	e.setText("displayName", firstText(r.DisplayName, displayName(r.Name, boundary.name)))
	e.setText("type", r.Kind.String())
	inner := c.setTemplate(e, r.Template, boundary.scope)
	e.setText("phase", r.Phase.String())
	e.setText("boundaryID", r.Boundary)
	e.setText("message", r.Message)
	none := nodegraph.NodeStatus{Kind: r.Kind, Phase: r.Phase, Message: r.Message}
	updateState(e, &none, r)
	retried := r.Retried || r.Kind == nodegraph.KindContainer && boundary.retried
	setNodeFlag(e, r.Kind, r.Hooked, retried)
	updateResults(e, &none, r)
	e.setList("children", r.Children)
	if r.Kind == nodegraph.KindPod {
		e.set("taskResultSynced", strconv.FormatBool(!r.Unsynced))
	}
	c.made[r.ID] = nodeContext{name: r.Name, scope: inner, retried: retried}
	return e.members.encode()
}

// context returns what the boundary with this id passes on. Nodes without one are the workflow's own.
func (c *creator) context(id string) nodeContext {
	if made, ok := c.made[id]; ok {
		return made
	}
	context := nodeContext{scope: "local/" + c.w.Name}
	row := c.w.nodes.get(id)
	if row == nil {
		return context
	}
	d := &nodeDecoder{r: new(nodegraph.NodeStatus)}
	_ = d.fields(&scanner{text: row.now, decoded: row.object != nil, value: row.object}) // of a node that was read, or created here: can't fail
	context.name, context.retried = d.r.Name, d.r.Retried
	if d.scope != "" {
		context.scope = d.scope
	}
	if d.ref.Name != "" {
		context.scope = d.ref.scope()
	}
	c.made[id] = context
	return context
}

// setTemplate writes which template the node is made from, as found from scope, and returns the scope of what is
// inside it. An inline template has no name that Argo would write.
func (c *creator) setTemplate(e *edit, name, scope string) (inner string) {
	inner = scope
	ref, external := parseKey(name)
	switch {
	case name == "":
	case external && ref.scope() == scope:
		e.setText("templateName", ref.Template)
	case external:
		in := &edit{}
		in.setText("name", ref.Name)
		in.setText("template", ref.Template)
		in.setFlag("clusterScope", ref.ClusterScope)
		e.set("templateRef", in.members.encode())
		inner = ref.scope()
	case c.named(name):
		e.setText("templateName", name)
	}
	e.setText("templateScope", scope)
	return inner
}

// named reports whether the spec has a template of this name.
func (c *creator) named(name string) bool {
	if c.templates == nil {
		c.templates = make(map[string]bool)
		for _, t := range c.w.Spec.Templates {
			c.templates[t.Name] = true
		}
	}
	return c.templates[name]
}

// parseKey takes the key of a stored template apart; false if name is not one.
func parseKey(name string) (templateRef, bool) {
	kind, rest, ok := strings.Cut(name, "/")
	if !ok || kind != "namespaced" && kind != "cluster" {
		return templateRef{}, false
	}
	owner, template, ok := strings.Cut(rest, "/")
	return templateRef{Name: owner, Template: template, ClusterScope: kind == "cluster"}, ok
}

// displayName is the name of a node without what it shares with its boundary: "a" for "wf.a" in "wf", "b(0)" for
// "wf[1].b(0)" in "wf", "[1]" for the StepGroup "wf[1]".
func displayName(name, boundary string) string {
	rest, ok := strings.CutPrefix(name, boundary)
	if boundary == "" || !ok {
		return name
	}
	group := rest
	if strings.HasPrefix(rest, "[") {
		_, group, _ = strings.Cut(rest, "]")
	}
	if short, ok := strings.CutPrefix(group, "."); ok {
		return short
	}
	return rest
}

// setNodeFlag writes nodeFlag. Argo gives an empty one to nodes that no template makes.
func setNodeFlag(e *edit, kind nodegraph.Kind, hooked, retried bool) {
	in := &edit{}
	in.setFlag("hooked", hooked)
	in.setFlag("retried", retried)
	switch kind {
	case nodegraph.KindSkipped, nodegraph.KindStepGroup, nodegraph.KindTaskGroup:
	default:
		if !in.changed {
			return
		}
	}
	e.set("nodeFlag", in.members.encode())
}
