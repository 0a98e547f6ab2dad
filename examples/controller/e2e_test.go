package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
)

// The tests of this file, and of those that use its cluster, run against a real API server. envRequired makes its
// absence a failure; without it they are skipped.
const envRequired = "NODESTATUS_E2E"

// envCRD names a file with the definition of Workflow, such as Argo's full one, which has a schema for every field. All tests run with it.
const envCRD = "NODESTATUS_CRD"

// patience is how long anything may take that a test waits for.
const patience = 2 * time.Minute

// control is the control plane of this run of the tests, absent if why says why.
var control struct {
	env        *envtest.Environment
	config     *rest.Config
	kubeconfig []byte
	scripts    string // the directory from which its parts were started
	why        string
}

func TestMain(m *testing.M) {
	if path := os.Getenv(envReplica); path != "" {
		os.Exit(replica(path))
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})))
	stop, err := startControlPlane()
	if err != nil {
		control.why = err.Error()
	}
	code := m.Run()
	if stop != nil {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	}
	os.Exit(code)
}

// startControlPlane starts etcd and kube-apiserver as kube/build has built them, or from KUBEBUILDER_ASSETS.
func startControlPlane() (stop func() error, err error) {
	dir := os.Getenv("KUBEBUILDER_ASSETS")
	if dir == "" {
		out, err := exec.Command("bash", "kube/build", "-n").Output()
		if err != nil {
			return nil, fmt.Errorf("kube/build -n: %w", err)
		}
		dir = strings.TrimSpace(string(out))
	}
	if _, err := os.Stat(filepath.Join(dir, "kube-apiserver")); err != nil {
		return nil, errors.New("no kube-apiserver: run kube/build first (minutes, once)")
	}
	scripts, err := os.MkdirTemp("", "nodestatus-e2e-")
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{CRDDirectoryPaths: []string{cmp.Or(os.Getenv(envCRD), "deploy/workflow.yaml")}, ErrorIfCRDPathMissing: true}
	env.CRDInstallOptions.MaxTime = 2 * time.Minute // Argo's full definition takes its time
	env.ControlPlane.Etcd = &envtest.Etcd{}
	env.ControlPlane.APIServer = &envtest.APIServer{}
	control.scripts = scripts
	if env.ControlPlane.Etcd.Path, err = mortal(scripts, "etcd", filepath.Join(dir, "etcd")); err != nil {
		return nil, err
	}
	if env.ControlPlane.APIServer.Path, err = lasting(scripts, "kube-apiserver", filepath.Join(dir, "kube-apiserver")); err != nil {
		return nil, err
	}
	// Without a default route the API server finds no address to advertise.
	env.ControlPlane.APIServer.Configure().Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none").
		Append("enable-admission-plugins", "OwnerReferencesPermissionEnforcement") // as OpenShift does
	config, err := env.Start()
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	config.QPS = -1
	control.env, control.config, control.kubeconfig = env, config, env.KubeConfig
	return func() error { return errors.Join(env.Stop(), os.RemoveAll(scripts)) }, nil
}

// mortal is a program that dies with this one, however this one dies.
func mortal(dir, name, program string) (string, error) {
	if _, err := exec.LookPath("setpriv"); err != nil {
		return program, nil
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte("#!/bin/sh\nexec setpriv --pdeathsig KILL '"+program+"' \"$@\"\n"), 0o755)
}

// lasting is a mortal program that is started again whenever it has ended, unless it is asked for help. Its process id is in the file that pidFile names.
func lasting(dir, name, program string) (string, error) {
	once, err := mortal(dir, name+"-once", program)
	if err != nil {
		return "", err
	}
	loop := filepath.Join(dir, name+"-loop")
	text := fmt.Sprintf("#!/bin/sh\n[ \"$1\" != --help ] || exec '%[1]s' --help\nwhile :; do '%[1]s' \"$@\" & echo $! >'%[2]s'; wait; done\n", once, pidFile(dir, name))
	if err := os.WriteFile(loop, []byte(text), 0o755); err != nil {
		return "", err
	}
	return mortal(dir, name, loop)
}

func pidFile(dir, name string) string { return filepath.Join(dir, name+".pid") }

// signalAPIServer sends a signal to the API server.
func (c *cluster) signalAPIServer(signal syscall.Signal) {
	c.Helper()
	text, err := os.ReadFile(pidFile(control.scripts, "kube-apiserver"))
	require.NoError(c, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(c, err)
	require.NoError(c, syscall.Kill(pid, signal))
}

// A cluster is a namespace of the real API server, and what a test does there.
type cluster struct {
	testing.TB
	client    client.Client
	namespace string
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	if control.config == nil {
		if os.Getenv(envRequired) != "" {
			t.Fatal(control.why)
		}
		t.Skip(control.why)
	}
	scheme := runtime.NewScheme()
	require.NoError(t, corev1.AddToScheme(scheme))
	require.NoError(t, coordination.AddToScheme(scheme))
	c, err := client.New(control.config, client.Options{Scheme: scheme})
	require.NoError(t, err)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}
	require.NoError(t, c.Create(t.Context(), namespace))
	return &cluster{TB: t, client: c, namespace: namespace.Name}
}

// A running controller is one replica that runs in this process.
type running struct {
	stop    func() // as if it was killed, but for its lease, which it gives back
	writes  *writes
	metrics *prometheus.Registry
}

// start runs a replica. Before, if set, sees its writes before they are sent and may hold them up.
func (c *cluster) start(count int, before func(*http.Request) error) *running {
	c.Helper()
	return c.startAs(control.config, count, before)
}

// startAs runs a replica with the rights of a user, and other options.
func (c *cluster) startAs(user *rest.Config, count int, before func(*http.Request) error, set ...func(*options)) *running {
	c.Helper()
	w := &writes{before: before, count: make(map[string]int)}
	config := rest.CopyConfig(user)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &counted{w, next} })
	ctx, cancel := context.WithCancel(context.Background())
	registry, done := prometheus.NewRegistry(), make(chan error, 1)
	o := options{Division: shards.Division{Count: count, Namespace: c.namespace, LeaseNamespace: c.namespace}, metricsAddress: "0", workers: 8, lull: 100 * time.Millisecond}
	// A machine that has more to do than this test is no reason to lose a lease.
	o.manager.LeaseDuration, o.manager.RenewDeadline, o.manager.RetryPeriod = new(time.Minute), new(50*time.Second), new(time.Second)
	o.manager.HealthProbeBindAddress = "0"
	for _, set := range set {
		set(&o)
	}
	go func() { done <- serve(ctx, config, o, newMetrics(registry)) }()
	once := sync.OnceFunc(func() {
		cancel()
		require.NoError(c, <-done)
	})
	c.Cleanup(once)
	return &running{stop: once, writes: w, metrics: registry}
}

// await waits until cond holds.
func (c *cluster) await(what string, cond func() bool) {
	c.Helper()
	for began := time.Now(); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			c.unfinished()
			require.Fail(c, "waited too long", "%s", what)
		}
	}
}

// submit creates a workflow.
func (c *cluster) submit(name, spec string) {
	c.Helper()
	object := newWorkflow()
	require.NoError(c, yaml.Unmarshal([]byte(spec), &object.Object))
	object.SetGroupVersionKind(workflowKind)
	object.SetNamespace(c.namespace)
	object.SetName(name)
	require.NoError(c, c.client.Create(c.Context(), object))
}

func newWorkflowList() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(workflowKind.GroupVersion().WithKind(workflowKind.Kind + "List"))
	return list
}

// workflow reads a workflow as it is now.
func (c *cluster) workflow(name string) (*unstructured.Unstructured, *argo.Workflow) {
	c.Helper()
	object := newWorkflow()
	require.NoError(c, c.client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: name}, object))
	data, err := asWorkflow(object)
	require.NoError(c, err)
	w, err := argo.Read(data)
	require.NoError(c, err)
	return object, w
}

// stored is what the status of a workflow says under a key.
func (c *cluster) stored(name, key string) string {
	c.Helper()
	object := newWorkflow()
	require.NoError(c, c.client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: name}, object))
	text, _, err := unstructured.NestedString(object.Object, "status", key)
	require.NoError(c, err)
	return text
}

// awaitPhase waits until a workflow has a phase.
func (c *cluster) awaitPhase(name string, phase nodegraph.Phase) {
	c.Helper()
	c.await(fmt.Sprintf("workflow %s is to be %s", name, phase), func() bool {
		return c.stored(name, "phase") == phase.String()
	})
}

// nodes returns how the nodes of a workflow are recorded, by name.
func (c *cluster) nodes(name string) map[string]string {
	c.Helper()
	_, w := c.workflow(name)
	nodes := make(map[string]string)
	for _, n := range w.Snapshot.Nodes {
		nodes[n.Name] = strings.TrimSuffix(n.Phase.String()+": "+n.Message, ": ")
	}
	return nodes
}

// awaitNode waits until a node is recorded so.
func (c *cluster) awaitNode(workflow, node, looks string) {
	c.Helper()
	c.await(fmt.Sprintf("node %s is to be %q", node, looks), func() bool { return c.nodes(workflow)[node] == looks })
}

// pods lists the pods of a workflow, or all.
func (c *cluster) pods(workflow string) []corev1.Pod {
	c.Helper()
	var list corev1.PodList
	in := []client.ListOption{client.InNamespace(c.namespace)}
	if workflow != "" {
		in = append(in, client.MatchingLabels{labelWorkflow: workflow})
	}
	require.NoError(c, c.client.List(c.Context(), &list, in...))
	return list.Items
}

// awaitPod waits for the pod of a node, other than the one it had before.
func (c *cluster) awaitPod(workflow, node string, before *corev1.Pod) *corev1.Pod {
	c.Helper()
	var found *corev1.Pod
	c.await("pod of "+node, func() bool {
		for _, pod := range c.pods(workflow) {
			if pod.Annotations[podstatus.NodeName] == node && (before == nil || pod.UID != before.UID) {
				found = &pod
				return true
			}
		}
		return false
	})
	return found
}

// report makes the kubelet's report of a pod: all its containers in one state, those that come before the others ended.
func (c *cluster) report(pod *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState) {
	c.Helper()
	c.reportStatus(pod, statusOf(pod, phase, state))
}

func statusOf(pod *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState) corev1.PodStatus {
	done := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	return corev1.PodStatus{
		Phase: phase, InitContainerStatuses: statesOf(pod.Spec.InitContainers, done), ContainerStatuses: statesOf(pod.Spec.Containers, state),
	}
}

func statesOf(containers []corev1.Container, state corev1.ContainerState) []corev1.ContainerStatus {
	var list []corev1.ContainerStatus
	for _, c := range containers {
		list = append(list, corev1.ContainerStatus{Name: c.Name, State: state, Ready: state.Running != nil})
	}
	return list
}

// begins reports that the first container of a pod runs, and the others wait for it: Kubernetes calls the pod Pending.
func (c *cluster) begins(pod *corev1.Pod) {
	c.Helper()
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}
	c.reportStatus(pod, corev1.PodStatus{
		Phase: corev1.PodPending, InitContainerStatuses: statesOf(pod.Spec.InitContainers[:1], running), ContainerStatuses: statesOf(pod.Spec.Containers, waiting),
	})
}

func (c *cluster) reportStatus(pod *corev1.Pod, status corev1.PodStatus) {
	c.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	require.NoError(c, err)
	err = c.client.Status().Patch(c.Context(), pod.DeepCopy(), client.RawPatch("application/merge-patch+json", patch))
	require.NoError(c, err)
}

func (c *cluster) runs(pod *corev1.Pod) {
	c.Helper()
	c.report(pod, corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
}

func (c *cluster) succeeds(pod *corev1.Pod) {
	c.Helper()
	c.report(pod, corev1.PodSucceeded, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}})
}

// lose deletes a pod as the garbage collector does: at once.
func (c *cluster) lose(pod *corev1.Pod) {
	c.Helper()
	require.NoError(c, c.client.Delete(c.Context(), pod.DeepCopy(), client.GracePeriodSeconds(0)))
}

// healthy reads a workflow back and diagnoses it, as `nodestatus diagnose` does.
func (c *cluster) healthy(name string) {
	c.Helper()
	_, w := c.workflow(name)
	pods := []propagate.PodStatus{}
	for _, pod := range c.pods(name) {
		pods = append(pods, podstatus.Of(&pod))
	}
	report, err := diagnose.Diagnose(diagnose.Input{Spec: w.Spec, Snapshot: w.Snapshot, Pods: pods, Now: time.Now()})
	require.NoError(c, err)
	require.Empty(c, report.Findings)
	require.Empty(c, report.Follows)
	require.Empty(c, report.Ignored, "%v", c.nodes(name))
}
