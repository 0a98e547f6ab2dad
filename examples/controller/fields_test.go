package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// A field that is not carried out is named, wherever it stands, and all of them are.
func TestFieldsThatAreRefused(t *testing.T) {
	for field, spec := range map[string]string{
		"spec.podGC":                                       `{podGC: {strategy: OnPodCompletion}}`,
		"spec.ttlStrategy":                                 `{ttlStrategy: {secondsAfterCompletion: 1}}`,
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
	} {
		data, err := yaml.YAMLToJSON([]byte("spec: " + spec))
		require.NoError(t, err)
		_, err = readFields(data)
		require.EqualError(t, err, "this example does not carry out "+field)
	}
}

// everything is a workflow with each field that is carried out in its pods.
const everything = `
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: "the \"world\""}, {name: num, value: 3}]}
  serviceAccountName: of-all
  automountServiceAccountToken: false
  imagePullSecrets: [{name: registry}]
  securityContext: {runAsUser: 1000}
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: Exists}]}]}}}
  tolerations: [{key: all, operator: Exists}]
  nodeSelector: {disk: ssd}
  schedulerName: mine
  hostNetwork: true
  dnsPolicy: Default
  hostAliases: [{ip: 10.0.0.1, hostnames: [one]}]
  podMetadata: {labels: {team: a, tier: all}, annotations: {note: all}}
  volumes: [{name: work, emptyDir: {}}]
  templates:
    - name: main
      dag:
        tasks:
          - {name: t, template: one, arguments: {parameters: [{name: who, value: "{{workflow.parameters.who}} {{item.k}}"}]}, withItems: [{k: x}]}
    - name: one
      inputs: {parameters: [{name: who}, {name: num, default: "{{workflow.parameters.num}}"}, {name: deadline, value: "100"}]}
      activeDeadlineSeconds: "{{inputs.parameters.deadline}}"
      securityContext: {runAsUser: 2000}
      serviceAccountName: own
      tolerations: [{key: own, operator: Exists}]
      metadata: {labels: {tier: own}}
      initContainers: [{name: first, image: init}]
      sidecars: [{name: beside, image: nginx}]
      volumes: [{name: more, emptyDir: {}}]
      retryStrategy: {limit: 1}
      container:
        image: busybox
        args: ["hello {{inputs.parameters.who}}", "{{inputs.parameters.num}}", "{{workflow.name}}/{{node.name}}"]
        env: [{name: POD, value: "{{pod.name}}"}]
        volumeMounts: [{name: work, mountPath: /work}]
        securityContext: {allowPrivilegeEscalation: false}
`

// Every field that is carried out is in the pod, as the API server has it. A sidecar is one of Kubernetes' own, so that it ends with
// the container of the user.
func TestFieldsThatAreCarriedOut(t *testing.T) {
	c := newCluster(t)
	c.start(1, nil)
	c.submit("all", everything)
	c.await("its pod", func() bool { return len(c.pods("all")) > 0 || c.stored("all", "phase") == "Error" })
	require.NotEmpty(t, c.pods("all"), "%s %v", c.stored("all", "message"), c.nodes("all"))
	pod := &c.pods("all")[0]
	require.Equal(t, "all.t(0:k:x)(0)", pod.Annotations[podstatus.NodeName])
	spec := pod.Spec
	require.Equal(t, "own", spec.ServiceAccountName)
	require.False(t, *spec.AutomountServiceAccountToken)
	require.Equal(t, []corev1.LocalObjectReference{{Name: "registry"}}, spec.ImagePullSecrets)
	require.Equal(t, int64(2000), *spec.SecurityContext.RunAsUser)
	require.Equal(t, "gpu", spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions[0].Key)
	require.Equal(t, "own", spec.Tolerations[0].Key)
	require.Equal(t, map[string]string{"disk": "ssd"}, spec.NodeSelector)
	require.Equal(t, "mine", spec.SchedulerName)
	require.True(t, spec.HostNetwork)
	require.Equal(t, corev1.DNSDefault, spec.DNSPolicy)
	require.Equal(t, "one", spec.HostAliases[0].Hostnames[0])
	require.Equal(t, int64(100), *spec.ActiveDeadlineSeconds)
	require.Len(t, spec.Volumes, 2)
	require.Equal(t, "first", spec.InitContainers[0].Name)
	require.Equal(t, corev1.ContainerRestartPolicyAlways, *spec.InitContainers[1].RestartPolicy)
	main := spec.Containers[0]
	require.Equal(t, []string{`hello the "world" x`, "3", "all/all.t(0:k:x)(0)"}, main.Args)
	require.Equal(t, []corev1.EnvVar{{Name: "POD", Value: pod.Name}}, main.Env)
	require.False(t, *main.SecurityContext.AllowPrivilegeEscalation)
	require.Equal(t, "/work", main.VolumeMounts[0].MountPath)
	require.Equal(t, "a own all", pod.Labels["team"]+" "+pod.Labels["tier"]+" "+pod.Annotations["note"])

	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	c.reportStatus(pod, corev1.PodStatus{
		Phase:                 corev1.PodSucceeded,
		InitContainerStatuses: []corev1.ContainerStatus{{Name: "beside", State: running}},
		ContainerStatuses:     states(pod, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}),
	})
	c.awaitPhase("all", nodegraph.PhaseSucceeded)
}

// Variables have the values of the call: of a step inside a step, of a hook, of an exit handler.
func TestValues(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	c.start(1, nil)
	c.submit("values", `
spec:
  entrypoint: main
  arguments: {parameters: [{name: a, value: 1}]}
  onExit: bye
  templates:
    - name: main
      steps: [[{name: outer, template: outer, arguments: {parameters: [{name: x, value: "{{workflow.parameters.a}}2"}]}}]]
    - name: outer
      inputs: {parameters: [{name: x}]}
      steps:
        - - name: inner
            template: say
            arguments: {parameters: [{name: text, value: "{{inputs.parameters.x}}{{item}}"}]}
            withSequence: {start: "3", end: "4"}
            hooks: {exit: {template: say, arguments: {parameters: [{name: text, value: "hook {{inputs.parameters.x}}"}]}}}
    - {name: say, inputs: {parameters: [{name: text}]}, container: {image: busybox, args: ["{{inputs.parameters.text}}"]}}
    - {name: bye, inputs: {parameters: [{name: a}]}, container: {image: busybox, args: ["bye {{inputs.parameters.a}}"]}}`)
	c.awaitPhase("values", nodegraph.PhaseSucceeded)
	said := map[string]int{}
	for _, pod := range c.pods("values") {
		said[pod.Spec.Containers[0].Args[0]]++
	}
	require.Empty(t, cmp.Diff(map[string]int{"123": 1, "124": 1, "hook 12": 2, "bye 1": 1}, said), "%v", c.nodes("values"))
}

// Text keeps what is no string as it stands.
func TestText(t *testing.T) {
	values := map[string]string{"a": `"quoted"`}
	for value, want := range map[string]string{`"x {{a}}"`: `x "quoted"`, `3`: "3", `[1, 2]`: "[1, 2]", `"{{ a }}"`: `"quoted"`, `"{{b}}"`: "{{b}}"} {
		require.Equal(t, want, text(json.RawMessage(value), values))
	}
}
