package podspec

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
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

// A valuer looks up what variables stand for: in the fields of a workflow, and in how its nodes are.
type valuer struct {
	*Workflow
	engine *propagate.Engine
}

// globals are the values that the workflow as a whole has for node n.
func (v valuer) globals(n *nodegraph.Node) map[string]string {
	w := v.Workflow
	values := map[string]string{
		"workflow.name": w.Name, "workflow.namespace": w.Namespace, "workflow.uid": string(w.UID),
		"workflow.mainEntrypoint": w.spec.Entrypoint, "workflow.serviceAccountName": w.spec.ServiceAccountName,
	}
	if n.InExitHandler() {
		phase, _ := v.engine.Phase(nodegraph.Entry)
		values["workflow.status"] = phase.String()
	}
	for key, value := range w.Labels {
		values["workflow.labels."+key] = value
	}
	for key, value := range w.Annotations {
		values["workflow.annotations."+key] = value
	}
	for _, p := range w.spec.Arguments.Parameters {
		if p.Value != nil {
			values["workflow.parameters."+p.Name] = text(p.Value, nil)
		}
	}
	return values
}

// of are the values that the template of node i may use: the globals, and the parameters that it is called with.
func (v valuer) of(i nodegraph.Index) map[string]string {
	n := v.engine.Graph().Node(i)
	given, caller := v.call(i)
	values := v.globals(n)
	values["node.name"] = n.Name()
	for _, p := range v.template(n).Inputs.Parameters {
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
func (v valuer) call(i nodegraph.Index) (arguments, map[string]string) {
	g := v.engine.Graph()
	called := i
	for ; i > nodegraph.Root; i = g.Node(i).Parent { // an attempt was called as its Retry was
		if owner, hook := g.Owner(i); hook != nil {
			return v.hooked(i, owner, hook)
		}
		if g.Node(i).Task == nil {
			continue
		}
		boundary := g.Boundary(i)
		caller := v.of(boundary)
		v.addStatuses(caller, boundary)
		if item := g.Item(i); item != nil {
			caller["item"] = item.Text
			for key, value := range item.Fields {
				caller["item."+key] = value
			}
		}
		return v.template(g.Node(boundary)).task(g.Node(i).Task.Name).Arguments, caller
	}
	return v.spec.Arguments, v.globals(g.Node(called))
}

// addStatuses adds how the tasks or steps of a boundary have ended.
func (v valuer) addStatuses(values map[string]string, boundary nodegraph.Index) {
	g, prefix := v.engine.Graph(), "tasks."
	if g.Node(boundary).Kind == nodegraph.KindSteps {
		prefix = "steps."
	}
	var add func(i nodegraph.Index)
	add = func(i nodegraph.Index) {
		for m := range g.Members(i) {
			task := g.Node(m).Task
			if task == nil { // a StepGroup
				add(m)
			} else if verdict := v.engine.Verdict(m); verdict.Fulfilled {
				values[prefix+task.Name+".status"] = verdict.Phase.String()
			}
		}
	}
	add(boundary)
}

// hooked returns what a hook calls its template with.
func (v valuer) hooked(i, owner nodegraph.Index, hook *nodegraph.Hook) (arguments, map[string]string) {
	g := v.engine.Graph()
	if owner <= nodegraph.Entry {
		if own, ok := v.spec.Hooks[hook.Name]; ok {
			return own.Arguments, v.globals(g.Node(i))
		}
		return v.spec.Arguments, v.globals(g.Node(i))
	}
	_, caller := v.call(owner)
	for ; owner > nodegraph.Root; owner = g.Node(owner).Parent {
		if task := g.Node(owner).Task; task != nil {
			return v.template(g.Node(g.Boundary(owner))).task(task.Name).Hooks[hook.Name].Arguments, caller
		}
	}
	return arguments{}, caller
}

// When says whether the condition of node i holds, which the library could not evaluate, and how the condition reads with its values.
// The error names what has no value.
func (w *Workflow) When(e *propagate.Engine, i nodegraph.Index, condition string) (holds bool, reads string, err error) {
	_, caller := valuer{w, e}.call(i)
	quoted, _ := json.Marshal(condition) // of a string: can't fail
	reads = text(quoted, caller)
	if err := unfilled(reads); err != nil {
		return false, reads, err
	}
	result, err := nodegraph.EvalWhen(reads)
	return result == nodegraph.WhenTrue, reads, err
}

// template is what node n is made from, nothing if it is not in the workflow.
func (w *Workflow) template(n *nodegraph.Node) *templateFields {
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
		return fmt.Errorf("there is no value for %s: outputs are not kept", match[0])
	}
	return fmt.Errorf("there is no value for %s", match[0])
}
