package nodegraph

import "time"

// A NodeStatus is the state of one node as a controller stored it.
type NodeStatus struct {
	ID, Name    string
	DisplayName string
	Kind        Kind
	Phase       Phase
	Message     string
	Started     time.Time // UTC, to the second; zero if not set, as of an item of a loop that is Pending and still to start
	Finished    time.Time
	Daemoned    bool
	Unready     bool // of a daemon that is Pending: its pod ran, and was not ready yet (daemoned is false, not left out)
	Unsynced    bool // taskResultSynced is false
	Hooked      bool // the node is a hook (nodeFlag.hooked)
	Retried     bool // the node is an attempt (nodeFlag.retried)
	CacheHit    bool // memoizationStatus.hit
	ExitCode    int  // of the main container
	HasExit     bool
	WaitsFor    string // the lock it waits for
	Restarts    int    // failedPodRestarts
	Restarting  string // restartingPodUID: the pod that was counted last, while its node is Pending for that reason
	Boundary    string // id
	Template    string
	Children    []string // ids, as rendered by Argo: containment and order together
}

// A Snapshot is the state of a whole workflow as a controller stored it.
type Snapshot struct {
	Phase     Phase // PhasePlanned where the workflow was not looked at yet
	Message   string
	Started   time.Time
	Finished  time.Time
	Shutdown  string // "", "Stop" or "Terminate"
	Suspended bool   // spec.suspend
	Nodes     []NodeStatus
}
