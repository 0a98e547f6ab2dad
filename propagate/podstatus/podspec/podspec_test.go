package podspec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

// A field that is not carried out is named, wherever it stands, and all of them are.
func TestFieldsThatAreRefused(t *testing.T) {
	for field, spec := range map[string]string{
		"spec.podGC.x":                                     `{podGC: {x: 1}}`,
		"spec.volumeClaimTemplates":                        `{volumeClaimTemplates: []}`,
		"spec.workflowTemplateRef":                         `{workflowTemplateRef: {name: a}}`,
		"spec.templateDefaults":                            `{templateDefaults: {}}`,
		"spec.arguments.artifacts":                         `{arguments: {artifacts: []}}`,
		"spec.arguments.parameters[0].valueFrom":           `{arguments: {parameters: [{name: a, valueFrom: {configMapKeyRef: {name: a, key: b}}}]}}`,
		"spec.templates[0].podSpecPatch":                   `{templates: [{name: a, podSpecPatch: x}]}`,
		"spec.templates[0].outputs.parameters":             `{templates: [{name: a, outputs: {parameters: []}}]}`,
		"spec.templates[0].inputs.artifacts":               `{templates: [{name: a, inputs: {artifacts: []}}]}`,
		"spec.templates[0].memoize":                        `{templates: [{name: a, memoize: {key: x}}]}`,
		"spec.templates[0].retryStrategy.affinity":         `{templates: [{name: a, retryStrategy: {affinity: {}}}]}`,
		"spec.templates[0].containerSet.retryStrategy":     `{templates: [{name: a, containerSet: {retryStrategy: {}}}]}`,
		"spec.templates[0].sidecars[0].mirrorVolumeMounts": `{templates: [{name: a, sidecars: [{name: b, mirrorVolumeMounts: true}]}]}`,
		"spec.templates[0].container.imag":                 `{templates: [{name: a, container: {imag: x}}]}`,
		"spec.templates[0].steps[0][0].templateRef":        `{templates: [{name: a, steps: [[{name: b, templateRef: {name: c}}]]}]}`,
		"spec.templates[0].dag.tasks[0].inline":            `{templates: [{name: a, dag: {tasks: [{name: b, inline: {}}]}}]}`,
		"spec.hooks.exit.templateRef, spec.podSpecPatch":   `{hooks: {exit: {templateRef: {}}}, podSpecPatch: x}`,
		"spec.templates[0].containerSet.containers: an order in which some wait and others run": `{templates: [{name: a, containerSet: {containers: [
			{name: a}, {name: b}, {name: c, dependencies: [a, b]}]}}]}`,
	} {
		data, err := yaml.YAMLToJSON([]byte("spec: " + spec))
		require.NoError(t, err)
		_, err = podspec.Read(data)
		require.EqualError(t, err, "not carried out: "+field)
	}
}

// podOf makes the pod of a node of a workflow that was begun.
func podOf(t *testing.T, manifest, node string, events ...propagate.Event) (*corev1.Pod, error) {
	t.Helper()
	pods, e := begun(t, "metadata: {name: wf, namespace: here, labels: {team: a}}\n"+strings.TrimSpace(manifest))
	for _, ev := range events {
		_, err := e.Apply(time.Unix(1, 0), ev)
		require.NoError(t, err)
	}
	return pods.Pod(e, e.Graph().Find(node))
}

// begun begins a workflow.
func begun(t *testing.T, manifest string) (*podspec.Workflow, *propagate.Engine) {
	t.Helper()
	object, err := yaml.YAMLToJSON([]byte(manifest))
	require.NoError(t, err)
	read, err := argo.Read(object)
	require.NoError(t, err)
	pods, err := podspec.Read(object)
	require.NoError(t, err)
	e, err := propagate.New(read.Spec)
	require.NoError(t, err)
	_, err = e.Apply(time.Unix(0, 0))
	require.NoError(t, err)
	return pods, e
}

// Containers of a set that wait for one another run one after the other; those that nobody waits for run at once after them.
func TestOrderOfASet(t *testing.T) {
	for _, test := range []struct{ name, containers, init, main, ordered string }{
		{"none waits", `[{name: a}, {name: main}]`, "", "a main", ""},
		{"a chain", `[{name: main, dependencies: [b]}, {name: b, dependencies: [a]}, {name: a}]`, "a b", "main", "a,b"},
		{"two at the end", `[{name: a}, {name: b, dependencies: [a]}, {name: main, dependencies: [a]}]`, "a", "b main", "a"},
		{"one waits for the same twice", `[{name: a}, {name: b, dependencies: [a]}, {name: main, dependencies: [a, b]}]`, "a b", "main", "a,b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod, err := podOf(t, "spec: {entrypoint: set, templates: [{name: set, sidecars: [{name: beside}], initContainers: [{name: before}], containerSet: {containers: "+test.containers+"}}]}", "wf")
			require.NoError(t, err)
			names := func(list []corev1.Container) (text string) {
				for _, c := range list {
					text += c.Name + " "
				}
				return strings.TrimSpace(text)
			}
			require.Equal(t, strings.TrimSpace("before beside "+test.init), names(pod.Spec.InitContainers))
			require.Equal(t, test.main, names(pod.Spec.Containers))
			require.Equal(t, test.ordered, pod.Annotations[podstatus.Ordered])
		})
	}
}

// Tasks and steps say how others before them have ended, and an exit handler how the workflow has.
func TestStatuses(t *testing.T) {
	const templates = `
    - {name: one, inputs: {parameters: [{name: says, default: nothing}]}, container: {image: i, args: ["{{inputs.parameters.says}}"]}}
    - {name: bye, container: {image: i, args: ["{{workflow.status}}"]}}`
	for _, test := range []struct{ name, manifest, node, want string }{
		{"a task", `
spec:
  entrypoint: main
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one}, {name: b, template: one, depends: a.Failed, arguments: {parameters: [{name: says, value: "{{tasks.a.status}}"}]}}]}`, "wf.b", "Failed"},
		{"a step", `
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: a, template: one, continueOn: {failed: true}}], [{name: b, template: one, arguments: {parameters: [{name: says, value: "{{steps.a.status}}"}]}}]]`, "wf[1].b", "Failed"},
		{"an exit handler", `
spec:
  entrypoint: main
  onExit: bye
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one}]}`, "wf.onExit", "Failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			first := "wf.a"
			if test.name == "a step" {
				first = "wf[0].a"
			}
			pod, err := podOf(t, test.manifest+templates, test.node, propagate.PodFailed(first, ""))
			require.NoError(t, err)
			require.Equal(t, []string{test.want}, pod.Spec.Containers[0].Args)
		})
	}
	_, err := podOf(t, `
spec:
  entrypoint: main
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one, arguments: {parameters: [{name: says, value: "{{tasks.b.status}}"}]}}, {name: b, template: one}]}`+templates, "wf.a")
	require.EqualError(t, err, `template "one": there is no value for {{tasks.b.status}}`)
}

// A condition that reads how a task has ended is evaluated with it.
func TestWhen(t *testing.T) {
	pods, e := begun(t, `
metadata: {name: wf}
spec:
  entrypoint: main
  arguments: {parameters: [{name: p, value: "\"quoted\""}]}
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one}, {name: b, template: one, dependencies: [a], when: "{{tasks.a.status}} == Succeeded"}]}
    - {name: one, container: {image: i}}`)
	r, err := e.Apply(time.Unix(1, 0), propagate.PodSucceeded("wf.a"))
	require.NoError(t, err)
	asked := r.Actions[0]
	require.Equal(t, propagate.ActionResolve, asked.Type)
	for condition, want := range map[string]bool{asked.Message: true, "{{tasks.a.status}} != Succeeded": false, "{{workflow.parameters.p}} == x": false} {
		holds, reads, err := pods.When(e, asked.Node, condition)
		require.NoError(t, err, condition)
		require.Equal(t, want, holds, reads)
	}
	_, _, err = pods.When(e, asked.Node, "{{tasks.a.outputs.result}} == 1")
	require.EqualError(t, err, "there is no value for {{tasks.a.outputs.result}}: outputs are not kept")
}

// What is wrong with podGC is said by the nodes that have pods.
func TestPodGCThatIsWrong(t *testing.T) {
	for gc, want := range map[string]string{
		`{strategy: Sometimes}`:                               `podGC: there is no strategy "Sometimes"`,
		`{strategy: OnPodSuccess, deleteDelayDuration: soon}`: `podGC: time: invalid duration "soon"`,
		`{strategy: OnPodSuccess, labelSelector: {matchExpressions: [{key: a, operator: Near}]}}`: `podGC: "Near" is not a valid label selector operator`,
	} {
		_, err := podOf(t, "spec: {entrypoint: one, podGC: "+gc+", templates: [{name: one, container: {image: i}}]}", "wf")
		require.EqualError(t, err, want)
	}
}

// Each strategy has its fate for a pod, while the workflow runs and when it has ended.
func TestFates(t *testing.T) {
	end := metav1.NewTime(time.Unix(1000, 0))
	for _, test := range []struct {
		gc                       string
		phase                    corev1.PodPhase
		running, well, otherwise string
	}{
		{`{}`, corev1.PodSucceeded, "stays", "stays", "stays"},
		{`{strategy: OnPodCompletion}`, corev1.PodFailed, "deleted after 5s", "deleted after 5s", "deleted after 5s"},
		{`{strategy: OnPodSuccess, deleteDelayDuration: "7"}`, corev1.PodSucceeded, "deleted after 7s", "deleted after 7s", "deleted after 7s"},
		{`{strategy: OnPodSuccess}`, corev1.PodFailed, "stays", "stays", "stays"},
		{`{strategy: OnWorkflowCompletion, deleteDelayDuration: 1m}`, corev1.PodFailed, "held", "deleted after 1m0s", "deleted after 1m0s"},
		{`{strategy: OnWorkflowSuccess}`, corev1.PodFailed, "held", "deleted after 5s", "stays"},
		{`{strategy: OnPodCompletion, labelSelector: {matchLabels: {a: b}}}`, corev1.PodFailed, "stays", "stays", "stays"},
	} {
		pod, err := podOf(t, "spec: {entrypoint: one, podGC: "+test.gc+", templates: [{name: one, container: {image: i}}]}", "wf")
		require.NoError(t, err)
		pod.Status.Phase = test.phase
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: end}}}}
		looks := func(complete, succeeded bool) string {
			switch f := podspec.FateOf(pod, complete, succeeded); {
			case f.Held:
				return "held"
			case f.Deleted:
				return "deleted after " + f.At.Sub(end.Time).String()
			}
			return "stays"
		}
		require.Equal(t, []string{test.running, test.well, test.otherwise}, []string{looks(false, false), looks(true, true), looks(true, false)}, test.gc)
	}
}

// What is said of the way in which a workflow ended counts before what is said of every end.
func TestExpires(t *testing.T) {
	for ttl, want := range map[string][]int{ // seconds after success and failure, -1 for never
		`{}`: {-1, -1}, `{secondsAfterCompletion: 5}`: {5, 5}, `{secondsAfterSuccess: 3}`: {3, -1},
		`{secondsAfterFailure: 0, secondsAfterCompletion: 9}`: {9, 0},
	} {
		pods, err := podspec.Read([]byte(`{"spec": {"ttlStrategy": ` + string(json(t, ttl)) + `}}`))
		require.NoError(t, err)
		for k, phase := range []nodegraph.Phase{nodegraph.PhaseSucceeded, nodegraph.PhaseError} {
			at, ok := pods.Expires(phase, time.Unix(100, 0))
			require.Equal(t, want[k] >= 0, ok, "%s %s", ttl, phase)
			require.True(t, !ok || at.Equal(time.Unix(100+int64(want[k]), 0)), "%s %s: %s", ttl, phase, at)
		}
		_, ok := pods.Expires(nodegraph.PhaseRunning, time.Time{})
		require.False(t, ok)
	}
}

func json(t *testing.T, text string) []byte {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	return data
}
