package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// A storedWorkflow is a Workflow as the API server holds it while it runs, and the pods that exist. One pod has ended since.
type storedWorkflow struct {
	object  []byte
	pods    []propagate.PodStatus
	changed []propagate.PodStatus // the pod that has ended since
	nodes   int
	now     time.Time
	cluster *podCluster // as it was when the object was stored
}

// object is JSON that is put together here.
type object = map[string]any

// objectShapes are the workflows of which there are objects.
var objectShapes = []struct {
	name       string
	spec       func(n int) object
	containers []string
}{
	{"layered", layeredObject, []string{"main", "wait"}},
	{"sets", setsObject, []string{"a", "b", "c", "main", "z", "wait"}},
}

// width is how many tasks a layer has.
const width = 50

// layeredObject is a DAG of n nodes in layers, each pod after three of the layer before.
func layeredObject(n int) object {
	tasks := make([]object, n-1)
	for k := range tasks {
		tasks[k] = object{"name": fmt.Sprintf("task-%d", k), "template": "p"}
		if layer := k / width; layer > 0 {
			var after []string
			for _, step := range []int{0, 1, 7} {
				after = append(after, fmt.Sprintf("task-%d", (layer-1)*width+(k+step)%width))
			}
			tasks[k]["dependencies"] = after
		}
	}
	pod := object{"name": "p", "container": object{"image": "alpine:3", "command": []string{"sh", "-c", "echo {{inputs.parameters.x}}"}}}
	return workflowObject(tasks, pod)
}

// setsObject is a DAG of container sets of five, each under a Retry: about n nodes.
func setsObject(n int) object {
	tasks := make([]object, (n-1)/7)
	for k := range tasks {
		tasks[k] = object{"name": fmt.Sprintf("task-%d", k), "template": "p"}
	}
	container := func(name string, after ...string) object {
		return object{"name": name, "image": "alpine:3", "dependencies": after}
	}
	return workflowObject(tasks, object{
		"name": "p", "retryStrategy": object{"limit": "3", "retryPolicy": "Always"},
		"containerSet": object{"containers": []object{
			container("a"), container("b", "a"), container("c", "a"), container("main", "b", "c"), container("z", "main"),
		}},
	})
}

func workflowObject(tasks []object, template object) object {
	return object{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": object{"name": "wf", "namespace": "default", "uid": "1234", "resourceVersion": "17", "creationTimestamp": "2026-01-01T00:00:00Z"},
		"spec":     object{"entrypoint": "main", "templates": []object{{"name": "main", "dag": object{"tasks": tasks}}, template}},
	}
}

// A podCluster runs the pods of a workflow that is to be stored.
type podCluster struct {
	containers []string
	pods       map[string]*propagate.PodStatus // by id
	order      []string                        // of ids, as they were created
	running    []string                        // ids
	left       int                             // how many may still end
}

// create makes the pods that were asked for.
func (c *podCluster) create(now time.Time, actions []propagate.Action) (begun []propagate.PodStatus) {
	for _, a := range actions {
		if a.Type != propagate.ActionStart || a.Kind != nodegraph.KindPod {
			continue
		}
		p := &propagate.PodStatus{Node: a.ID, Name: a.Name, UID: "uid-" + a.ID, Phase: propagate.PodPhaseRunning, Created: now}
		for _, name := range c.containers {
			p.Containers = append(p.Containers, propagate.ContainerStatus{Name: name, Running: true, Ready: true})
		}
		c.pods[a.ID] = p
		c.order, c.running = append(c.order, a.ID), append(c.running, a.ID)
		begun = append(begun, *p)
	}
	return begun
}

// end lets the pods that run end, as long as any may, and returns them.
func (c *podCluster) end(now time.Time) (ended []propagate.PodStatus) {
	n := min(c.left, len(c.running))
	for _, id := range c.running[:n] {
		*c.pods[id] = endedPod(c.pods[id], now)
		ended = append(ended, *c.pods[id])
	}
	c.left, c.running = c.left-n, c.running[n:]
	return ended
}

// endedPod is a pod once all its containers have succeeded.
func endedPod(p *propagate.PodStatus, now time.Time) propagate.PodStatus {
	ended := *p
	ended.Phase, ended.Containers = propagate.PodPhaseSucceeded, nil
	for k := range p.Containers {
		ended.Containers = append(ended.Containers, propagate.ContainerStatus{Name: p.Containers[k].Name, Terminated: true, Finished: now})
	}
	return ended
}

// running is how many pods run when the object is stored.
const running = 50

// store lets a workflow run until most of its pods have ended, and returns it as it is stored then.
func store(spec object, containers []string) (*storedWorkflow, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	w, err := argo.Read(text)
	if err != nil {
		return nil, err
	}
	e, err := propagate.New(w.Spec, nodegraph.WithLimits(lifted))
	if err != nil {
		return nil, err
	}
	tasks := len(w.Spec.Templates[0].Tasks)
	c := &podCluster{containers: containers, pods: make(map[string]*propagate.PodStatus), left: tasks - min(running, tasks/2)}
	now := began
	result, err := e.Apply(now)
	for err == nil {
		now = now.Add(time.Second)
		seen := append(c.end(now), c.create(now, result.Actions)...)
		if len(seen) == 0 {
			break
		}
		result, err = e.SyncChanged(now, seen, nil)
	}
	if err != nil {
		return nil, err
	}
	s := &storedWorkflow{now: now.Add(time.Second), cluster: c}
	if s.object, s.nodes, err = storedObject(w, e); err != nil {
		return nil, err
	}
	s.changed = []propagate.PodStatus{endedPod(c.pods[c.running[0]], s.now)}
	for _, id := range c.order {
		p := *c.pods[id]
		if id == c.running[0] {
			p = s.changed[0]
		}
		s.pods = append(s.pods, p)
	}
	return s, nil
}

// storedObject is the object with the status of an engine, and with what a controller stores besides.
func storedObject(w *argo.Workflow, e *propagate.Engine) (text []byte, nodes int, err error) {
	s := e.Snapshot()
	children := argo.Children(e.Graph(), e.Exists)
	for k := range s.Nodes {
		s.Nodes[k].Children = children(e.Graph().Find(s.Nodes[k].ID))
	}
	if err := w.SetStatus(s); err != nil {
		return nil, 0, err
	}
	if text, err = w.Encode(); err != nil {
		return nil, 0, err
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, 0, err
	}
	all := o["status"].(object)["nodes"].(object)
	for _, n := range all {
		if n := n.(object); n["type"] == "Pod" {
			n["hostNodeName"], n["progress"] = "ip-10-0-12-34.eu-west-1.compute.internal", "1/1"
			n["resourcesDuration"] = object{"cpu": 3, "memory": 51}
		}
	}
	text, err = json.Marshal(o) // with sorted keys, as the API server has it
	return text, len(all), err
}
