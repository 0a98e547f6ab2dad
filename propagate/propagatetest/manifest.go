package propagatetest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// object is one JSON object.
type object = map[string]any

// Manifest is the Argo Workflow that a user would write for a specification, as JSON: for hosts that keep objects. It leaves out
// what Argo has no field for; a [Recorder] finds that and keeps it beside the object.
func Manifest(s *nodegraph.Spec) []byte {
	spec := object{"entrypoint": s.Entrypoint}
	var templates []any
	for _, t := range s.Templates {
		templates = append(templates, templateObject(t))
	}
	spec["templates"] = templates
	set(spec, "onExit", s.OnExit)
	set(spec, "parallelism", s.Parallelism)
	if s.ActiveDeadline > 0 { // AtOnce is 0 seconds
		spec["activeDeadlineSeconds"] = int64(s.ActiveDeadline / time.Second)
	}
	set(spec, "priority", s.Priority)
	set(spec, "suspend", s.Suspended)
	if len(s.Hooks) > 0 {
		spec["hooks"] = hooksObject(s.Hooks)
	}
	if len(s.Locks) > 0 {
		spec["synchronization"] = locksObject(s.Locks)
	}
	ttl := object{}
	for key, d := range map[string]*time.Duration{"secondsAfterCompletion": s.TTL.Completion, "secondsAfterSuccess": s.TTL.Success, "secondsAfterFailure": s.TTL.Failure} {
		if d != nil {
			ttl[key] = int64(*d / time.Second)
		}
	}
	if len(ttl) > 0 {
		spec["ttlStrategy"] = ttl
	}
	metadata := object{"name": s.Name, "namespace": s.Namespace}
	if !s.Created.IsZero() {
		metadata["creationTimestamp"] = s.Created
	}
	return encoded(object{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec})
}

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

func templateObject(t *nodegraph.Template) object {
	o := object{"name": t.Name}
	switch {
	case t.Err != "": // nothing to run
	case t.Kind == nodegraph.KindDAG:
		var tasks []any
		for i := range t.Tasks {
			tasks = append(tasks, taskObject(&t.Tasks[i]))
		}
		dag := object{"tasks": tasks}
		set(dag, "target", strings.Join(t.Targets, " "))
		if t.NoFailFast {
			dag["failFast"] = false
		}
		o["dag"] = dag
	case t.Kind == nodegraph.KindSteps:
		var groups []any
		for _, group := range t.Steps {
			var steps []any
			for i := range group {
				steps = append(steps, taskObject(&group[i]))
			}
			groups = append(groups, steps)
		}
		o["steps"] = groups
	case t.Kind == nodegraph.KindSuspend:
		suspend := object{}
		if t.Suspend > 0 {
			suspend["duration"] = lengthOf(t.Suspend)
		}
		o["suspend"] = suspend
	case t.Kind == nodegraph.KindHTTP:
		o["http"] = object{"url": "http://example.com"}
	case t.Kind == nodegraph.KindPlugin:
		o["plugin"] = object{"hello": object{}}
	case len(t.Containers) > 0:
		var containers []any
		for _, c := range t.Containers {
			ctr := object{"name": c.Name}
			if len(c.Dependencies) > 0 {
				ctr["dependencies"] = c.Dependencies
			}
			containers = append(containers, ctr)
		}
		o["containerSet"] = object{"containers": containers}
	default:
		o["container"] = object{"image": "busybox"}
	}
	settingsObject(o, t)
	return o
}

func settingsObject(o object, t *nodegraph.Template) {
	set(o, "daemon", t.Daemon)
	set(o, "failFast", t.FailFast)
	set(o, "parallelism", t.Parallelism)
	if t.Timeout > 0 {
		o["timeout"] = lengthOf(t.Timeout)
	}
	if t.PendingTimeout > 0 {
		o["pendingTimeout"] = lengthOf(t.PendingTimeout)
	}
	if t.Memoize != "" {
		o["memoize"] = object{"key": t.Memoize, "cache": object{"configMap": object{"name": "cache"}}}
	}
	if len(t.Locks) > 0 {
		o["synchronization"] = locksObject(t.Locks)
	}
	if t.Retry != nil {
		o["retryStrategy"] = retryObject(t.Retry)
	}
}

// lengthOf is a duration as Argo has it.
func lengthOf(d time.Duration) string {
	if d == nodegraph.AtOnce {
		return "0s"
	}
	return d.String()
}

func retryObject(s *retry.Strategy) object {
	o := object{}
	if s.Limit != nil {
		o["limit"] = *s.Limit
	}
	set(o, "retryPolicy", string(s.Policy))
	if s.Expression != nil {
		o["expression"] = s.Expression.String()
	}
	if b := s.Backoff; b != nil {
		backoff := object{"duration": b.Duration.String(), "factor": b.Factor}
		if b.Cap > 0 {
			backoff["cap"] = b.Cap.String()
		}
		if b.MaxDuration > 0 {
			backoff["maxDuration"] = b.MaxDuration.String()
		}
		o["backoff"] = backoff
	}
	return o
}

func locksObject(locks []nodegraph.Lock) object {
	var mutexes, semaphores []any
	for _, l := range locks {
		parts := strings.Split(l.Key, "/")
		if len(parts) == 4 && parts[1] == "ConfigMap" {
			semaphores = append(semaphores, object{"namespace": parts[0], "configMapKeyRef": object{"name": parts[2], "key": parts[3]}})
		} else if len(parts) == 3 {
			mutex := object{"namespace": parts[0], "name": parts[2]}
			set(mutex, "database", parts[1] == "Database")
			mutexes = append(mutexes, mutex)
		}
	}
	o := object{}
	if len(semaphores) > 0 {
		o["semaphores"] = semaphores
	}
	if len(mutexes) > 0 {
		o["mutexes"] = mutexes
	}
	return o
}

func hooksObject(hooks []nodegraph.Hook) object {
	o := object{}
	for _, h := range hooks {
		hook := object{"template": h.Template}
		set(hook, "expression", h.Expression)
		o[h.Name] = hook
	}
	return o
}

func taskObject(t *nodegraph.Task) object {
	o := object{"name": t.Name}
	set(o, "template", t.Template)
	if t.Inline != nil {
		o["inline"] = templateObject(t.Inline)
	}
	if len(t.Dependencies) > 0 {
		o["dependencies"] = t.Dependencies
	}
	set(o, "depends", t.Depends)
	set(o, "when", t.When)
	if t.ContinueOn != (nodegraph.ContinueOn{}) {
		o["continueOn"] = object{"failed": t.ContinueOn.Failed, "error": t.ContinueOn.Error}
	}
	if len(t.Hooks) > 0 {
		o["hooks"] = hooksObject(t.Hooks)
	}
	if t.Loop != nil {
		loopObject(o, t.Loop)
	}
	return o
}

func loopObject(o object, loop *nodegraph.Loop) {
	switch {
	case loop.Unresolved != "":
		o["withParam"] = loop.Unresolved
	case len(loop.Items) == 0:
		o["withParam"] = "[]"
	default:
		var items []any
		for _, item := range loop.Items {
			if item.Fields != nil {
				items = append(items, item.Fields)
			} else {
				items = append(items, item.Text)
			}
		}
		o["withItems"] = items
	}
}
