package rule_test

import (
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

var servedScenes = []scene{
	{text: "dag(a: http, b)", calls: told(propagate.NodeEnded("wf.a", nodegraph.PhaseSucceeded, "200")),
		node: "wf.a", want: "Served 1: Succeeded, 200"},
	{text: "dag(a: http, b)", calls: told(propagate.Shutdown("Stop")),
		node: "wf.a", want: "Served 1: Failed, Stopped with strategy 'Stop'"},
	{text: "dag(a: plugin, b)", calls: told(propagate.AgentEnded("agent lost")),
		node: "wf.a", want: "Served 1: Error, agent lost"},
	{text: "dag(a: http, b)", node: "wf.a", want: "Served 2: Pending"},
}

func TestServed(t *testing.T) { chapter(t, servedScenes) }
