package whatif_test

import (
	"fmt"
	"log"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

// Can the workflow run on machines that may go away? Each pod is lost once, at each moment of its life.
func ExampleRun() {
	spec, err := nodegraph.Parse("nightly: dag(extract: retry(1, pod) -> load -> report: retry(1, pod))")
	if err != nil {
		log.Fatal(err)
	}
	result, err := whatif.Run(whatif.Input{Spec: spec})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Simulations, "simulations of", result.Pods, "pods")
	fmt.Println(result.Verdict)
	// Output:
	// 19 simulations of 3 pods
	// survives the loss of any one pod: no, because it ends as Failed with nightly.load evicted while pending; 5 of 18 losses make it fail
}
