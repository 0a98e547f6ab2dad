package replay_test

import (
	"fmt"
	"log"
	"os"

	"github.com/nodestatus/nodestatus/propagate/replay"
)

// A recording of a real controller is played through the library: the specification, the clocks and the pods go in, and what comes out
// is compared with what the controller stored. Each difference has a number in DEVIATIONS.md, or it is a defect.
func ExampleJudge() {
	data, err := os.ReadFile("../../testdata/recordings/argo-4.1/containerset-evicted-retried.json")
	if err != nil {
		log.Fatal(err)
	}
	recording, err := replay.Read(data)
	if err != nil {
		log.Fatal(err)
	}
	verdict, err := replay.Judge(&replay.Player{Recording: recording, Mode: replay.Free})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.Frames, "frames,", len(verdict.Defects()), "defects")
	fmt.Println(verdict.Differences[0].String())
	// Output:
	// 10 frames, 0 defects
	// containerset-evicted-retried frame 3 evicted-retry.build(0).main: recorded Container Running, computed Container Failed "Pod Failed whilst container running": deviation 2
}
