package argo

import (
	"encoding/json"
	"time"
)

// The types of this file are the fields of Argo's Workflow that decide status, under Argo's JSON names.

type object struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Spec       spec              `json:"spec"`
	Status     status            `json:"status"`
	Items      []json.RawMessage `json:"items"`
}

type metadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	UID       string `json:"uid"`
}

type spec struct {
	Entrypoint            string             `json:"entrypoint"`
	Templates             []template         `json:"templates"`
	TemplateDefaults      *template          `json:"templateDefaults"`
	OnExit                string             `json:"onExit"`
	Hooks                 map[string]hook    `json:"hooks"`
	Parallelism           *int               `json:"parallelism"`
	ActiveDeadlineSeconds *int64             `json:"activeDeadlineSeconds"`
	Synchronization       *synchronization   `json:"synchronization"`
	RetryStrategy         *retryStrategy     `json:"retryStrategy"`
	Shutdown              string             `json:"shutdown"`
	Suspend               *bool              `json:"suspend"`
	TTLStrategy           *ttlStrategy       `json:"ttlStrategy"`
	WorkflowTemplateRef   *workflowReference `json:"workflowTemplateRef"`
}

type workflowReference struct {
	Name string `json:"name"`
}

type ttlStrategy struct {
	Completion *int64 `json:"secondsAfterCompletion"`
	Success    *int64 `json:"secondsAfterSuccess"`
	Failure    *int64 `json:"secondsAfterFailure"`
}

type template struct {
	Name                  string           `json:"name"`
	Container             *present         `json:"container"`
	Script                *present         `json:"script"`
	Resource              *present         `json:"resource"`
	Data                  *present         `json:"data"`
	ContainerSet          *containerSet    `json:"containerSet"`
	DAG                   *dag             `json:"dag"`
	Steps                 []stepGroup      `json:"steps"`
	Suspend               *suspend         `json:"suspend"`
	HTTP                  *present         `json:"http"`
	Plugin                *present         `json:"plugin"`
	Daemon                *bool            `json:"daemon"`
	RetryStrategy         *retryStrategy   `json:"retryStrategy"`
	Synchronization       *synchronization `json:"synchronization"`
	Parallelism           *int             `json:"parallelism"`
	FailFast              *bool            `json:"failFast"`
	Timeout               string           `json:"timeout"`
	PendingTimeout        string           `json:"pendingTimeout"`
	Memoize               *memoize         `json:"memoize"`
	ActiveDeadlineSeconds json.RawMessage  `json:"activeDeadlineSeconds"`
}

// present notes that a field is there, whatever it holds.
type present struct{}

func (*present) UnmarshalJSON([]byte) error { return nil }

type memoize struct {
	Key string `json:"key"`
}

type containerSet struct {
	Containers []struct {
		Name         string   `json:"name"`
		Dependencies []string `json:"dependencies"`
	} `json:"containers"`
}

type dag struct {
	Tasks    []task `json:"tasks"`
	Target   string `json:"target"`
	FailFast *bool  `json:"failFast"`
}

type task struct {
	Name         string            `json:"name"`
	Template     string            `json:"template"`
	TemplateRef  *templateRef      `json:"templateRef"`
	Inline       *template         `json:"inline"`
	Dependencies []string          `json:"dependencies"`
	Depends      string            `json:"depends"`
	When         string            `json:"when"`
	WithItems    []json.RawMessage `json:"withItems"`
	WithParam    string            `json:"withParam"`
	WithSequence *sequence         `json:"withSequence"`
	ContinueOn   *continueOn       `json:"continueOn"`
	Hooks        map[string]hook   `json:"hooks"`
	OnExit       string            `json:"onExit"`
}

type templateRef struct {
	Name         string `json:"name"`
	Template     string `json:"template"`
	ClusterScope bool   `json:"clusterScope"`
}

type continueOn struct {
	Error  bool `json:"error"`
	Failed bool `json:"failed"`
}

type hook struct {
	Template    string       `json:"template"`
	TemplateRef *templateRef `json:"templateRef"`
	Expression  string       `json:"expression"`
}

type sequence struct {
	Count  *intOrString `json:"count"`
	Start  *intOrString `json:"start"`
	End    *intOrString `json:"end"`
	Format string       `json:"format"`
}

type suspend struct {
	Duration string `json:"duration"`
}

type retryStrategy struct {
	Limit       *intOrString `json:"limit"`
	RetryPolicy string       `json:"retryPolicy"`
	Backoff     *backoff     `json:"backoff"`
	Expression  string       `json:"expression"`
}

type backoff struct {
	Duration    string       `json:"duration"`
	Factor      *intOrString `json:"factor"`
	MaxDuration string       `json:"maxDuration"`
	Cap         string       `json:"cap"`
}

type synchronization struct {
	Semaphore  *semaphore  `json:"semaphore"`
	Semaphores []semaphore `json:"semaphores"`
	Mutex      *mutex      `json:"mutex"`
	Mutexes    []mutex     `json:"mutexes"`
}

type semaphore struct {
	ConfigMapKeyRef *struct {
		Name string `json:"name"`
		Key  string `json:"key"`
	} `json:"configMapKeyRef"`
	Database *struct {
		Key string `json:"key"`
	} `json:"database"`
	Namespace string `json:"namespace"`
}

type mutex struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Database  bool   `json:"database"`
}

type status struct {
	Phase            string                     `json:"phase"`
	Message          string                     `json:"message"`
	StartedAt        *time.Time                 `json:"startedAt"`
	FinishedAt       *time.Time                 `json:"finishedAt"`
	Nodes            map[string]json.RawMessage `json:"nodes"`
	CompressedNodes  string                     `json:"compressedNodes"`
	OffloadVersion   string                     `json:"offloadNodeStatusVersion"`
	StoredTemplates  map[string]template        `json:"storedTemplates"`
	StoredSpec       *spec                      `json:"storedWorkflowTemplateSpec"`
	Synchronization  json.RawMessage            `json:"synchronization"`
	TaskResultsState map[string]bool            `json:"taskResultsCompletionStatus"`
}

type node struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	DisplayName  string     `json:"displayName"`
	Type         string     `json:"type"`
	TemplateName string     `json:"templateName"`
	Phase        string     `json:"phase"`
	Message      string     `json:"message"`
	BoundaryID   string     `json:"boundaryID"`
	StartedAt    *time.Time `json:"startedAt"`
	FinishedAt   *time.Time `json:"finishedAt"`
	Daemoned     *bool      `json:"daemoned"`
	NodeFlag     *struct {
		Hooked  bool `json:"hooked"`
		Retried bool `json:"retried"`
	} `json:"nodeFlag"`
	Memoization *struct {
		Hit bool `json:"hit"`
	} `json:"memoizationStatus"`
	Outputs *struct {
		ExitCode *string `json:"exitCode"`
	} `json:"outputs"`
	Synchronization *struct {
		Waiting string `json:"waiting"`
	} `json:"synchronizationStatus"`
	TaskResultSynced  *bool    `json:"taskResultSynced"`
	FailedPodRestarts int      `json:"failedPodRestarts"`
	Children          []string `json:"children"`
}

// stepGroup is one group of steps: a list, or an object with a list in older API versions.
type stepGroup []task

func (g *stepGroup) UnmarshalJSON(b []byte) error {
	var list []task
	if err := json.Unmarshal(b, &list); err == nil {
		*g = list
		return nil
	}
	var o struct {
		Steps []task `json:"steps"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*g = o.Steps
	return nil
}

// intOrString keeps a number or a string as text.
type intOrString string

func (v *intOrString) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*v = intOrString(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*v = intOrString(n.String())
	return nil
}
