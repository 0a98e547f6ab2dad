package argo

import (
	"slices"
	"strings"
	"time"
)

// Details are what an object says besides its specification and its nodes. They decide no phase. They tell an operator what a
// workflow waits for, and since when.
type Details struct {
	ResourceVersion string    // metadata.resourceVersion, which a patch repeats to be refused where somebody has written since
	Created         time.Time // metadata.creationTimestamp; zero where there is none
	Deleted         time.Time // metadata.deletionTimestamp: somebody has asked for the deletion of the object
	Finalizers      []string  // metadata.finalizers: who must let go before the object is deleted
	Unwatched       bool      // its label [LabelCompleted] says that it is complete, so that Argo's controller does not look at it any more
	Unreported      []string  // ids of nodes whose results are not complete (status.taskResultsCompletionStatus)
	Healed          time.Time // when somebody healed the workflow, by its annotation [AnnotationHealed]
	Stopped         time.Time // when somebody set spec.shutdown, as far as managedFields tell
	Synchronized    bool      // the status says which locks are held and awaited
	Holding         []LockUse // status.synchronization, mutexes first
	Waiting         []LockUse // the same, of locks that are awaited
}

// LabelCompleted is the label by which Argo's controller leaves out what is complete (labels.go of its package common).
const LabelCompleted = "workflows.argoproj.io/completed"

// AnnotationHealed says when a workflow was healed: from then on the controller has its time to see that.
const AnnotationHealed = "nodestatus/healed-at"

// A LockUse is one entry of status.synchronization.
type LockUse struct {
	Key string // of the lock, as nodegraph.Lock has it
	// Users are the holders that the entry names, of what is held and of what is awaited: namespace/workflow, or
	// namespace/workflow/node.
	Users []string
}

// Details reads what else the object says. The error is a [*ReadError].
func (w *Workflow) Details() (Details, error) {
	d, err := w.details()
	return d, (&reader{w: w}).named(err)
}

func (w *Workflow) details() (Details, error) {
	var meta detailsMeta
	if err := read("metadata", w.object.get("metadata"), &meta, (*detailsMeta).read); err != nil {
		return Details{}, err
	}
	d := meta.Details
	for _, f := range meta.managed {
		if f.stops && f.at.After(d.Stopped) {
			d.Stopped = f.at
		}
	}
	complete := make(map[string]bool)
	flags := func(into *map[string]bool, s *scanner) error { return readMap(into, s, readFlag) }
	err := read("status.taskResultsCompletionStatus", w.state.get("taskResultsCompletionStatus"), &complete, flags)
	if err != nil {
		return Details{}, err
	}
	for id, done := range complete {
		if !done {
			d.Unreported = append(d.Unreported, id)
		}
	}
	slices.Sort(d.Unreported)
	locks := w.state.get("synchronization")
	if locks == "" || locks == "null" {
		return d, nil
	}
	var l lockStatus
	if err := read("status.synchronization", locks, &l, (*lockStatus).read); err != nil {
		return Details{}, err
	}
	d.Synchronized = true
	d.Holding = slices.Concat(l.mutex.holding, l.semaphore.holding)
	d.Waiting = slices.Concat(l.mutex.waiting, l.semaphore.waiting)
	return d, nil
}

// Names reports whether a user of a lock is this workflow, or one of its nodes, whose id it returns. Argo writes
// namespace/workflow or namespace/workflow/node; older releases wrote the workflow or the node alone.
func (w *Workflow) Names(user string) (ours bool, node string) {
	parts := strings.Split(user, "/")
	switch {
	case len(parts) == 1 && parts[0] == w.Name:
		return true, ""
	case len(parts) == 1 && w.nodes.get(user) != nil:
		return true, user
	case len(parts) == 1:
		return false, ""
	case parts[1] != w.Name || w.Namespace != "" && parts[0] != w.Namespace:
		return false, ""
	case len(parts) == 2:
		return true, ""
	}
	return true, parts[2]
}

// SetHealed notes in an annotation when the workflow was healed.
func (w *Workflow) SetHealed(at time.Time) {
	e := &edit{members: w.meta}
	e.inside("annotations", func(e *edit) { e.setText(AnnotationHealed, at.UTC().Format(time.RFC3339)) })
	w.meta = e.members
}

// CompleteResults says of nodes that nothing more is reported of their results.
func (w *Workflow) CompleteResults(ids ...string) {
	e := &edit{members: w.state}
	status := e.get("taskResultsCompletionStatus")
	if strings.HasPrefix(status, "{") {
		e.inside("taskResultsCompletionStatus", func(e *edit) {
			for _, id := range ids {
				if e.get(id) != "" {
					e.set(id, "true")
				}
			}
		})
	}
	w.state = e.members
}

// ReleaseLock takes a holder of a lock out of status.synchronization. It reports whether the holder was there.
func (w *Workflow) ReleaseLock(key, user string) bool {
	e := &edit{members: w.state}
	if !strings.HasPrefix(e.get("synchronization"), "{") {
		return false
	}
	released := false
	e.inside("synchronization", func(e *edit) {
		for _, kind := range [...]string{"mutex", "semaphore"} {
			if strings.HasPrefix(e.get(kind), "{") {
				e.inside(kind, func(e *edit) { released = releaseIn(e, kind, key, user) || released })
			}
		}
	})
	if released {
		w.state = e.members
	}
	return released
}

// releaseIn takes a holder out of the list of one kind of lock. An entry without holders goes.
func releaseIn(e *edit, kind, key, user string) bool {
	var kept []string
	released := false
	s := &scanner{text: orNull(e.get("holding"))}
	_ = s.array(func(int) error { // of what Details has read: can't fail
		raw, _ := s.raw()
		entry, _ := split(raw)
		name, _ := (&scanner{text: orNull(entry.get(kind))}).str()
		holder, _ := (&scanner{text: orNull(entry.get("holder"))}).str()
		holders, _ := (&scanner{text: orNull(entry.get("holders"))}).strings()
		rest := slices.DeleteFunc(slices.Clone(holders), func(h string) bool { return h == user })
		switch {
		case name != key || holder != user && len(rest) == len(holders):
			kept = append(kept, raw)
			return nil
		case len(rest) > 0:
			in := &edit{members: entry}
			in.setList("holders", rest)
			kept = append(kept, in.members.encode())
		}
		released = true
		return nil
	})
	if !released {
		return false
	}
	if len(kept) == 0 {
		e.remove("holding")
		return true
	}
	e.set("holding", "["+strings.Join(kept, ",")+"]")
	return true
}

// GuardedPatch is [Workflow.Patch] with the annotation of [Workflow.SetHealed], for the version of the object that was
// read: the API server refuses the patch if somebody has changed the object since. An object without a resourceVersion is not
// guarded.
func (w *Workflow) GuardedPatch() ([]byte, error) {
	patch, err := w.Patch()
	if err != nil {
		return nil, err
	}
	d, err := w.Details()
	if err != nil {
		return nil, err
	}
	object, _ := split(string(patch)) // of an object: can't fail
	was, _ := parts(w.object.get("metadata"))
	meta := patchOf(was, w.meta)
	if len(object) > 0 && d.ResourceVersion != "" {
		meta = append(meta, member{"resourceVersion", quote("resourceVersion"), quote(d.ResourceVersion)})
	}
	if len(meta) == 0 {
		return patch, nil
	}
	return []byte(append(members{{"metadata", quote("metadata"), meta.encode()}}, object...).encode()), nil
}
