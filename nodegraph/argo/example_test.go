package argo_test

import (
	"fmt"
	"log"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

const build = `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: build, namespace: default}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: fetch, template: pod}
      - {name: test, template: pod, depends: fetch.Succeeded}
  - name: pod
    container: {image: busybox}
status:
  phase: Running
  startedAt: "2026-08-21T10:00:00Z"
  nodes:
    build: {id: build, name: build, displayName: build, type: DAG, phase: Running, startedAt: "2026-08-21T10:00:00Z", children: [build-2377389226]}
    build-2377389226: {id: build-2377389226, name: build.fetch, displayName: fetch, type: Pod, phase: Running, boundaryID: build, startedAt: "2026-08-21T10:00:00Z"}
`

// A workflow is read as kubectl prints it. Its spec becomes a graph, its status a snapshot.
func ExampleRead() {
	w, err := argo.Read([]byte(build))
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range w.Snapshot.Nodes {
		fmt.Println(n.ID, n.Name, n.Kind, n.Phase)
	}
	g, err := nodegraph.New(w.Spec)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("entry:", g.Node(nodegraph.Entry).Name())
	// Output:
	// build build DAG Running
	// build-2377389226 build.fetch Pod Running
	// entry: build
}

// A phase is written back, and the patch holds just that.
func ExampleWorkflow_SetStatus() {
	w, err := argo.Read([]byte(build))
	if err != nil {
		log.Fatal(err)
	}
	s := w.Snapshot
	fetch := &s.Nodes[1]
	fetch.Phase = nodegraph.PhaseSucceeded
	fetch.Finished = time.Date(2026, 8, 21, 10, 5, 0, 0, time.UTC)
	if err := w.SetStatus(s); err != nil {
		log.Fatal(err)
	}
	patch, err := w.Patch()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(patch))
	// Output:
	// {"status":{"nodes":{"build-2377389226":{"phase":"Succeeded","finishedAt":"2026-08-21T10:05:00Z"}}}}
}

// Argo's list of children holds what is inside a node, and what comes after it.
func ExampleChildren() {
	w, err := argo.Read([]byte(build))
	if err != nil {
		log.Fatal(err)
	}
	g, err := nodegraph.New(w.Spec)
	if err != nil {
		log.Fatal(err)
	}
	if err := g.Expand(nodegraph.Entry); err != nil {
		log.Fatal(err)
	}
	children := argo.Children(g, func(nodegraph.Index) bool { return true })
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		for _, id := range children(i) {
			fmt.Println(g.Node(i).Name(), "->", g.Node(g.Find(id)).Name())
		}
	}
	// Output:
	// build -> build.fetch
	// build.fetch -> build.test
}
