package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// variable is what Argo puts a value in place of.
var variable = regexp.MustCompile(`{{\s*(.*?)\s*}}`)

// fill puts values in place of the variables in a text of JSON. Those without a value stay.
func fill(text string, values map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(match string) string {
		value, known := values[variable.FindStringSubmatch(match)[1]]
		if !known {
			return match
		}
		quoted, _ := json.Marshal(value) // of a string: can't fail
		return string(quoted[1 : len(quoted)-1])
	})
}

// text is a value of a parameter as text: a string without its quotes, all else as it stands. It may have variables.
func text(value json.RawMessage, values map[string]string) string {
	filled := fill(string(value), values)
	var plain string
	if json.Unmarshal([]byte(filled), &plain) == nil {
		return plain
	}
	return filled
}

// globals are the values that the workflow as a whole has.
func (w *stored) globals() map[string]string {
	values := map[string]string{
		"workflow.name": w.Name, "workflow.namespace": w.Namespace, "workflow.uid": w.UID,
		"workflow.mainEntrypoint": w.spec.Entrypoint, "workflow.serviceAccountName": w.spec.ServiceAccountName,
	}
	for key, value := range w.labels {
		values["workflow.labels."+key] = value
	}
	for key, value := range w.annotations {
		values["workflow.annotations."+key] = value
	}
	for _, p := range w.spec.Arguments.Parameters {
		if p.Value != nil {
			values["workflow.parameters."+p.Name] = text(p.Value, nil)
		}
	}
	return values
}

// values are what the template of node i may use: the globals, and the parameters that it is called with.
func (w *stored) values(g *nodegraph.Graph, i nodegraph.Index) map[string]string {
	given, caller := w.call(g, i)
	values := w.globals()
	values["node.name"] = g.Node(i).Name()
	for _, p := range w.template(g.Node(i)).Inputs.Parameters {
		key := "inputs.parameters." + p.Name
		for _, value := range []json.RawMessage{p.Default, p.Value} { // the latter counts
			if value != nil {
				values[key] = text(value, values)
			}
		}
		for _, a := range given.Parameters {
			if a.Name == p.Name && a.Value != nil {
				values[key] = text(a.Value, caller)
			}
		}
	}
	return values
}

// call returns what node i was called with, and the values of its caller.
func (w *stored) call(g *nodegraph.Graph, i nodegraph.Index) (arguments, map[string]string) {
	for ; i > nodegraph.Root; i = g.Node(i).Parent { // an attempt was called as its Retry was
		if owner, hook := g.Owner(i); hook != nil {
			return w.hooked(g, owner, hook)
		}
		task := g.Node(i).Task
		if task == nil {
			continue
		}
		boundary := g.Boundary(i)
		caller := maps.Clone(w.values(g, boundary))
		if item := g.Item(i); item != nil {
			caller["item"] = item.Text
			for key, value := range item.Fields {
				caller["item."+key] = value
			}
		}
		return w.template(g.Node(boundary)).task(task.Name).Arguments, caller
	}
	return w.spec.Arguments, w.globals()
}

// hooked returns what a hook calls its template with.
func (w *stored) hooked(g *nodegraph.Graph, owner nodegraph.Index, hook *nodegraph.Hook) (arguments, map[string]string) {
	if owner <= nodegraph.Entry {
		if own, ok := w.spec.Hooks[hook.Name]; ok {
			return own.Arguments, w.globals()
		}
		return w.spec.Arguments, w.globals()
	}
	_, caller := w.call(g, owner)
	for ; owner > nodegraph.Root; owner = g.Node(owner).Parent {
		if task := g.Node(owner).Task; task != nil {
			return w.template(g.Node(g.Boundary(owner))).task(task.Name).Hooks[hook.Name].Arguments, caller
		}
	}
	return arguments{}, caller
}

// template is what node n is made from, nothing if it is not in the workflow.
func (w *stored) template(n *nodegraph.Node) *templateFields {
	for k := range w.spec.Templates {
		if t := &w.spec.Templates[k]; n.Template != nil && t.Name == n.Template.RecordedName() {
			return t
		}
	}
	return &templateFields{}
}

// task is the task or step of that name.
func (t *templateFields) task(name string) callField {
	lists := t.Steps
	if t.DAG != nil {
		lists = append(lists, t.DAG.Tasks)
	}
	for _, list := range lists {
		for _, c := range list {
			if c.Name == name {
				return c
			}
		}
	}
	return callField{}
}

// unfilled says which variable of a text has no value here.
func unfilled(text string) error {
	match := variable.FindStringSubmatch(text)
	switch {
	case match == nil:
		return nil
	case strings.Contains(match[1], "outputs."):
		return fmt.Errorf("this example keeps no outputs and has no value for %s", match[0])
	}
	return fmt.Errorf("this example has no value for %s", match[0])
}
