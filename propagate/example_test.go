package propagate_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// The pod of a container set is deleted while its first container runs. Both containers end with it, the Retry asks for
// another pod, and once that has succeeded the workflow is complete: nothing is left behind.
func Example() {
	limit := 2
	b := nodegraph.NewBuilder("nightly")
	b.ContainerSet("extract",
		nodegraph.ContainerSpec{Name: "fetch"},
		nodegraph.ContainerSpec{Name: "main", Dependencies: []string{"fetch"}}).
		Retry = &retry.Strategy{Limit: &limit, Policy: retry.PolicyAlways}
	b.DAG("main").Task("extract", "extract")
	spec, err := b.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := propagate.New(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

	// tell shows what events change and what must be done about it.
	tell := func(events ...propagate.Event) {
		fmt.Println(events)
		result, err := engine.Apply(now, events...)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, change := range result.Changes {
			fmt.Println("  ", change)
		}
		for _, action := range result.Actions {
			fmt.Println("   ->", action)
		}
	}
	tell() // the workflow starts
	tell(propagate.PodRunning("nightly.extract(0)"), propagate.ContainerRunning("nightly.extract(0)", "fetch"))
	tell(propagate.PodDeleted("nightly.extract(0)"))
	tell(propagate.PodSucceeded("nightly.extract(1)"))
	fmt.Println("complete:", engine.Complete())
	// Output:
	// []
	//    Container nightly.extract(0).fetch: (new) -> Pending
	//    Container nightly.extract(0).main: (new) -> Pending
	//    Pod nightly.extract(0): (new) -> Pending
	//    Retry nightly.extract: (new) -> Running
	//    DAG nightly: (new) -> Running
	//    Workflow nightly: (new) -> Running
	//    -> Start DAG nightly
	//    -> Start Retry nightly.extract
	//    -> Start Pod nightly.extract(0)
	// [PodRunning nightly.extract(0) ContainerRunning nightly.extract(0)/fetch]
	//    Container nightly.extract(0).fetch: Pending -> Running
	//    Pod nightly.extract(0): Pending -> Running
	// [PodDeleted nightly.extract(0)]
	//    Container nightly.extract(0).fetch: Running -> Error "container deleted"
	//    Container nightly.extract(0).main: Pending -> Error "container deleted"
	//    Container nightly.extract(1).fetch: (new) -> Pending
	//    Container nightly.extract(1).main: (new) -> Pending
	//    Pod nightly.extract(0): Running -> Error "pod deleted"
	//    Pod nightly.extract(1): (new) -> Pending
	//    -> Start Pod nightly.extract(1)
	// [PodEnded nightly.extract(1) Succeeded]
	//    Container nightly.extract(1).fetch: Pending -> Succeeded
	//    Container nightly.extract(1).main: Pending -> Succeeded
	//    Pod nightly.extract(1): Pending -> Succeeded
	//    Retry nightly.extract: Running -> Succeeded
	//    DAG nightly: Running -> Succeeded
	//    Workflow nightly: Running -> Succeeded
	//    -> Complete
	// complete: true
}

// What the host observed goes in; what changed and what it must do comes out. An event that can't be is refused, and
// then nothing of its batch is taken.
func ExampleEngine_Apply() {
	spec, _ := nodegraph.Parse("build: dag(compile -> test -> publish)")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

	result, err := engine.Apply(now) // the workflow starts
	fmt.Println(result.Actions, err)

	result, err = engine.Apply(now.Add(time.Minute), propagate.PodSucceeded("build.compile"))
	fmt.Println(result.Changes, err)
	fmt.Println(result.Actions)

	_, err = engine.Apply(now.Add(time.Hour), propagate.PodRunning("build.test"), propagate.PodRunning("build.publish"))
	fmt.Println(err)
	phase, _ := engine.Phase(engine.Graph().Find("build.test"))
	fmt.Println(phase, engine.Now().Format(time.TimeOnly))
	// Output:
	// [Start DAG build Start Pod build.compile] <nil>
	// [Pod build.compile: Pending -> Succeeded Pod build.test: (new) -> Pending] <nil>
	// [Start Pod build.test]
	// propagate: event 1 (PodRunning): node "build.publish": the node was not started; it is planned, and the host was not asked to start it
	// Pending 12:01:00
}

// Why is there no report? The explanation goes from the node that was asked about down to what was observed.
func ExampleEngine_Explain() {
	spec, _ := nodegraph.Parse("nightly: dag(extract: retry(1, pod(fetch -> main)) -> report)")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, events := range [][]propagate.Event{
		{}, // the workflow starts
		{propagate.ContainerRunning("nightly.extract(0)", "fetch")},
		{propagate.PodDeleted("nightly.extract(0)")},
		{propagate.PodEvicted("nightly.extract(1)", "The node was low on resource: memory.")},
	} {
		if _, err := engine.Apply(now, events...); err != nil {
			fmt.Println(err)
		}
	}

	for _, reason := range engine.Explain(engine.Graph().Find("nightly.report")) {
		fmt.Println(reason)
	}
	// Output:
	// Pod nightly.report is Omitted: its depends can no longer hold, because of Retry nightly.extract
	// Retry nightly.extract is Failed: its attempts decide it (limit)
	// Pod nightly.extract(1) is Failed: its pod ended at 12:00:00Z (Evicted)
}

// A workflow that is not complete says all that it waits for.
func ExampleEngine_Obligations() {
	spec, _ := nodegraph.Parse(`release: dag(
		build, approve: suspend, cool: suspend(10m), call: http,
		only when "{{workflow.parameters.day}} == friday", publish: mutex(registry, pod))`)
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, events := range [][]propagate.Event{{}, {propagate.PodRunning("release.build")}} {
		if _, err := engine.Apply(now, events...); err != nil {
			fmt.Println(err)
		}
	}

	for _, obligation := range engine.Obligations() {
		if obligation.For == propagate.WaitTimer {
			fmt.Println(obligation, "until", obligation.Until.Format(time.TimeOnly))
			continue
		}
		fmt.Println(obligation)
	}
	// Output:
	// release.build: pod
	// release.approve: resume
	// release.cool: timer until 12:10:00
	// release.call: served
	// release.only: condition
	// release.publish: lock
}

// A host that looks at the whole cluster each time lists the pods that exist. The same list once more changes nothing;
// pods that the workflow never asked for are named; what is not listed any more is lost.
func ExampleEngine_SyncPods() {
	spec, _ := nodegraph.Parse("build: dag(compile: retry(1, pod))")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	if _, err := engine.Apply(now); err != nil {
		fmt.Println(err)
	}

	compile := propagate.PodStatus{
		Node: "build.compile(0)", UID: "4711", Phase: "Running",
		Containers: []propagate.ContainerStatus{{Name: "main", Running: true, Ready: true}},
	}
	stranger := propagate.PodStatus{Node: "build.publish", UID: "4712", Phase: "Pending"}
	for _, pods := range [][]propagate.PodStatus{{compile}, {compile, stranger}, {}} {
		result, err := engine.SyncPods(now, pods)
		fmt.Println(len(pods), "pods:", result.Changes, result.Actions, result.Unknown, err)
	}
	// Output:
	// 1 pods: [Pod build.compile(0): Pending -> Running] [] [] <nil>
	// 2 pods: [] [] [build.publish] <nil>
	// 0 pods: [Pod build.compile(0): Running -> Error "pod deleted" Pod build.compile(1): (new) -> Pending] [Start Pod build.compile(1)] [] <nil>
}

// Before it stops, a host stores what its engines know, in any format. The engine that it makes of that later differs
// in nothing.
func ExampleFromState() {
	spec, _ := nodegraph.Parse("build: dag(compile -> test)")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, events := range [][]propagate.Event{{}, {propagate.PodRunning("build.compile")}} {
		if _, err := engine.Apply(now, events...); err != nil {
			fmt.Println(err)
		}
	}
	stored, err := json.Marshal(engine.Save())
	if err != nil {
		fmt.Println(err)
	}

	// The host starts again.
	var state propagate.State
	if err := json.Unmarshal(stored, &state); err != nil {
		fmt.Println(err)
	}
	engine, unknown, err := propagate.FromState(spec, state)
	fmt.Println(unknown, err)
	fmt.Println(engine.Obligations())
	result, err := engine.Apply(now.Add(time.Minute), propagate.PodSucceeded("build.compile"))
	fmt.Println(result.Changes, result.Actions, err)
	// Output:
	// [] <nil>
	// [build.compile: pod]
	// [Pod build.compile: Running -> Succeeded Pod build.test: (new) -> Pending] [Start Pod build.test] <nil>
}
