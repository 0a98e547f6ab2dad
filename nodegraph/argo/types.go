package argo

import (
	"encoding/json"
	"time"
)

// The types of this file are the fields of Argo's Workflow that decide status, under Argo's JSON names.

type metadata struct {
	Name         string            `json:"name"`
	GenerateName string            `json:"generateName"`
	Namespace    string            `json:"namespace"`
	UID          string            `json:"uid"`
	Created      time.Time         `json:"creationTimestamp"`
	Version      string            `json:"resourceVersion"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
}

type spec struct {
	Entrypoint            string           `json:"entrypoint"`
	Templates             []template       `json:"templates"`
	TemplateDefaults      *template        `json:"templateDefaults"`
	OnExit                string           `json:"onExit"`
	Hooks                 map[string]hook  `json:"hooks"`
	Parallelism           *int             `json:"parallelism"`
	ActiveDeadlineSeconds *int64           `json:"activeDeadlineSeconds"`
	Synchronization       *synchronization `json:"synchronization"`
	RetryStrategy         *retryStrategy   `json:"retryStrategy"`
	Shutdown              string           `json:"shutdown"`
	Suspend               *bool            `json:"suspend"`
	Priority              int32            `json:"priority"`
	TTLStrategy           *ttlStrategy     `json:"ttlStrategy"`
	WorkflowTemplateRef   *templateRef     `json:"workflowTemplateRef"`
	ServiceAccountName    string           `json:"serviceAccountName"`
	Arguments             arguments        `json:"arguments"`
}

// arguments is what a template is called with, and inputs what it takes.
type arguments struct {
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Name    string     `json:"name"`
	Value   *anyString `json:"value"`
	Default *anyString `json:"default"`
}

type ttlStrategy struct {
	Completion *int64 `json:"secondsAfterCompletion"`
	Success    *int64 `json:"secondsAfterSuccess"`
	Failure    *int64 `json:"secondsAfterFailure"`
}

type template struct {
	Name            string           `json:"name"`
	Inputs          json.RawMessage  `json:"inputs"` // as arguments, once somebody asks
	Container       *present         `json:"container"`
	Script          *present         `json:"script"`
	Resource        *present         `json:"resource"`
	Data            *present         `json:"data"`
	ContainerSet    *containerSet    `json:"containerSet"`
	DAG             *dag             `json:"dag"`
	Steps           [][]task         `json:"steps"`
	Suspend         *suspend         `json:"suspend"`
	HTTP            *present         `json:"http"`
	Plugin          *present         `json:"plugin"`
	Daemon          *bool            `json:"daemon"`
	RetryStrategy   *retryStrategy   `json:"retryStrategy"`
	Synchronization *synchronization `json:"synchronization"`
	Parallelism     *int             `json:"parallelism"`
	FailFast        *bool            `json:"failFast"`
	Timeout         string           `json:"timeout"`
	PendingTimeout  string           `json:"pendingTimeout"`
	Memoize         *memoize         `json:"memoize"`
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
	Arguments    json.RawMessage   `json:"arguments"` // as arguments, once somebody asks
}

type continueOn struct {
	Error  bool `json:"error"`
	Failed bool `json:"failed"`
}

type hook struct {
	Template    string       `json:"template"`
	TemplateRef *templateRef `json:"templateRef"`
	Expression  string       `json:"expression"`

	Arguments json.RawMessage `json:"arguments"` // as arguments, once somebody asks
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

// A templateRef names a template of a WorkflowTemplate or ClusterWorkflowTemplate.
type templateRef struct {
	Name         string `json:"name"`
	Template     string `json:"template"`
	ClusterScope bool   `json:"clusterScope"`
}

// scope is the templateScope of what is inside the template.
func (r *templateRef) scope() string {
	if r.ClusterScope {
		return "cluster/" + r.Name
	}
	return "namespaced/" + r.Name
}

// key is the name of the template among the stored ones.
func (r *templateRef) key() string { return r.scope() + "/" + r.Template }

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

// intOrString keeps a scalar as text.
type intOrString string

func (v *intOrString) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		*v = intOrString(unquote(b))
	case '{', '[':
		return &typeError{want: "a number or a string", found: describeValue(b[0])}
	default:
		*v = intOrString(b)
	}
	return nil
}

// anyString keeps any value as text, as Argo does with parameters.
type anyString string

func (v *anyString) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		*v = anyString(unquote(b))
		return nil
	}
	*v = anyString(b)
	return nil
}
