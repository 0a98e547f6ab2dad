package diagnose_test

import (
	"fmt"
	"log"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

const evicted = `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: build, namespace: default}
spec:
  entrypoint: main
  templates:
  - name: main
    containerSet: {containers: [{name: fetch, image: busybox}, {name: main, image: busybox, dependencies: [fetch]}]}
status:
  phase: Running
  startedAt: "2026-01-02T12:00:00Z"
  nodes:
    build: {id: build, name: build, displayName: build, type: Pod, phase: Failed, message: "The node was low on resource: memory.", startedAt: "2026-01-02T12:00:00Z", finishedAt: "2026-01-02T12:01:00Z", templateName: main, children: [build-1]}
    build-1: {id: build-1, name: build.fetch, displayName: fetch, type: Container, phase: Running, boundaryID: build, startedAt: "2026-01-02T12:00:00Z"}
`

// Another controller left a workflow Running. What is wrong with it, and what ends it?
func ExampleDiagnose() {
	workflow, err := argo.Read([]byte(evicted))
	if err != nil {
		log.Fatal(err)
	}
	input, err := diagnose.FromWorkflow(workflow)
	if err != nil {
		log.Fatal(err)
	}
	input.Now = time.Date(2026, 1, 2, 13, 0, 0, 0, time.UTC)
	report, err := diagnose.Diagnose(input)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict())
	for _, finding := range report.Findings {
		fmt.Println(finding)
		fmt.Println(finding.Remedy)
	}
	// Output:
	// stuck
	// orphaned-container build.fetch: Running, should be Failed "Pod Failed whilst container running": its pod build has ended (Failed "The node was low on resource: memory."), and nobody reports on its containers any more
	// heal the workflow: nothing else will end this node
}
