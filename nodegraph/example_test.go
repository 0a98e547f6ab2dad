package nodegraph_test

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/gonum/graph/topo"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A graph for a test or an experiment is drawn in one line.
func ExampleParse() {
	spec, err := nodegraph.Parse("build: dag(fetch -> {compile: retry(2, pod(prepare -> main)), lint} -> publish)")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, task := range spec.Templates[0].Tasks {
		fmt.Printf("%s runs %s after %v\n", task.Name, task.Template, task.Dependencies)
	}
	// Output:
	// fetch runs pod after []
	// compile runs compile after [fetch]
	// lint runs pod after [fetch]
	// publish runs pod after [compile lint]
}

// What can't be read is reported with its place.
func ExampleParse_error() {
	_, err := nodegraph.Parse("dag(fetch -> build: job)")
	fmt.Println(err)
	// Output:
	// nodegraph: "dag(fetch -> build: job)": column 21: expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex
}

// A controller without Argo puts its graph together in Go.
func ExampleBuilder() {
	b := nodegraph.NewBuilder("build")
	limit := 2
	b.Pod("compile").Retry = &retry.Strategy{Limit: &limit}
	b.ContainerSet("check",
		nodegraph.ContainerSpec{Name: "unpack"},
		nodegraph.ContainerSpec{Name: "main", Dependencies: []string{"unpack"}})
	b.DAG("main").
		Task("linux", "compile").
		Task("windows", "compile", nodegraph.ContinueOnFailure()).
		Task("test", "check", nodegraph.After("linux", "windows"))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	entry := g.Node(nodegraph.Entry)
	fmt.Println(entry.Name(), entry.Kind)
	// Output:
	// build DAG
}

// Mistakes are reported with the template, the node and the field.
func ExampleNew_cycle() {
	spec, _ := nodegraph.Parse("dag(b -> c -> a -> b)")
	_, err := nodegraph.New(spec)
	fmt.Println(err)
	var cycle *nodegraph.CycleError
	fmt.Println(errors.As(err, &cycle), cycle.Nodes)
	// Output:
	// nodegraph: template "main": depends: the tasks wait for each other: cycle: a -> b -> c -> a
	// true [a b c]
}

// Containment and order are two relations: what a node is inside of, and what it comes after.
func ExampleGraph() {
	spec, _ := nodegraph.Parse("ingest: dag(extract: pod(fetch -> main) -> report)")
	g, _ := nodegraph.New(spec)
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		if err := g.Expand(i); err != nil {
			fmt.Println(err)
			return
		}
	}
	var walk func(i nodegraph.Index)
	walk = func(i nodegraph.Index) {
		n := g.Node(i)
		line := strings.Repeat("  ", n.Depth()) + n.Kind.String() + " " + n.Name()
		for before := range g.Dependencies(i) {
			line += ", after " + g.Node(before).Name()
		}
		fmt.Println(line)
		for m := range g.Members(i) {
			walk(m)
		}
	}
	walk(nodegraph.Entry)
	// Output:
	//   DAG ingest
	//     Pod ingest.extract
	//       Container ingest.extract.fetch
	//       Container ingest.extract.main, after ingest.extract.fetch
	//     Pod ingest.report, after ingest.extract
}

// Any algorithm of gonum runs on the graph.
func ExampleGraph_Directed() {
	spec, _ := nodegraph.Parse("dag(a -> c, b -> c, c -> d)")
	g, _ := nodegraph.New(spec)
	if err := g.Expand(nodegraph.Entry); err != nil {
		fmt.Println(err)
		return
	}
	sorted, err := topo.SortStabilized(g.Directed(nodegraph.Containment|nodegraph.Precedence), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range sorted[1:] {
		fmt.Println(g.Node(nodegraph.Index(n.ID())).Name())
	}
	// Output:
	// wf
	// wf.a
	// wf.b
	// wf.c
	// wf.d
}

// A depends condition is decided as soon as nothing that is still open can change it.
func ExampleParseDepends() {
	anyTask := func(string) (nodegraph.Results, bool) { return nodegraph.BareResults, true }
	c, err := nodegraph.ParseDepends("build && !scan.Failed || force.Succeeded", anyTask)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Tasks())
	succeeded := nodegraph.DepState{Must: nodegraph.ResultSucceeded, May: nodegraph.ResultSucceeded}
	failed := nodegraph.DepState{Must: nodegraph.ResultFailed, May: nodegraph.ResultFailed}
	running := nodegraph.DepState{May: nodegraph.ResultSucceeded | nodegraph.ResultFailed | nodegraph.ResultErrored}
	fmt.Println(c.Eval([]nodegraph.DepState{succeeded, running, running}))
	fmt.Println(c.Eval([]nodegraph.DepState{failed, running, running}))
	fmt.Println(c.Eval([]nodegraph.DepState{failed, running, failed}))
	fmt.Println(c.Eval([]nodegraph.DepState{running, running, succeeded}))
	// Output:
	// [build scan force]
	// unknown
	// unknown
	// false
	// true
}
