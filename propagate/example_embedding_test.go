package propagate_test

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// reconcile is called when something about a workflow or its pods has changed. It returns the patch to store and what
// the controller must do: create pods, wake up later, hand over locks.
func reconcile(now time.Time, workflow []byte, pods []propagate.PodStatus) ([]byte, []propagate.Action, error) {
	w, err := argo.Read(workflow) // a Workflow as kubectl prints it
	if err != nil {
		return nil, nil, err
	}
	engine, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot)
	if err != nil {
		return nil, nil, err
	}
	result, err := engine.SyncPods(now, pods) // all the pods that exist
	if err != nil {
		return nil, nil, err
	}
	if err := w.SetStatus(engine.Snapshot()); err != nil {
		return nil, nil, err
	}
	patch, err := w.Patch()
	return patch, result.Actions, err
}

// A controller that keeps nothing in memory: it reads the Workflow, tells what pods exist, stores the patch and carries
// out the actions.
func Example_embedding() {
	workflow := []byte(`{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "hello", "namespace": "default"},
		"spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "busybox"}}]}}`)
	patch, actions, err := reconcile(time.Unix(1700000000, 0), workflow, nil)
	fmt.Println(string(patch))
	fmt.Println(actions, err)
	// Output:
	// {"status":{"phase":"Running","startedAt":"2023-11-14T22:13:20Z","nodes":{"hello":{"id":"hello","name":"hello","displayName":"hello","type":"Pod","templateName":"main","templateScope":"local/hello","phase":"Pending","startedAt":"2023-11-14T22:13:20Z","taskResultSynced":true}}}}
	// [Start Pod hello] <nil>
}
