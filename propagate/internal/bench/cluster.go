package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// lifted are limits that no shape reaches.
var lifted = nodegraph.Limits{Nodes: 4_000_000, Items: 1_000_000}

// begun returns the engine of a workflow that was started, from its specification.
func begun(spec *nodegraph.Spec) (*propagate.Engine, error) {
	e, err := propagate.New(spec, nodegraph.WithLimits(lifted))
	if err != nil {
		return nil, err
	}
	if _, err := e.Apply(began); err != nil {
		return nil, err
	}
	return e, nil
}

// halfDone returns the state of a workflow half of whose tasks or items have ended well; the pods that have started
// since were not observed.
func halfDone(spec *nodegraph.Spec) (propagate.State, error) {
	e, err := begun(spec)
	if err != nil {
		return propagate.State{}, err
	}
	entry := spec.Templates[0]
	left := len(entry.Tasks) / 2
	if loop := entry.Tasks[0].Loop; loop != nil {
		left = len(loop.Items) / 2
	}
	for left > 0 {
		open := openPods(e)
		open = open[:min(left, len(open))]
		if len(open) == 0 {
			return propagate.State{}, fmt.Errorf("nothing runs and %d pods are still to end", left)
		}
		left -= len(open)
		if _, err := e.Apply(began, endings(open)...); err != nil {
			return propagate.State{}, err
		}
	}
	return e.Save(), nil
}

// openPods lists the pods that exist and have not ended, in the order of the graph.
func openPods(e *propagate.Engine) []nodegraph.Index {
	var open []nodegraph.Index
	for i := range nodegraph.Index(e.Graph().Len()) {
		if e.Kind(i) == nodegraph.KindPod && e.Exists(i) {
			if p, _ := e.Phase(i); !p.Settled() {
				open = append(open, i)
			}
		}
	}
	return open
}

// endings are the events by which pods end well.
func endings(pods []nodegraph.Index) []propagate.Event {
	events := make([]propagate.Event, len(pods))
	for k, i := range pods {
		events[k] = propagate.Event{Type: propagate.EventPodEnded, At: i, Phase: nodegraph.PhaseSucceeded}
	}
	return events
}

// eventsFrom lists the endings of all pods from a state to the end of the workflow, in the order in which they started.
func eventsFrom(spec *nodegraph.Spec, state propagate.State) ([]propagate.Event, error) {
	e, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted))
	if err != nil {
		return nil, err
	}
	queue := openPods(e)
	for k := 0; k < len(queue); k++ {
		result, err := e.Apply(began, endings(queue[k:k+1])...)
		if err != nil {
			return nil, err
		}
		for _, a := range result.Actions {
			if a.Type == propagate.ActionStart && a.Kind == nodegraph.KindPod {
				queue = append(queue, a.Node)
			}
		}
	}
	if !e.Complete() {
		return nil, fmt.Errorf("the workflow is not complete after %d pods have ended", len(queue))
	}
	return endings(queue), nil
}

// argoLikeAt returns the Argo-like evaluator of a workflow in the state that our engine was loaded from.
func argoLikeAt(e *propagate.Engine) (*argoLike, error) {
	c, err := newArgoLike(e.Graph().Spec())
	if err != nil {
		return nil, err
	}
	c.ended = func(id string) bool {
		i := e.Graph().Find(id)
		if i == nodegraph.None {
			return false
		}
		p, _ := e.Phase(i)
		return p == nodegraph.PhaseSucceeded
	}
	c.reconcile(began, nil)
	c.ended = nil
	return c, nil
}

// A podList is the pods of a workflow that exist and were not seen to have ended: what the informer of a controller
// holds. One list serves every level-triggered peer.
type podList struct {
	spec *nodegraph.Spec
	pods []propagate.PodStatus
}

// podsOf lists the pods of an engine.
func podsOf(e *propagate.Engine) *podList {
	l := &podList{spec: e.Graph().Spec()}
	for _, i := range openPods(e) {
		l.add(e.Graph().Node(i).ID())
	}
	return l
}

// add adds the pod of a node, which waits to run.
func (l *podList) add(node string) {
	pod := propagate.PodStatus{Node: node, UID: "uid-" + node, Name: node, Phase: "Pending"}
	for _, t := range l.spec.Templates {
		for _, c := range t.Containers {
			pod.Containers = append(pod.Containers, propagate.ContainerStatus{Name: c.Name, Waiting: true})
		}
	}
	l.pods = append(l.pods, pod)
}

// end lets the first pod end with these exit codes of its containers, 0 for those without one.
func (l *podList) end(exitCodes ...int) {
	pod := &l.pods[0]
	pod.Phase = "Succeeded"
	if slices.ContainsFunc(exitCodes, func(code int) bool { return code != 0 }) {
		pod.Phase = "Failed"
	}
	for k := range pod.Containers {
		c := &pod.Containers[k]
		c.Waiting, c.Terminated = false, true
		if k < len(exitCodes) {
			c.ExitCode = exitCodes[k]
		}
	}
}

// seen drops the first pod, whose end was seen, and adds the pods that were created then.
func (l *podList) seen(created []string) {
	l.pods = slices.Clone(l.pods[1:])
	for _, node := range created {
		l.add(node)
	}
}

// createdBy lists the nodes whose pods a result asks for.
func createdBy(r *propagate.Result) []string {
	var ids []string
	for _, a := range r.Actions {
		if a.Type == propagate.ActionStart && a.Kind == nodegraph.KindPod {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
