package podspec

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	strict "sigs.k8s.io/json"
)

// The types of this file are the fields of a Workflow that are carried out: those of pods here, some by the library (any), some by
// the host. They are the list of what is allowed: a field that has no place here is refused by its name, so that nothing that a
// user wrote is left out silently.

type workflowFields struct {
	APIVersion any               `json:"apiVersion"`
	Kind       any               `json:"kind"`
	Metadata   metav1.ObjectMeta `json:"metadata"`
	Status     any               `json:"status"`
	Spec       specFields        `json:"spec"`
}

type specFields struct {
	Entrypoint            string                        `json:"entrypoint"`
	Arguments             arguments                     `json:"arguments"`
	Templates             []templateFields              `json:"templates"`
	OnExit                string                        `json:"onExit"`
	Hooks                 map[string]hookFields         `json:"hooks"`
	Parallelism           any                           `json:"parallelism"`
	ActiveDeadlineSeconds any                           `json:"activeDeadlineSeconds"`
	Synchronization       *syncFields                   `json:"synchronization"`
	RetryStrategy         *retryFields                  `json:"retryStrategy"`
	Shutdown              any                           `json:"shutdown"`
	Suspend               any                           `json:"suspend"`
	Priority              any                           `json:"priority"`
	PodPriorityClassName  string                        `json:"podPriorityClassName"`
	PodMetadata           podMetadata                   `json:"podMetadata"`
	ImagePullSecrets      []corev1.LocalObjectReference `json:"imagePullSecrets"`
	HostNetwork           bool                          `json:"hostNetwork"`
	DNSPolicy             corev1.DNSPolicy              `json:"dnsPolicy"`
	DNSConfig             *corev1.PodDNSConfig          `json:"dnsConfig"`
	PodGC                 *podGC                        `json:"podGC"`
	TTLStrategy           *ttlStrategy                  `json:"ttlStrategy"`
	podFields
}

type templateFields struct {
	Name            string        `json:"name"`
	Inputs          arguments     `json:"inputs"`
	Outputs         struct{}      `json:"outputs"`
	DAG             *dagFields    `json:"dag"`
	Steps           [][]callField `json:"steps"`
	Suspend         *suspendField `json:"suspend"`
	Daemon          any           `json:"daemon"`
	RetryStrategy   *retryFields  `json:"retryStrategy"`
	Synchronization *syncFields   `json:"synchronization"`
	Parallelism     any           `json:"parallelism"`
	FailFast        any           `json:"failFast"`
	Timeout         any           `json:"timeout"`
	PendingTimeout  any           `json:"pendingTimeout"`
	Annotations     any           `json:"annotations"` // for displays

	Container             *corev1.Container   `json:"container"`
	Script                *scriptFields       `json:"script"`
	ContainerSet          *setFields          `json:"containerSet"`
	InitContainers        []corev1.Container  `json:"initContainers"`
	Sidecars              []corev1.Container  `json:"sidecars"`
	Metadata              podMetadata         `json:"metadata"`
	ActiveDeadlineSeconds *intstr.IntOrString `json:"activeDeadlineSeconds"`
	PriorityClassName     string              `json:"priorityClassName"`
	podFields
}

// podFields are those that a template has in place of its workflow's.
type podFields struct {
	ServiceAccountName           string                     `json:"serviceAccountName"`
	AutomountServiceAccountToken *bool                      `json:"automountServiceAccountToken"`
	NodeSelector                 map[string]string          `json:"nodeSelector"`
	Affinity                     *corev1.Affinity           `json:"affinity"`
	Tolerations                  []corev1.Toleration        `json:"tolerations"`
	SchedulerName                string                     `json:"schedulerName"`
	SecurityContext              *corev1.PodSecurityContext `json:"securityContext"`
	HostAliases                  []corev1.HostAlias         `json:"hostAliases"`
	Volumes                      []corev1.Volume            `json:"volumes"`
}

type podMetadata struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type scriptFields struct {
	corev1.Container
	Source string `json:"source"`
}

type setFields struct {
	Containers   []setContainer       `json:"containers"`
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts"`
}

type setContainer struct {
	corev1.Container
	Dependencies []string `json:"dependencies"`
}

type arguments struct {
	Parameters []struct {
		Name        string          `json:"name"`
		Value       json.RawMessage `json:"value"`
		Default     json.RawMessage `json:"default"`
		Enum        any             `json:"enum"`        // for those who submit
		Description any             `json:"description"` // likewise
	} `json:"parameters"`
}

type dagFields struct {
	Target   any         `json:"target"`
	FailFast any         `json:"failFast"`
	Tasks    []callField `json:"tasks"`
}

type callField struct {
	Name         string                `json:"name"`
	Template     string                `json:"template"`
	Arguments    arguments             `json:"arguments"`
	Dependencies []string              `json:"dependencies"`
	Depends      string                `json:"depends"`
	When         string                `json:"when"`
	WithItems    []any                 `json:"withItems"`
	WithParam    any                   `json:"withParam"`
	WithSequence *sequenceFields       `json:"withSequence"`
	ContinueOn   *continueFields       `json:"continueOn"`
	Hooks        map[string]hookFields `json:"hooks"`
	OnExit       string                `json:"onExit"`
}

type (
	hookFields struct {
		Template   string    `json:"template"`
		Expression string    `json:"expression"`
		Arguments  arguments `json:"arguments"`
	}
	sequenceFields struct {
		Count  any `json:"count"`
		Start  any `json:"start"`
		End    any `json:"end"`
		Format any `json:"format"`
	}
	continueFields struct {
		Error  any `json:"error"`
		Failed any `json:"failed"`
	}
	suspendField struct {
		Duration any `json:"duration"`
	}
	backoffFields struct {
		Duration    any `json:"duration"`
		Factor      any `json:"factor"`
		MaxDuration any `json:"maxDuration"`
		Cap         any `json:"cap"`
	}
	retryFields struct {
		Limit       any            `json:"limit"`
		RetryPolicy any            `json:"retryPolicy"`
		Expression  any            `json:"expression"`
		Backoff     *backoffFields `json:"backoff"`
	}
	syncFields struct {
		Mutex      *lockFields  `json:"mutex"`
		Mutexes    []lockFields `json:"mutexes"`
		Semaphore  *lockFields  `json:"semaphore"`
		Semaphores []lockFields `json:"semaphores"`
	}
	lockFields struct {
		Name            any                          `json:"name"`
		Namespace       any                          `json:"namespace"`
		Database        any                          `json:"database"` // refused where locks are looked at
		ConfigMapKeyRef *corev1.ConfigMapKeySelector `json:"configMapKeyRef"`
	}
)

// An UnsupportedError names the fields of a Workflow that are not carried out.
type UnsupportedError struct{ Fields []string }

// Error lists the fields.
func (e *UnsupportedError) Error() string { return "not carried out: " + strings.Join(e.Fields, ", ") }

// readFields reads what a Workflow says. The error names every field that is not carried out.
func readFields(object []byte) (*workflowFields, error) {
	var w workflowFields
	unknown, err := strict.UnmarshalStrict(object, &w, strict.DisallowUnknownFields)
	if err != nil {
		return nil, err
	}
	refused := &UnsupportedError{}
	for _, e := range unknown {
		if field, ok := e.(strict.FieldError); ok {
			refused.Fields = append(refused.Fields, field.FieldPath())
		}
	}
	for k := range w.Spec.Templates {
		if set := w.Spec.Templates[k].ContainerSet; set != nil {
			if _, _, ok := set.inOrder(); !ok {
				refused.Fields = append(refused.Fields, fmt.Sprintf("spec.templates[%d].containerSet.containers: an order in which some wait and others run", k))
			}
		}
	}
	if len(refused.Fields) > 0 {
		return nil, refused
	}
	return &w, nil
}
