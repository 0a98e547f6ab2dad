// Package reconcile is one call for controllers that keep nothing of a workflow in memory. The Workflow object goes in, with
// the pods that exist. The patch that stores the new status comes out, with what the controller must do then.
//
//	var workflows reconcile.Reconciler // one for all workflows
//
//	out, err := workflows.Reconcile(now, object, pods)
//	// 1. Have each workflow of out.Others reconciled: it has got locks.
//	// 2. Delete the pods of out.Reset, if there was a manual retry. Store out.Patch. If it is refused, somebody else has written the object: read it again, and call again.
//	// 3. Carry out out.Actions, in their order, before the next call for this workflow.
//	// 4. Call again when the object or a pod of it changes, and at out.Wake.
//
// A call reads the object, restores the engine, tells it what exists, answers what it asks, and writes the status back. It is
// safe to crash at any moment. What was not stored did not happen, and what was stored and not carried out is asked for again by
// the next call. So each action may come twice, and is carried out so that twice is as good as once:
//
//	Start, Recreate    Pod: create the pod, under a name made from the node. That it exists already is no error.
//	                   HTTP, Plugin: have it served.
//	Terminate          Delete the pod of the node. That there is none is no error.
//	Release            Call Release, and reconcile the workflows that it returns.
//	Resolve, Expand    Only if Answer has not answered: work it out, and tell the answer to a later call.
//	Lookup             The same.
//	Complete           The workflow has ended. Each further call says that again.
//
// Acquire, Wait and Wake never come: the Reconciler grants locks, and Wake is a field of the outcome. Nor does the start of a node
// for which nothing is to be done: a composite, or a Suspend. A host that starts tells Adopt of its unfinished workflows first,
// and later Forget of those that are deleted.
//
// # Workflows that are seen again
//
// A host that has memory for it keeps a [Kept] for each workflow. Its methods are the same call, for a tenth of the time and less.
// What it keeps is checked against the object with each call, so that it may be dropped at any time and is never stored:
//
//	Kept.Reconcile          All pods are listed, as for Reconciler.Reconcile. All that is owed is asked for again.
//	Kept.ReconcileChanged   Pods are told that have changed, and those that are gone. What is new is asked for. ErrListNeeded
//	                        says that nothing could be kept, and that Kept.Reconcile is to be called.
//
// # What the object does not hold
//
// A call knows of earlier ones what the status says. Argo's status has no field for these:
//
//	which pods a node has had             A pod that is listed is the node's, and one that is not listed is gone: the list
//	                                      must not be older than the object. A pod of a node that has ended opens nothing
//	                                      again. Pods of what a manual retry resets are deleted before that is stored.
//	why a pod failed, its conditions      Failure rules that look at them, and IgnoreDisruptions, apply with the call that
//	                                      sees the end. Later calls go by the message, so that an attempt that did not
//	                                      count may be made once more: its record is among Outcome.Unknown then.
//	the run of a container in its pod     A ContainerRetried without a number counts each time it is told.
//	                                      The end of an earlier run that is told once more counts as that of the run
//	                                      that is known, until the pod has ended.
//	that a daemon was ready, once it      It counts as it ended, unless the group that it is an item of has succeeded.
//	has ended
//	parts of a second                     A backoff, a duration or a deadline may end up to a second early.
//	that a pod was asked for              Recreate comes with each call until the pod is listed, and for an HTTP or Plugin
//	                                      node until it has ended.
//	that a pod is to end                  Terminate comes with each call as long as the pod is listed alive. A pod that was
//	                                      asked for, and is not listed yet when its node ends, must be ended when it shows.
//	questions, and answers before the     Resolve, Expand and Lookup come with each call until the node has begun. Items of
//	node has begun                        a loop are stored, and so is a condition that did not hold. That the
//	                                      expression of a hook does not hold is asked again, and what comes after the
//	                                      owner of the hook waits for the answer if it has not begun.
//	the expression of a hook did hold     A hook that is due and was held back is stored as Pending. One that has not been
//	                                      looked at yet is looked at by the next call.
//	who came first to wait for a lock     The Reconciler knows it. After a restart those whose nodes were created first come
//	                                      first. Locks that were granted to a node which has not begun are asked for anew.
//	that a manual retry has opened a      What is inside it goes on at once, although something that it comes after was
//	composite again                       reset as well.
//	that the workflow's end was told      Complete comes with each call.
//
// All else is as if the engine had never been made anew. The tests play recordings of a real controller through both, up to the
// first manual retry, and compare every phase and every action.
package reconcile
