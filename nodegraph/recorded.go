package nodegraph

import "time"

// A NodeStatus is the state of one node as a controller stored it.
type NodeStatus struct {
	ID          string    // the key of the node in status.nodes: see [NodeID]
	Name        string    // in full, from the workflow's name down
	DisplayName string    // relative to the boundary: see [Graph.DisplayName]
	Kind        Kind      // as recorded (type): KindSkipped for a node that never came to be what it is; never KindWorkflow
	Phase       Phase     // as recorded; never PhasePlanned, for which Argo has no name
	Message     string    // why the node has its phase, in the controller's words; empty where nothing is to be said
	Started     time.Time // UTC, to the second; zero if not set, as of an item of a loop that is Pending and still to start
	Finished    time.Time // UTC, to the second; zero while the node is not fulfilled, or where nobody knows when it ended
	Daemoned    bool      // it is a daemon that is ready
	Unready     bool      // of a daemon that is Pending: its pod ran, and was not ready yet (daemoned is false, not left out)
	Unsynced    bool      // taskResultSynced is false
	Hooked      bool      // the node is a hook (nodeFlag.hooked)
	Retried     bool      // the node is an attempt (nodeFlag.retried)
	CacheHit    bool      // memoizationStatus.hit
	ExitCode    int       // of the main container
	HasExit     bool      // an exit code is recorded (outputs.exitCode is a number): without it ExitCode says nothing
	WaitsFor    string    // the lock it waits for
	Restarts    int       // failedPodRestarts
	Restarting  string    // restartingPodUID: the pod that was counted last, while its node is Pending for that reason
	Boundary    string    // id
	Template    string    // templateName, with the scope before it where the template is another object's; empty for an inline one
	Children    []string  // ids, as rendered by Argo: containment and order together
}

// A Snapshot is the state of a whole workflow as a controller stored it.
type Snapshot struct {
	Phase     Phase        // PhasePlanned where the workflow was not looked at yet
	Message   string       // why the workflow has its phase; empty where nothing is to be said
	Started   time.Time    // UTC, to the second; zero where the workflow was not looked at yet
	Finished  time.Time    // UTC, to the second; zero until the workflow is complete
	Shutdown  string       // "", "Stop" or "Terminate"
	Suspended bool         // spec.suspend
	Nodes     []NodeStatus // every node that the status lists
}
