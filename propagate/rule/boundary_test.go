package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A node whose exit hook had no room has failed, and is no daemon that was ended with its boundary.
func TestFailFastBesideAHookWithoutRoom(t *testing.T) {
	chapter(t, []scene{
		{text: "dag(x: dag(a exit pod), d: daemon)", set: failsFast("x"), limits: nodegraph.Limits{Nodes: 5}, calls: told(succeeded("wf.x.a")),
			node: "wf.x", want: "DAG 1: Failed, by wf.x.a, " + fast},
	})
}
