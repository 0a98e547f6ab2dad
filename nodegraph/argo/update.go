package argo

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// updated returns what changes a node to what r says. It is not changed if the node says that already.
func (w *Workflow) updated(row *nodeRow, r *nodegraph.NodeStatus) (edit, error) {
	old := row.record
	if old.Name != r.Name {
		return edit{}, &WriteError{Workflow: w.Name, Node: r.ID, Field: "name",
			Err: fmt.Errorf("is %q in the snapshot, %q in the workflow", bounded(r.Name), bounded(old.Name))}
	}
	e := edit{row: row}
	updateState(&e, old, r)
	updateResults(&e, old, r)
	if r.Children != nil && !slices.Equal(old.Children, r.Children) {
		updateChildren(&e, old.Children, r.Children)
	}
	return e, nil
}

// updateState writes how the node stands.
func updateState(e *edit, old, r *nodegraph.NodeStatus) {
	if old.Kind != r.Kind {
		e.setText("type", r.Kind.String())
	}
	if old.Phase != r.Phase {
		e.setText("phase", r.Phase.String())
	}
	if old.Message != r.Message {
		e.setText("message", r.Message)
	}
	e.setTime("startedAt", old.Started, r.Started, r.Phase != nodegraph.PhasePending)
	e.setTime("finishedAt", old.Finished, r.Finished, r.Phase.Settled())
	switch {
	case r.Unready && !old.Unready:
		e.set("daemoned", "false")
	case old.Daemoned != r.Daemoned || old.Unready && !r.Unready:
		e.setFlag("daemoned", r.Daemoned)
	}
	if old.Unsynced != r.Unsynced {
		e.set("taskResultSynced", strconv.FormatBool(!r.Unsynced))
	}
	if old.WaitsFor != r.WaitsFor {
		e.inside("synchronizationStatus", func(e *edit) { e.setText("waiting", r.WaitsFor) })
	}
}

// updateResults writes what came of it.
func updateResults(e *edit, old, r *nodegraph.NodeStatus) {
	if old.Restarts != r.Restarts {
		e.setNumber("failedPodRestarts", r.Restarts)
	}
	if old.Restarting != r.Restarting {
		e.setText("restartingPodUID", r.Restarting)
	}
	switch {
	case r.HasExit && (!old.HasExit || old.ExitCode != r.ExitCode):
		e.inside("outputs", func(e *edit) { e.setText("exitCode", strconv.Itoa(r.ExitCode)) })
	case !r.HasExit && old.HasExit && !r.Phase.Settled():
		e.inside("outputs", func(e *edit) { e.remove("exitCode") })
	}
	if r.CacheHit != old.CacheHit {
		e.inside("memoizationStatus", func(e *edit) { setHit(e, r.CacheHit) })
	}
}

// setHit says whether the node's results came from the cache. Argo wants all three fields.
func setHit(e *edit, hit bool) {
	e.set("hit", strconv.FormatBool(hit))
	for _, key := range []string{"key", "cacheName"} {
		if e.get(key) == "" {
			e.set(key, quote(""))
		}
	}
}

// updateChildren writes the list of children if it has not the same ones already.
func updateChildren(e *edit, old, now []string) {
	wanted := make(map[string]bool, len(now))
	for _, id := range now {
		wanted[id] = true
	}
	list := make([]string, 0, len(now))
	for _, id := range old {
		if wanted[id] {
			list = append(list, id)
			delete(wanted, id)
		}
	}
	for _, id := range now {
		if wanted[id] {
			list = append(list, id)
			delete(wanted, id)
		}
	}
	if !slices.Equal(list, old) {
		e.setList("children", list)
	}
}
