package propagate_test

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// What a controller wrote into its own resource is enough to go on with: the phases of the nodes, their times and messages. What the
// record leaves open is learned from the pods that exist.
func ExampleFromSnapshot() {
	spec, _ := nodegraph.Parse("build: dag(compile: retry(1, pod) -> test)")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, events := range [][]propagate.Event{
		{}, // the workflow starts
		{propagate.PodRunning("build.compile(0)")},
	} {
		if _, err := engine.Apply(now, events...); err != nil {
			fmt.Println(err)
		}
	}
	record := engine.Snapshot() // stored by the host, which then starts again

	engine, unknown, err := propagate.FromSnapshot(spec, record)
	fmt.Println(engine.Obligations(), unknown, err)
	result, err := engine.SyncPods(now.Add(time.Minute), nil) // the pod is gone
	fmt.Println(result.Changes, err)
	fmt.Println(result.Actions)
	// Output:
	// [build.compile(0): pod] [] <nil>
	// [Pod build.compile(0): Running -> Error "pod deleted" Pod build.compile(1): (new) -> Pending] <nil>
	// [Start Pod build.compile(1)]
}

// A host that hears of single pods tells of those alone, and of those that are gone.
func ExampleEngine_SyncChanged() {
	spec, _ := nodegraph.Parse("build: dag(compile, lint)")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	if _, err := engine.Apply(now); err != nil { // the workflow starts
		fmt.Println(err)
	}
	compile := propagate.PodStatus{Node: "build.compile", UID: "4711", Phase: propagate.PodPhaseRunning}
	lint := propagate.PodStatus{Node: "build.lint", UID: "4712", Phase: propagate.PodPhaseSucceeded}

	result, err := engine.SyncChanged(now, []propagate.PodStatus{compile, lint}, nil)
	fmt.Println(result.Changes, err)
	result, err = engine.SyncChanged(now, nil, []propagate.PodStatus{compile, lint})
	fmt.Println(result.Changes, err)
	// Output:
	// [Pod build.compile: Pending -> Running Pod build.lint: Pending -> Succeeded] <nil>
	// [Pod build.compile: Running -> Error "pod deleted" DAG build: Running -> Error Workflow build: Running -> Error] <nil>
}

// A manual retry keeps what succeeded and starts what failed again, with what comes after it.
func ExampleManualRetry() {
	spec, _ := nodegraph.Parse("build: dag(compile -> test -> publish)")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, events := range [][]propagate.Event{
		{}, // the workflow starts
		{propagate.PodSucceeded("build.compile")},
		{propagate.PodFailed("build.test", "exit code 1")},
	} {
		if _, err := engine.Apply(now, events...); err != nil {
			fmt.Println(err)
		}
	}
	phase, _ := engine.Workflow()
	fmt.Println(phase)

	result, err := engine.Apply(now.Add(time.Hour), propagate.ManualRetry())
	fmt.Println(result.Actions, err)
	for _, node := range []string{"build.compile", "build.test"} {
		phase, _ := engine.Phase(engine.Graph().Find(node))
		fmt.Println(node, phase)
	}
	// Output:
	// Failed
	// [Start Pod build.test] <nil>
	// build.compile Succeeded
	// build.test Pending
}

// What the library can't know, the host works out: a condition over values of its own, and the items of a loop.
func ExampleExpanded() {
	spec, _ := nodegraph.Parse(`build: dag(only when "{{workflow.parameters.day}} == friday", each over "{{workflow.parameters.systems}}")`)
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	if _, err := engine.Apply(now); err != nil { // the workflow starts
		fmt.Println(err)
	}
	for _, obligation := range engine.Obligations() {
		fmt.Println(obligation)
	}
	result, err := engine.Apply(now,
		propagate.Resolved("build.only", false, "thursday == friday"),
		propagate.Expanded("build.each", nodegraph.Item{Text: "linux"}, nodegraph.Item{Text: "windows"}))
	fmt.Println(result.Actions, err)
	// Output:
	// build.only: condition
	// build.each: items
	// [Start TaskGroup build.each Start Pod build.each(0:linux) Start Pod build.each(1:windows)] <nil>
}

// A container of a container set runs again inside its pod. The node stays the same one, and goes back to running.
func ExampleContainerRetried() {
	spec, _ := nodegraph.Parse("build: dag(set: pod(fetch -> main))")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, events := range [][]propagate.Event{
		{}, // the workflow starts
		{propagate.ContainerRunning("build.set", "fetch")},
		{propagate.ContainerEnded("build.set", "fetch", 1, "")},
	} {
		if _, err := engine.Apply(now, events...); err != nil {
			fmt.Println(err)
		}
	}
	fetch := engine.Graph().Find("build.set.fetch")
	phase, _ := engine.Phase(fetch)
	fmt.Println(phase)
	result, err := engine.Apply(now, propagate.ContainerRetried("build.set", "fetch"))
	fmt.Println(result.Changes, err)
	// Output:
	// Failed
	// [Container build.set.fetch: Failed -> Running Pod build.set: Pending -> Running] <nil>
}

// Who holds which lock is in no record of one workflow alone. A host that starts again tells a new table of all its engines before it
// acts for any of them.
func ExampleLockTable_Adopt() {
	host := newDesk(func(string) {}, "first: dag(load: mutex(warehouse, pod))", "second: dag(load: mutex(warehouse, pod))")
	for _, workflow := range []string{"first", "second"} {
		if err := propagate.Drive(host, workflow); err != nil {
			fmt.Println(err)
		}
	}

	// The host starts again.
	var table propagate.LockTable
	for _, workflow := range []string{"first", "second"} {
		engine, _, err := propagate.FromState(host.engines[workflow].Graph().Spec(), host.engines[workflow].Save())
		if err != nil {
			fmt.Println(err)
		}
		table.Adopt(workflow, engine)
	}
	fmt.Println("granted:", len(table.Grant()))
	fmt.Println("holds:", table.Holders("default/Mutex/warehouse")[0].Workflow)
	fmt.Println("waits:", table.Waiters("default/Mutex/warehouse")[0].Workflow)
	// Output:
	// granted: 0
	// holds: first
	// waits: second
}
