package argo

import "time"

// The types of this file are the fields of Argo's Workflow that decide status. A type with JSON names is also written, so that values
// can be filled into what was read of it.

type metadata struct {
	Name         string
	GenerateName string
	Namespace    string
	UID          string
	Created      time.Time
	Version      string
	Labels       map[string]string
	Annotations  map[string]string
}

type spec struct {
	Entrypoint            string
	Templates             []template
	TemplateDefaults      *template
	OnExit                string
	Hooks                 map[string]hook
	Parallelism           *int
	ActiveDeadlineSeconds *int64
	Synchronization       *synchronization
	RetryStrategy         *retryStrategy
	Shutdown              string
	Suspend               *bool
	Priority              int32
	TTLStrategy           *ttlStrategy
	WorkflowTemplateRef   *templateRef
	ServiceAccountName    string
	Arguments             arguments
}

// arguments is what a template is called with, and inputs what it takes.
type arguments struct {
	Parameters []parameter
}

type parameter struct {
	Name    string
	Value   *anyString
	Default *anyString
}

type ttlStrategy struct {
	Completion *int64
	Success    *int64
	Failure    *int64
}

type template struct {
	Name            string           `json:"name"`
	Inputs          rawText          `json:"inputs"` // as arguments, once somebody asks
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
	Outputs         *present         `json:"outputs"`
}

// present notes that a field is there, whatever it holds.
type present struct{}

type memoize struct {
	Key string `json:"key"`
}

type containerSet struct {
	Containers []container `json:"containers"`
}

type container struct {
	Name         string   `json:"name"`
	Dependencies []string `json:"dependencies"`
}

type dag struct {
	Tasks    []task `json:"tasks"`
	Target   string `json:"target"`
	FailFast *bool  `json:"failFast"`
}

type task struct {
	Name         string          `json:"name"`
	Template     string          `json:"template"`
	TemplateRef  *templateRef    `json:"templateRef"`
	Inline       *template       `json:"inline"`
	Dependencies []string        `json:"dependencies"`
	Depends      string          `json:"depends"`
	When         string          `json:"when"`
	WithItems    []rawText       `json:"withItems"`
	WithParam    string          `json:"withParam"`
	WithSequence *sequence       `json:"withSequence"`
	ContinueOn   *continueOn     `json:"continueOn"`
	Hooks        map[string]hook `json:"hooks"`
	OnExit       string          `json:"onExit"`
	Arguments    rawText         `json:"arguments"` // as arguments, once somebody asks
}

type continueOn struct {
	Error  bool `json:"error"`
	Failed bool `json:"failed"`
}

type hook struct {
	Template    string       `json:"template"`
	TemplateRef *templateRef `json:"templateRef"`
	Expression  string       `json:"expression"`

	Arguments rawText `json:"arguments"` // as arguments, once somebody asks
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
	ConfigMapKeyRef *lockKey `json:"configMapKeyRef"`
	Database        *lockKey `json:"database"`
	Namespace       string   `json:"namespace"`
}

// A lockKey names a semaphore in a ConfigMap, or in a database.
type lockKey struct {
	Name string `json:"name,omitempty"`
	Key  string `json:"key"`
}

type mutex struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Database  bool   `json:"database"`
}

// intOrString keeps a scalar as text.
type intOrString string

// anyString keeps any value as text, as Argo does with parameters.
type anyString string

// rawText keeps any value as it stands.
type rawText string

// MarshalJSON is the value; null for none.
func (t rawText) MarshalJSON() ([]byte, error) { return []byte(orNull(string(t))), nil }
