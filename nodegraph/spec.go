package nodegraph

import (
	"cmp"
	"time"

	"github.com/nodestatus/nodestatus/retry"
)

// AtOnce is a time that is over as soon as somebody looks: what Argo makes of a duration of zero that is set. In this package
// 0 is a duration that is not set, so AtOnce is the shortest there is.
const AtOnce time.Duration = 1

// A Spec is what a workflow promises: the part of an Argo Workflow's spec that decides the status of its nodes. It must
// not change once [New] has taken it. New only reads it, so graphs in several goroutines may share one, or its templates.
type Spec struct {
	Name       string      // the workflow's name, also the name and id of its entry node
	Namespace  string      // only part of lock keys
	Entrypoint string      // the template the workflow runs
	Templates  []*Template // all that Entrypoint, OnExit, tasks and hooks name, each under a name of its own

	OnExit         string        // the template that runs when the entry node has ended; empty for none
	Hooks          []Hook        // workflow-level lifecycle hooks other than exit
	Parallelism    int           // most pods active at once; 0 for no limit
	ActiveDeadline time.Duration // from the workflow's start; 0 for none, AtOnce to start nothing (Argo: activeDeadlineSeconds)
	Locks          []Lock        // held by the workflow as a whole
	PodRestarts    int           // how often a pod that failed before it ran is made anew (Argo: failedPodRestart)
	TTL            TTL           // when a completed workflow expires
	Suspended      bool          // start nothing until the host resumes the workflow (Argo: spec.suspend)
	Priority       int32         // of workflows that wait for a lock the higher is served first (Argo: spec.priority)
	Created        time.Time     // of those of one priority the older; zero if not known (Argo: creationTimestamp)

	// TransientErrors is a regular expression for messages of errors that retryPolicy OnTransientError retries besides those
	// that are known. It is the host's, as PodRestarts is; empty for none (Argo: TRANSIENT_ERROR_PATTERN).
	TransientErrors string

	// AnyNames says that names may be whatever they are, as in an object that a controller has accepted. A node whose name
	// another has ends in Error.
	AnyNames bool
	// TimeoutsByHost says that the host ends a pod at the Timeout of its template, as Argo does: its pods carry
	// activeDeadlineSeconds. Then the engine fails only what is pending for as long, and no attempt of a Retry. Without it
	// the engine fails every leaf at its Timeout, each attempt of a Retry for itself, and asks the host to end its pod.
	TimeoutsByHost bool
}

// TTL says how long a completed workflow is kept, from its end. A nil duration says nothing (Argo: ttlStrategy).
type TTL struct {
	Completion *time.Duration // however it ended, unless one of the others says it (secondsAfterCompletion)
	Success    *time.Duration // if it is Succeeded (secondsAfterSuccess)
	Failure    *time.Duration // if it is Failed or in Error (secondsAfterFailure)
}

// After returns how long a workflow that ended in phase is kept; false if for ever. The more specific field wins.
func (t TTL) After(phase Phase) (time.Duration, bool) {
	specific := t.Failure
	if phase == PhaseSucceeded {
		specific = t.Success
	}
	switch {
	case !phase.Completed():
		return 0, false
	case specific != nil:
		return *specific, true
	case t.Completion != nil:
		return *t.Completion, true
	}
	return 0, false
}

// A Template is one template of a workflow. Kind tells which of the fields count.
type Template struct {
	Name   string // under which tasks and hooks name it; an inline one needs none
	CopyOf string // the name under which a controller knows it, where Name is that of a copy with values filled in; else empty
	Kind   Kind   // Pod, DAG, Steps, Suspend, HTTP or Plugin; a container, script, resource or data template is a Pod

	Containers []ContainerSpec // Pod: the containers of a ContainerSet; empty for any other pod
	Daemon     bool            // Pod: fulfilled as soon as it is ready, ended with its boundary

	// MainContainer is the container of a Pod without Containers that does the node's work: its exit code is the node's, and
	// what is beside it is a sidecar. Empty stands for "main", or for the only container of a pod.
	MainContainer string

	Tasks      []Task   // DAG
	Targets    []string // DAG: the tasks that must end; empty for all that nothing depends on
	NoFailFast bool     // DAG: failFast: false

	Steps [][]Task // Steps: groups in order, their members in parallel

	Suspend time.Duration // Suspend: resumes by itself after this time; 0 waits for the host, AtOnce for nothing

	Retry          *retry.Strategy // when a node of it that failed is tried again; nil for never (Argo: retryStrategy)
	Locks          []Lock          // held by each of its nodes until that is fulfilled; attempts run under those of their Retry
	Parallelism    int             // DAG, Steps: most active members; 0 for no limit
	FailFast       bool            // DAG, Steps: start no further member once one failed (Argo: template.failFast)
	Timeout        time.Duration   // how long a leaf may take from when it was created; 0 for no limit. See Spec.TimeoutsByHost
	PendingTimeout time.Duration   // how long it may be pending, but no attempt of a Retry; 0 for no limit
	Memoize        string          // the cache key; empty for none. The host looks it up.
	Err            string          // why no node of this template can run; it ends in Error with this message
	Unresolved     []Unresolved    // fields whose values only the host knows: it is asked before a node starts
}

// IsDaemon reports whether the pods that are made from the template are daemons. Of other templates Daemon means nothing, as in Argo.
func (t *Template) IsDaemon() bool { return t.Daemon && t.Kind == KindPod }

// An Unresolved is a field of a template with variables in it that only the host knows. The template says what it counts as.
type Unresolved struct {
	Field string // its path
	Text  string // what stands there
}

// RecordedName is the name under which a controller knows the template: empty for an inline one without a name.
func (t *Template) RecordedName() string {
	if t.CopyOf != "" {
		return t.CopyOf
	}
	return t.Name
}

// A ContainerSpec is one container of a ContainerSet.
type ContainerSpec struct {
	Name         string   // also the last part of its node's name
	Dependencies []string // containers of the same set that end first
}

// A Task is a task of a DAG or a step of a StepGroup.
type Task struct {
	Name         string     // under which others depend on it, and the last part of its node's name
	Template     string     // by name
	Inline       *Template  // in place of Template
	Dependencies []string   // DAG only: comes after these, each Succeeded, Skipped or Daemoned
	Depends      string     // DAG only: in place of Dependencies
	When         string     // a condition in Argo's when dialect; empty is true
	Loop         *Loop      // fans out over items; nil for a plain task
	ContinueOn   ContinueOn // the bad ends that do not fail what it is inside of
	Hooks        []Hook     // lifecycle hooks, the exit hook among them
}

// ContinueOn says which bad ends of a task its DAG or StepGroup goes on after.
type ContinueOn struct {
	Failed bool // after one that is Failed
	Error  bool // after one that is in Error
}

// Covers reports whether a task that ended in phase is to be treated as if it had not failed (Argo: ContinuesOn).
func (c ContinueOn) Covers(phase Phase) bool {
	return phase == PhaseFailed && c.Failed || phase == PhaseError && c.Error
}

// A Loop is withItems, withParam or withSequence. While Unresolved is set only the host knows the items.
type Loop struct {
	Items      []Item // in the order of their numbers; none while Unresolved is set, or for a loop over nothing
	Unresolved string // the expression that the host must resolve, empty once Items are known
}

// OwnTemplates reports whether the items of the task's loop run templates of their own: that of the task runs nowhere.
func (t *Task) OwnTemplates() bool {
	return t.Loop != nil && len(t.Loop.Items) > 0 && t.Loop.Items[0].Template != ""
}

// An Item is one element of a Loop.
type Item struct {
	Text   string            // as it stands in the node's name and for {{item}}
	Fields map[string]string // for {{item.key}}

	// Template is the name of the template that the item runs in place of its task's; empty for that one.
	Template string
}

// A Hook runs a template when its expression first holds; the hook named exit when its owner has ended.
type Hook struct {
	Name       string // "exit", or any other name
	Template   string // the template it runs, by name
	Expression string // empty only for exit: always
}

// ExitHook is the name of the hook that runs when its owner has ended (Argo: ExitLifecycleEvent).
const ExitHook = "exit"

// A Lock is a mutex or a semaphore.
type Lock struct {
	Key   string // "namespace/Mutex/name" or "namespace/ConfigMap/name/key"
	Limit int    // how many may hold it; 0 when only the host knows. A mutex has 1.
}

// EachLock calls do for every lock that the workflow and its templates name, those that are written inside tasks as well. A host
// fills in the limits of semaphores before it makes a graph.
func (s *Spec) EachLock(do func(*Lock)) {
	seen := make(map[*Template]bool, len(s.Templates))
	var all func(t *Template)
	all = func(t *Template) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		for k := range t.Locks {
			do(&t.Locks[k])
		}
		for k := range t.Tasks {
			all(t.Tasks[k].Inline)
		}
		for _, group := range t.Steps {
			for k := range group {
				all(group[k].Inline)
			}
		}
	}
	for k := range s.Locks {
		do(&s.Locks[k])
	}
	for _, t := range s.Templates {
		all(t)
	}
}

// IsMain reports whether container is one of those a user gave: one of a ContainerSet, or MainContainer in any other pod,
// "main" if that is empty.
func (t *Template) IsMain(container string) bool {
	if len(t.Containers) == 0 {
		return container == cmp.Or(t.MainContainer, "main")
	}
	for i := range t.Containers {
		if t.Containers[i].Name == container {
			return true
		}
	}
	return false
}

// ExitHook returns the exit hook of the task, nil if it has none.
func (t *Task) ExitHook() *Hook {
	for i := range t.Hooks {
		if t.Hooks[i].Name == ExitHook {
			return &t.Hooks[i]
		}
	}
	return nil
}
