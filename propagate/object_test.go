package propagate_test

import (
	"encoding/json"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// object is one JSON object.
type object = map[string]any

func encoded(o object) []byte {
	text, _ := json.Marshal(o) // of maps, numbers and texts: can't fail
	return text
}

// set puts a value that is not zero.
func set[T comparable](o object, key string, value T) {
	var zero T
	if value != zero {
		o[key] = value
	}
}

// withRequests is the object with the requests to stop or to hold the workflow, which people write into its spec.
func withRequests(text []byte, shutdown string, held bool) []byte {
	o := decoded(text).(object)
	spec := o["spec"].(object)
	delete(spec, "suspend")
	delete(spec, "shutdown") // a manual retry takes it back
	set(spec, "shutdown", shutdown)
	set(spec, "suspend", held)
	return encoded(o)
}

// expressible is the specification without what Argo's object has no field for, and without limits of semaphores, which
// stand elsewhere.
func expressible(s *nodegraph.Spec) *nodegraph.Spec {
	c := copySpec(s)
	c.PodRestarts, c.TransientErrors, c.Suspended = 0, "", false
	forLocks := func(locks []nodegraph.Lock) {
		for i := range locks {
			locks[i].Limit = 0
		}
	}
	forLocks(c.Locks)
	for _, t := range allTemplates(c) {
		forLocks(t.Locks)
		if t.Err != "" { // a template without anything to run counts as a pod
			t.Containers = nil
		}
		if t.Retry != nil {
			t.Retry.IgnoreDisruptions, t.Retry.Rules = false, nil
			if t.Retry.Backoff != nil {
				t.Retry.Backoff.Jitter = 0
			}
		}
	}
	return c
}

// allTemplates lists the templates of a specification, those inside tasks included.
func allTemplates(s *nodegraph.Spec) []*nodegraph.Template {
	list := slices.Clone(s.Templates)
	for k := 0; k < len(list); k++ {
		for _, task := range tasksOf(list[k]) {
			if task.Inline != nil {
				list = append(list, task.Inline)
			}
		}
	}
	return list
}

// tasksOf lists the tasks and steps of a template.
func tasksOf(t *nodegraph.Template) []*nodegraph.Task {
	var list []*nodegraph.Task
	for i := range t.Tasks {
		list = append(list, &t.Tasks[i])
	}
	for _, group := range t.Steps {
		for i := range group {
			list = append(list, &group[i])
		}
	}
	return list
}
