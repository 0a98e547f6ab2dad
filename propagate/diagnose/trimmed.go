package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A record may lack templates by which nodes of it were made: somebody has trimmed status.storedTemplates. What such a node is,
// and what is inside it, is told by the nodes then; what comes next in it nobody knows here.

// WhatComesNext is the name of the task or step that stands for all that is inside a DAG or Steps whose template is not known,
// and was not begun.
const WhatComesNext = "(what is not stored)"

// A trimmed reads templates from the nodes of a record.
type trimmed struct {
	spec  *nodegraph.Spec
	nodes []nodegraph.NodeStatus
	known map[string]bool  // names of templates
	by    map[string][]int // nodes, by the template that they were made by
}

// fill replaces what is known of the templates with these names, and adds those that they call.
func (t *trimmed) fill(missing map[string]bool) {
	t.by = make(map[string][]int)
	for k := range t.nodes {
		name := templateOf(&t.nodes[k])
		t.by[name] = append(t.by[name], k)
	}
	for k := 0; k < len(t.spec.Templates); k++ { // it grows
		if old := t.spec.Templates[k]; missing[old.Name] || old.Err == notRecorded {
			is := *old
			is.Err = ""
			t.read(&is)
			t.spec.Templates[k] = &is
		}
	}
}

// templateOf names the template that a node was made by. An inline one has no name, and is that of its node.
func templateOf(n *nodegraph.NodeStatus) string {
	if n.Template == "" {
		return "of " + n.Name
	}
	return n.Template
}

// notRecorded marks a template that is still to be read.
const notRecorded = "not recorded"

// read reads a template from the first node that was made by it.
func (t *trimmed) read(into *nodegraph.Template) {
	for _, k := range t.by[into.Name] {
		n := &t.nodes[k]
		switch n.Kind {
		case nodegraph.KindRetry:
			into.Retry = &retry.Strategy{}
			into.Unresolved = append(into.Unresolved, nodegraph.Unresolved{Field: "retryStrategy", Text: into.Name})
			continue // an attempt tells the rest
		case nodegraph.KindDAG:
			into.Kind, into.Tasks = n.Kind, t.tasks(n)
		case nodegraph.KindSteps:
			into.Kind, into.Steps = n.Kind, t.steps(n)
		case nodegraph.KindPod:
			into.Containers = t.containers(n)
		case nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin:
			into.Kind = n.Kind
		default:
			continue
		}
		return
	}
}

// containers are those of a pod.
func (t *trimmed) containers(pod *nodegraph.NodeStatus) []nodegraph.ContainerSpec {
	var list []nodegraph.ContainerSpec
	for _, n := range t.nodes {
		if name, in := strings.CutPrefix(n.Name, pod.Name+"."); in && n.Kind == nodegraph.KindContainer && n.Boundary == pod.ID {
			list = append(list, nodegraph.ContainerSpec{Name: name})
		}
	}
	return list
}

// tasks are those of a DAG. Each comes after those inside which a node names it as its child.
func (t *trimmed) tasks(dag *nodegraph.NodeStatus) []nodegraph.Task {
	list := t.called(dag, dag.Name+".")
	places := make(map[string]int) // by the name of the task
	for place := range list {
		places[list[place].Name] = place
	}
	at := make(map[string]int) // the same, by the id of its node
	for k := range t.nodes {
		n := &t.nodes[k]
		if name, in := strings.CutPrefix(n.Name, dag.Name+"."); in {
			if place, is := places[name]; is {
				at[n.ID] = place
			}
		}
	}
	for k := range t.nodes {
		before := t.memberName(&t.nodes[k], dag)
		for _, child := range t.nodes[k].Children {
			place, is := at[child]
			if is && before != "" && before != list[place].Name && !slices.Contains(list[place].Dependencies, before) {
				list[place].Dependencies = append(list[place].Dependencies, before)
			}
		}
	}
	if !dag.Phase.Settled() {
		list = append(list, t.rest(dag))
		for _, task := range list[:len(list)-1] {
			list[len(list)-1].Dependencies = append(list[len(list)-1].Dependencies, task.Name)
		}
	}
	return list
}

// memberName is the name of the task of a DAG that a node belongs to, empty for none.
func (t *trimmed) memberName(n, dag *nodegraph.NodeStatus) string {
	name, in := strings.CutPrefix(n.Name, dag.Name+".")
	if !in {
		return ""
	}
	if end := strings.IndexAny(name, ".([{"); end >= 0 {
		return name[:end]
	}
	return name
}

// steps are those of Steps.
func (t *trimmed) steps(steps *nodegraph.NodeStatus) [][]nodegraph.Task {
	var groups [][]nodegraph.Task
	for {
		prefix := fmt.Sprintf("%s[%d]", steps.Name, len(groups))
		if !slices.ContainsFunc(t.nodes, func(n nodegraph.NodeStatus) bool { return n.Name == prefix }) {
			break
		}
		groups = append(groups, t.called(steps, prefix+"."))
	}
	if !steps.Phase.Settled() {
		groups = append(groups, []nodegraph.Task{t.rest(steps)})
	}
	return groups
}

// called are the tasks or steps of a node whose names begin so.
func (t *trimmed) called(in *nodegraph.NodeStatus, prefix string) []nodegraph.Task {
	var list []nodegraph.Task
	for k := range t.nodes {
		n := &t.nodes[k]
		name, is := strings.CutPrefix(n.Name, prefix)
		if !is || n.Boundary != in.ID || n.Hooked || n.Retried || strings.ContainsAny(name, "([") {
			continue
		}
		task := nodegraph.Task{Name: name, Template: templateOf(n)}
		if n.Kind == nodegraph.KindTaskGroup {
			task.Loop = &nodegraph.Loop{Unresolved: "the items of " + n.Name}
		}
		t.need(task.Template)
		list = append(list, task)
	}
	return list
}

// rest stands for what else is in a node.
func (t *trimmed) rest(in *nodegraph.NodeStatus) nodegraph.Task {
	const template = WhatComesNext
	t.need(template)
	return nodegraph.Task{Name: WhatComesNext, Template: template, When: "{{template of " + in.Name + "}} == known"}
}

// need adds a template that is called and not known.
func (t *trimmed) need(name string) {
	if t.known == nil {
		t.known = make(map[string]bool)
		for _, is := range t.spec.Templates {
			t.known[is.Name] = true
		}
	}
	if !t.known[name] {
		t.known[name] = true
		t.spec.Templates = append(t.spec.Templates, &nodegraph.Template{Name: name, Kind: nodegraph.KindPod, Err: notRecorded})
	}
}
