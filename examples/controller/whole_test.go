package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// envWhole makes TestWholeCluster run. It needs what `kube/build -all` builds.
const envWhole = "NODESTATUS_CLUSTER"

// startRest starts what schedules, runs and collects pods: the real parts of Kubernetes, and kwok as the kubelet.
func (c *cluster) startRest() {
	c.Helper()
	out, err := exec.Command("bash", "kube/build", "-n").Output()
	require.NoError(c, err)
	dir, kubeconfig := c.TempDir(), filepath.Join(c.TempDir(), "kubeconfig")
	require.NoError(c, os.WriteFile(kubeconfig, control.kubeconfig, 0o600))
	for name, args := range map[string][]string{
		"kube-controller-manager": {"--leader-elect=false", "--secure-port=0", "--node-monitor-grace-period=1h", "--controllers=" +
			"garbage-collector-controller,pod-garbage-collector-controller,taint-eviction-controller,node-lifecycle-controller"},
		"kube-scheduler": {"--leader-elect=false", "--secure-port=0"},
		"kwok":           {"--manage-all-nodes", "--config=kube/stages.yaml"},
	} {
		program, err := mortal(dir, name, filepath.Join(strings.TrimSpace(string(out)), name))
		require.NoError(c, err)
		log, err := os.Create(filepath.Join(dir, name+".log"))
		require.NoError(c, err)
		cmd := exec.Command(program, append(args, "--kubeconfig="+kubeconfig)...)
		cmd.Stdout, cmd.Stderr = log, log
		require.NoError(c, cmd.Start(), "kube/build -all builds it")
		c.Cleanup(func() {
			_ = cmd.Process.Kill() // it may be dead already
			_ = cmd.Wait()
			if text, err := os.ReadFile(log.Name()); err == nil && c.Failed() {
				c.Logf("%s:\n%s", name, text[max(0, len(text)-3000):])
			}
		})
	}
}

// addNode adds a machine.
func (c *cluster) addNode(name string) *corev1.Node {
	c.Helper()
	room := corev1.ResourceList{"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"), "pods": resource.MustParse("200")}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}}}
	require.NoError(c, c.client.Create(c.Context(), node))
	c.Cleanup(func() { _ = c.client.Delete(c.Context(), node) }) // it may be gone
	before := node.DeepCopy()
	node.Status.Capacity, node.Status.Allocatable = room, room
	require.NoError(c, c.client.Status().Patch(c.Context(), node, client.MergeFrom(before)))
	return node
}

// A whole cluster: pods are scheduled, run, are evicted through the API and by a taint, lose their machine, and are
// collected with their workflow, all by the parts that do so in production. Every workflow completes.
func TestWholeCluster(t *testing.T) {
	if os.Getenv(envWhole) == "" {
		t.Skip(envWhole + " is not set: this takes minutes, and what kube/build -all builds")
	}
	const n, seed = 60, 11
	r := rand.New(rand.NewPCG(seed, 0))
	c := newCluster(t)
	c.startRest()
	tainted, removed := c.addNode("spot-1"), c.addNode("spot-2")
	c.addNode("steady")
	running := c.start(1, nil)
	began := time.Now()
	names := c.submitMany(n)
	c.await("pods run", func() bool { return len(c.on(tainted)) > 0 && len(c.on(removed)) > 0 })
	pulled := len(c.on(tainted))
	c.taint(tainted)
	lost := len(c.on(removed))
	require.NoError(t, c.client.Delete(t.Context(), removed))

	evicted, of := 0, make(map[string]int)
	c.await("all complete", func() bool {
		if pods := c.on(nil); len(pods) > 0 && r.IntN(4) == 0 {
			pod := &pods[r.IntN(len(pods))]
			if name := pod.Labels[labelWorkflow]; of[name] < 3 { // its retries are not to be used up
				of[name]++
				evicted += c.evict(pod)
			}
		}
		return c.complete() == n
	})
	for _, name := range names {
		c.awaitDone(name)
		c.healthy(name)
	}
	t.Logf("%d workflows: %s; %d pods on a machine that was reclaimed, %d on one that vanished, %d evicted (seed %d); writes of the controller: %s",
		n, time.Since(began).Round(time.Millisecond), pulled, lost, evicted, seed, running.writes)
	require.NotZero(t, evicted)

	// What ran on the machines that went is collected already; of what ran on the other one, with its workflow.
	left := c.pods("")
	require.NotEmpty(t, left)
	name := left[0].Labels[labelWorkflow]
	object, _ := c.workflow(name)
	require.NoError(t, c.client.Delete(t.Context(), object, client.PropagationPolicy(metav1.DeletePropagationBackground)))
	c.await("its pods are collected", func() bool { return len(c.pods(name)) == 0 })
}

// taint says that a machine is about to go.
func (c *cluster) taint(node *corev1.Node) {
	c.Helper()
	require.NoError(c, retry.RetryOnConflict(retry.DefaultBackoff, func() error { // others write it too
		if err := c.client.Get(c.Context(), client.ObjectKeyFromObject(node), node); err != nil {
			return err
		}
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: "spot", Value: "reclaimed", Effect: corev1.TaintEffectNoExecute})
		return c.client.Update(c.Context(), node)
	}))
}

// on lists the pods that run on a machine, or on any.
func (c *cluster) on(node *corev1.Node) []corev1.Pod {
	c.Helper()
	var list []corev1.Pod
	for _, pod := range c.pods("") {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil && (node == nil || pod.Spec.NodeName == node.Name) {
			list = append(list, pod)
		}
	}
	return list
}

// evict evicts a pod as `kubectl drain` does, and returns how many that were.
func (c *cluster) evict(pod *corev1.Pod) int {
	c.Helper()
	clients, err := kubernetes.NewForConfig(control.config)
	require.NoError(c, err)
	eviction := &policy.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}}
	err = clients.CoreV1().Pods(pod.Namespace).EvictV1(c.Context(), eviction)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return 0
	}
	require.NoError(c, err)
	return 1
}

// awaitDone waits until a workflow has succeeded.
func (c *cluster) awaitDone(name string) {
	c.Helper()
	_, w := c.workflow(name)
	require.Equal(c, "Succeeded", w.Snapshot.Phase.String(), "%s: %v", name, c.nodes(name))
}
