package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// workflows is shared by all workflows of the controller. It knows who holds which lock.
var workflows reconcile.Reconciler

// changed is called when a workflow or one of its pods has changed, and when it was enqueued. The object is the Workflow as the
// API server has it, pods are all its pods that exist.
func changed(cluster Cluster, object []byte, pods []propagate.PodStatus) error {
	out, err := workflows.Reconcile(cluster.Now(), object, pods)
	if err != nil {
		return err
	}
	cluster.Enqueue(out.Others...) // they have got locks
	if out.Patch != nil {
		if err := cluster.Patch(out.Workflow, out.Patch); err != nil {
			return err // somebody else has written the object: this is called with the new one
		}
	}
	for k := range out.Actions {
		switch a := &out.Actions[k]; a.Type {
		case propagate.ActionStart, propagate.ActionRecreate:
			cluster.Start(out.Workflow, a) // create the pod unless it exists, or have an HTTP or Plugin node served
		case propagate.ActionTerminate:
			cluster.DeletePod(out.Workflow, a)
		case propagate.ActionRelease:
			cluster.Enqueue(workflows.Release(out.Workflow, a)...)
		}
	}
	cluster.EnqueueAt(out.Wake, out.Workflow)
	return nil
}

// A Cluster is what a controller has around it.
type Cluster interface {
	Now() time.Time
	Patch(workflow string, patch []byte) error
	Start(workflow string, a *propagate.Action)
	DeletePod(workflow string, a *propagate.Action)
	Enqueue(workflows ...string)
	EnqueueAt(at time.Time, workflow string)
}

// A controller that keeps nothing in memory but who holds which lock.
func Example() {
	hello := []byte(`{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": {"name": "hello", "namespace": "default", "resourceVersion": "7"},
		"spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "busybox"}}]}}`)
	if err := workflows.Adopt(hello); err != nil { // all that are unfinished, once, when the controller starts
		fmt.Println(err)
	}
	if err := changed(printed{}, hello, nil); err != nil {
		fmt.Println(err)
	}
	// Output:
	// patch default/hello {"metadata":{"resourceVersion":"7"},"status":{"phase":"Running","startedAt":"2023-11-14T22:13:20Z","nodes":{"hello":{"id":"hello","name":"hello","displayName":"hello","type":"Pod","templateName":"main","templateScope":"local/hello","phase":"Pending","startedAt":"2023-11-14T22:13:20Z","taskResultSynced":true}}}}
	// create the pod of hello
}

// A controller that keeps a workflow between two calls: what it has read is recognised by its bytes, and the engine goes on. The calls
// are those of a controller that keeps nothing, and so is what they return.
func ExampleKept() {
	var workflows reconcile.Reconciler
	kept := map[string]*reconcile.Kept{"default/hello": workflows.Keep()} // dropped when the workflow is deleted, or to save memory
	object := `{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": {"name": "hello", "namespace": "default", "resourceVersion": "7"},
		"spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "busybox"}}]}}`
	out, err := kept["default/hello"].Reconcile(time.Unix(1700000000, 0), []byte(object), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Actions)

	// The patch is stored, and the pod has begun to run.
	object = strings.Replace(object, `"spec"`, `"status": {"phase": "Running", "startedAt": "2023-11-14T22:13:20Z", "nodes": {"hello": {
		"id": "hello", "name": "hello", "displayName": "hello", "type": "Pod", "templateName": "main", "templateScope": "local/hello",
		"phase": "Pending", "startedAt": "2023-11-14T22:13:20Z", "taskResultSynced": true}}}, "spec"`, 1)
	pod := propagate.PodStatus{Node: "hello", UID: "1", Phase: propagate.PodPhaseRunning}
	out, err = kept["default/hello"].ReconcileChanged(time.Unix(1700000001, 0), []byte(object), []propagate.PodStatus{pod}, nil)
	if errors.Is(err, reconcile.ErrListNeeded) { // somebody else has written the object, or the patch was refused
		out, err = kept["default/hello"].Reconcile(time.Unix(1700000001, 0), []byte(object), []propagate.PodStatus{pod})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(out.Patch))
	// Output:
	// [Start Pod hello]
	// {"metadata":{"resourceVersion":"7"},"status":{"nodes":{"hello":{"phase":"Running"}}}}
}

// printed is a cluster that prints what it is asked to do.
type printed struct{}

func (printed) Now() time.Time { return time.Unix(1700000000, 0) }

func (printed) Patch(workflow string, patch []byte) error {
	fmt.Println("patch", workflow, string(patch))
	return nil
}

func (printed) Start(_ string, a *propagate.Action)     { fmt.Println("create the pod of", a.Name) }
func (printed) DeletePod(_ string, a *propagate.Action) { fmt.Println("delete the pod of", a.Name) }
func (printed) Enqueue(workflows ...string)             {}
func (printed) EnqueueAt(time.Time, string)             {}
