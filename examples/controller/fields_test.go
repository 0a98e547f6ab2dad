package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// everything is a workflow with each field that is carried out in its pods.
const everything = `
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: "the \"world\""}, {name: num, value: "3"}]}
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
		ContainerStatuses:     statesOf(pod.Spec.Containers, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}),
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
  arguments: {parameters: [{name: a, value: "1"}]}
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
