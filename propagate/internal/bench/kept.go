package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// A keptStep is a call for a workflow that the host has seen before: the object as the API server has it once the patch of the call
// before is stored, and the pods that have changed since.
type keptStep struct {
	object  []byte
	changed []propagate.PodStatus
	now     time.Time
}

// steps is how many calls follow one another, the first of which has nothing to go on from.
const steps = 6

// keptSteps lets one pod after the other end.
func (s *storedWorkflow) keptSteps() ([]keptStep, error) {
	c := &podCluster{containers: s.cluster.containers, pods: maps.Clone(s.cluster.pods), running: slices.Clone(s.cluster.running)}
	list := s.podsAtFirst()
	all := []keptStep{{object: s.object, now: s.now}}
	var r reconcile.Reconciler
	out, err := r.Reconcile(s.now, s.object, list)
	for err == nil && len(all) < steps {
		last := &all[len(all)-1]
		next := keptStep{now: last.now.Add(time.Second)}
		if next.object, err = merged(last.object, out.Patch); err != nil {
			break
		}
		ended := endedPod(c.pods[c.running[0]], next.now)
		c.running = c.running[1:]
		next.changed = append(c.create(last.now, out.Actions), ended)
		list = told(list, next.changed)
		out, err = r.Reconcile(next.now, next.object, list)
		if err == nil && out.Patch == nil {
			err = fmt.Errorf("the end of a pod is not patched")
		}
		all = append(all, next)
	}
	return all, err
}

// podsAtFirst are the pods when the object was stored.
func (s *storedWorkflow) podsAtFirst() []propagate.PodStatus {
	list := make([]propagate.PodStatus, 0, len(s.pods)+steps)
	for k := range s.pods {
		list = append(list, *s.cluster.pods[s.pods[k].Node])
	}
	return list
}

// told is a list of pods once some have changed, or were created.
func told(list, changed []propagate.PodStatus) []propagate.PodStatus {
	for _, p := range changed {
		if at := slices.IndexFunc(list, func(q propagate.PodStatus) bool { return q.Node == p.Node }); at >= 0 {
			list[at] = p
		} else {
			list = append(list, p)
		}
	}
	return list
}

// merged is an object once a merge patch was applied, as the API server has it.
func merged(text, patch []byte) ([]byte, error) {
	var o, p object
	if err := json.Unmarshal(text, &o); err != nil || patch == nil {
		return text, err
	}
	if err := json.Unmarshal(patch, &p); err != nil {
		return nil, err
	}
	merge(o, p)
	o["metadata"].(object)["resourceVersion"] = fmt.Sprint(o["metadata"].(object)["resourceVersion"], "1")
	return json.Marshal(o)
}

func merge(into, patch object) {
	for key, value := range patch {
		old, _ := into[key].(object)
		switch value := value.(type) {
		case nil:
			delete(into, key)
		case object:
			if old == nil {
				old = object{}
				into[key] = old
			}
			merge(old, value)
		default:
			into[key] = value
		}
	}
}

// keptListed is a host that keeps what it has read, and lists all pods with each call.
func keptListed(s *storedWorkflow) (stopwatch, error) {
	return kept(s, func(k *reconcile.Kept, step *keptStep, list []propagate.PodStatus) (*reconcile.Outcome, error) {
		return k.Reconcile(step.now, step.object, list)
	})
}

// keptTold is a host that tells of pods once they have changed.
func keptTold(s *storedWorkflow) (stopwatch, error) {
	return kept(s, func(k *reconcile.Kept, step *keptStep, _ []propagate.PodStatus) (*reconcile.Outcome, error) {
		return k.ReconcileChanged(step.now, step.object, step.changed, nil)
	})
}

// kept measures calls that follow one that read the whole object.
func kept(s *storedWorkflow, call func(*reconcile.Kept, *keptStep, []propagate.PodStatus) (*reconcile.Outcome, error)) (stopwatch, error) {
	all, err := s.keptSteps()
	var r reconcile.Reconciler
	return func(times int) (done int, took time.Duration, err error) {
		for ; done < times; done += len(all) - 1 {
			k, list := r.Keep(), s.podsAtFirst()
			if _, err := k.Reconcile(all[0].now, all[0].object, list); err != nil {
				return 0, 0, err
			}
			for n := range all[1:] {
				step := &all[1+n]
				list = told(list, step.changed)
				start := cpuTime()
				out, err := call(k, step, list)
				took += cpuTime() - start
				if err != nil || out.Patch == nil {
					return 0, 0, fmt.Errorf("the end of a pod is not patched: %w", err)
				}
			}
		}
		return done, took, nil
	}, err
}
