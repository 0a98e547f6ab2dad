package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// A kitServer is the API server of a cluster of the conformance kit, and outlives the controllers.
type kitServer struct {
	client.Client // for methods that nobody calls
	cluster       *propagatetest.Cluster
	mistake       string                    // what a controller would do wrong
	made          map[string]int            // how many pods there were of a name
	hidden        map[string]bool           // pods that no list has shown yet, by name
	free          map[types.UID]bool        // pods without a finalizer
	held          map[types.UID]*corev1.Pod // pods as they looked last, until they are free: those that are gone are still there
}

const kitNamespace = "default"

// object returns a workflow as it is stored, or as its user has written it.
func (s *kitServer) object(name string) (*unstructured.Unstructured, error) {
	object, spec := newWorkflow(), s.cluster.Spec(name)
	if spec == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "workflows"}, name)
	}
	if stored := s.cluster.Stored(name); stored != nil {
		return object, object.UnmarshalJSON(stored)
	}
	err := object.UnmarshalJSON(propagatetest.Manifest(spec))
	object.SetNamespace(kitNamespace)
	object.SetUID(types.UID("uid-of-" + name))
	object.SetResourceVersion("1")
	return object, err
}

// change applies a merge patch to a workflow.
func (s *kitServer) change(name string, patch []byte) (*unstructured.Unstructured, error) {
	object, err := s.object(name)
	if err != nil {
		return nil, err
	}
	before, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return nil, err
	}
	changed := newWorkflow()
	if err := changed.UnmarshalJSON(after); err != nil {
		return nil, err
	}
	if changed.GetResourceVersion() != object.GetResourceVersion() {
		return nil, apierrors.NewConflict(schema.GroupResource{Resource: "workflows"}, name, fmt.Errorf("it was written"))
	}
	changed.SetGeneration(changed.GetGeneration() + 1)
	changed.SetResourceVersion(fmt.Sprint(changed.GetGeneration() + 1))
	after, err = changed.MarshalJSON()
	if err != nil {
		return nil, err
	}
	s.cluster.Store(name, after)
	return changed, nil
}

// uid tells the newest pod of a name from those before it.
func (s *kitServer) uid(name string) types.UID { return types.UID(fmt.Sprint(name, "#", s.made[name])) }

func ownedBy(workflow string) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(&metav1.ObjectMeta{Name: workflow, UID: types.UID("uid-of-" + workflow)}, workflowKind)}
}

// pods are the pods of a workflow that a list shows.
func (s *kitServer) pods(workflow string) (list []corev1.Pod) {
	for _, p := range s.cluster.Pods(workflow) {
		pod := corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: kitNamespace, Name: p.Name, UID: s.uid(p.Name), Annotations: map[string]string{podstatus.NodeID: p.Node},
				Labels: map[string]string{labelWorkflow: workflow}, OwnerReferences: ownedBy(workflow),
			},
			Status: corev1.PodStatus{Phase: corev1.PodPhase(p.Phase), Reason: p.Reason, Message: p.Message},
		}
		if !s.free[pod.UID] {
			pod.Finalizers = []string{finalizer}
		}
		for _, c := range p.Containers {
			status := corev1.ContainerStatus{Name: c.Name, Ready: c.Ready}
			switch {
			case c.Terminated:
				status.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: int32(c.ExitCode), Reason: c.Reason, Message: c.Message, FinishedAt: metav1.NewTime(c.Finished)}
			case c.Running:
				status.State.Running = &corev1.ContainerStateRunning{}
			}
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, status)
		}
		delete(s.hidden, p.Name)
		list = append(list, pod)
	}
	for uid, pod := range s.held {
		listed := slices.ContainsFunc(list, func(p corev1.Pod) bool { return p.UID == uid })
		if metav1.GetControllerOf(pod).Name == workflow && !listed {
			pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = new(metav1.NewTime(s.cluster.Now())), new(int64(0))
			list = append(list, *pod)
		}
	}
	for k := range list {
		pod := &list[k]
		pod.ResourceVersion = fmt.Sprint(pod.Status, pod.Finalizers, pod.DeletionGracePeriodSeconds != nil) // another where it looks otherwise
		if !s.free[pod.UID] {
			s.held[pod.UID] = pod.DeepCopy()
		}
	}
	return list
}

// Get reads past the cache.
func (s *kitServer) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch into := into.(type) {
	case *unstructured.Unstructured:
		object, err := s.object(key.Name)
		if err == nil {
			into.Object = object.Object
		}
		return err
	case *metav1.PartialObjectMetadata:
		object, err := s.object(key.Name)
		if err == nil {
			into.Labels = object.GetLabels()
		}
		return err
	case *corev1.Pod:
		return s.getPod(key, into)
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

// getPod finds a pod also where no list shows it yet.
func (s *kitServer) getPod(key client.ObjectKey, into *corev1.Pod) error {
	for _, workflow := range s.cluster.Workflows() {
		for _, pod := range s.pods(workflow) {
			if pod.Name == key.Name {
				pod.DeepCopyInto(into)
				return nil
			}
		}
		if node := s.cluster.Spec(workflow).Name; s.hidden[key.Name] && strings.HasPrefix(key.Name, node) {
			into.Name, into.Namespace, into.UID, into.ResourceVersion = key.Name, key.Namespace, s.uid(key.Name), "0"
			into.Status.Phase, into.OwnerReferences = corev1.PodPending, ownedBy(workflow)
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, key.Name)
}

// List lists the pods of a workflow or of all, or all workflows that are not complete.
func (s *kitServer) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	if pods, ok := into.(*corev1.PodList); ok {
		var o client.ListOptions
		o.ApplyOptions(opts)
		for _, workflow := range s.cluster.Workflows() {
			if o.FieldSelector == nil || o.FieldSelector.Matches(fields.Set{indexOwner: workflow}) {
				pods.Items = append(pods.Items, s.pods(workflow)...)
			}
		}
		return nil
	}
	workflows, ok := into.(*unstructured.UnstructuredList)
	for _, name := range s.cluster.Workflows() {
		object, err := s.object(name)
		if err != nil || !ok {
			return err
		}
		if object.GetLabels()[labelCompleted] != "true" {
			workflows.Items = append(workflows.Items, *object)
		}
	}
	return nil
}

// Create creates a pod.
func (s *kitServer) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	pod := object.(*corev1.Pod)
	var containers []nodegraph.ContainerSpec
	var before []string // the containers that the next one waits for
	for _, c := range pod.Spec.InitContainers {
		containers = append(containers, nodegraph.ContainerSpec{Name: c.Name, Dependencies: before})
		before = []string{c.Name}
	}
	for _, c := range pod.Spec.Containers {
		if before != nil { // the only container of other pods is not named in their template
			containers = append(containers, nodegraph.ContainerSpec{Name: c.Name, Dependencies: before})
		}
	}
	if s.mistake == "it makes no pods" {
		return nil
	}
	if s.getPod(client.ObjectKeyFromObject(pod), &corev1.Pod{}) == nil {
		return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "pods"}, pod.Name)
	}
	err := s.cluster.CreatePod(pod.Labels[labelWorkflow], pod.Annotations[podstatus.NodeID], pod.Name, containers...)
	if err == nil {
		s.made[pod.Name]++
		s.hidden[pod.Name] = true
		return s.getPod(client.ObjectKeyFromObject(pod), pod)
	}
	return err
}

// Patch stores the status of a workflow, or lets a pod go.
func (s *kitServer) Patch(_ context.Context, object client.Object, patch client.Patch, _ ...client.PatchOption) error {
	data, err := patch.Data(object)
	if err != nil {
		return err
	}
	if pod, ok := object.(*corev1.Pod); ok {
		s.free[pod.UID] = true
		delete(s.held, pod.UID)
		return nil
	}
	changed, err := s.change(object.GetName(), data)
	if err == nil {
		object.(*unstructured.Unstructured).Object = changed.Object
	}
	return err
}

// Delete deletes a pod.
func (s *kitServer) Delete(_ context.Context, object client.Object, _ ...client.DeleteOption) error {
	if workflow := metav1.GetControllerOf(object).Name; s.mistake != "it deletes nothing" {
		s.cluster.DeletePod(workflow, object.GetName())
	}
	return nil
}

// A kitCache is what the controller's caches show.
type kitCache struct{ *kitServer }

// Get hides workflows that are complete.
func (c kitCache) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if err := c.kitServer.Get(ctx, key, into, opts...); err != nil || into.GetLabels()[labelCompleted] != "true" {
		return err
	}
	return apierrors.NewNotFound(schema.GroupResource{Resource: "workflows"}, key.Name)
}

// A kitController is the reconciler under test.
type kitController struct {
	*reconciler
	server  *kitServer
	woken   []reconcile.Request
	engines map[string]*propagate.Engine // the last of each workflow
}

func newKitController(s *kitServer) *kitController {
	k := &kitController{newReconciler(kitCache{s}, s, events.NewFakeRecorder(1_000)), s, nil, make(map[string]*propagate.Engine)}
	k.metrics, k.atOnce, k.now = newMetrics(prometheus.NewRegistry()), 1, s.cluster.Now
	k.locks.wake = func(requests ...reconcile.Request) { k.woken = append(k.woken, requests...) }
	return k
}

// Reconcile does what the queue of a manager would have done, the workflows that have got locks included.
func (k *kitController) Reconcile(workflow string) error {
	if err := k.users(workflow); err != nil {
		return err
	}
	k.woken = append(k.woken, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: kitNamespace, Name: workflow}})
	for len(k.woken) > 0 {
		request := k.woken[0]
		k.woken = k.woken[1:]
		result, err := k.reconciler.Reconcile(context.Background(), request)
		if err != nil {
			return err
		}
		if result.RequeueAfter == time.Millisecond && k.known(request.NamespacedName) == nil {
			k.woken = append(k.woken, request)
		} else if result.RequeueAfter > 0 {
			k.server.cluster.WakeAt(request.Name, k.now().Add(result.RequeueAfter))
		}
		k.Engine(request.Name)
		if w := k.known(request.NamespacedName); w != nil {
			for _, p := range w.wanted { // one that was refused is tried for again at once
				p.after = time.Time{}
			}
		}
	}
	return nil
}

// users writes into the object what users want of it, as the command line of Argo does.
func (k *kitController) users(workflow string) error {
	for _, ev := range k.server.cluster.Events(workflow) {
		object, err := k.server.object(workflow)
		if err != nil {
			return err
		}
		var patch string
		switch ev.Type {
		case propagate.EventShutdown:
			if now, _, _ := unstructured.NestedString(object.Object, "spec", "shutdown"); now == "" {
				patch = fmt.Sprintf(`{"spec": {"shutdown": %q}}`, ev.Reason)
			}
		case propagate.EventResumed:
			if now, _, _ := unstructured.NestedString(object.Object, "status", "nodes", ev.Node, "phase"); now == "Running" {
				at, _ := json.Marshal(metav1.NewTime(k.now())) // of a time: can't fail
				patch = fmt.Sprintf(`{"status": {"nodes": {%q: {"phase": "Succeeded", "finishedAt": %s}}}}`, ev.Node, at)
			}
		default:
			return fmt.Errorf("no user does %v", ev)
		}
		if patch != "" {
			if _, err := k.server.change(workflow, []byte(patch)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Engine returns the engine of a workflow that is in memory, or was, or else that of what is stored.
func (k *kitController) Engine(workflow string) *propagate.Engine {
	if w := k.known(types.NamespacedName{Namespace: kitNamespace, Name: workflow}); w != nil && w.engine != nil {
		k.engines[workflow] = w.engine
	}
	if k.engines[workflow] == nil {
		object, err := k.server.object(workflow)
		if err != nil {
			return nil
		}
		data, err := object.MarshalJSON()
		if err != nil {
			return nil
		}
		if read, err := argo.Read(data); err == nil {
			k.engines[workflow], _, _ = propagate.FromSnapshot(read.Spec, read.Snapshot)
		}
	}
	return k.engines[workflow]
}

// kit is the conformance test of a controller that makes a mistake, or none. It plays what has a place in the resource.
func kit(mistake string, lull time.Duration) propagatetest.Conformance {
	servers := make(map[*propagatetest.Cluster]*kitServer)
	x := propagatetest.Conformance{New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
		if servers[c] == nil {
			servers[c] = &kitServer{
				cluster: c, mistake: mistake, made: make(map[string]int), hidden: make(map[string]bool), free: make(map[types.UID]bool), held: make(map[types.UID]*corev1.Pod),
			}
		}
		k := newKitController(servers[c])
		k.lull = lull
		return k, nil
	}}
	for _, c := range propagatetest.Cases() {
		if c.Name != "a cache" && c.Name != "a cache behind a lock" && c.Name != "an HTTP node" && c.Name != "a loop" { // which are refused
			x.Cases = append(x.Cases, c)
		}
	}
	return x
}

// The controller is killed before and after everything that it does, and each pod is refused once.
func TestConformance(t *testing.T) {
	for _, lull := range []time.Duration{0, time.Second} {
		t.Run(lull.String(), func(t *testing.T) { kit("", lull).Run(t) })
	}
}

// Mistakes that it could make are named.
func TestConformanceFindsMistakes(t *testing.T) {
	for mistake, rule := range map[string]propagatetest.Rule{
		"it deletes nothing": propagatetest.DropsTerminate,
		"it makes no pods":   propagatetest.DropsStart,
	} {
		faults := kit(mistake, 0).Faults()
		require.NotEmpty(t, faults, mistake)
		require.Equal(t, rule, faults[0].Rule, "%s: %v", mistake, faults)
	}
}
