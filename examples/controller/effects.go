package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// An effect is something that is done once the status is stored. Doing it twice is as good as once.
type effect func(ctx context.Context) error

// answer answers what an action asks, and puts what it orders on the list. What this example can't do is said to the
// engine, so that the node ends with it and nothing waits for ever.
func (r *reconciler) answer(w *run, a *propagate.Action) []propagate.Event {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		switch {
		case a.Kind == nodegraph.KindHTTP, a.Kind == nodegraph.KindPlugin:
			return []propagate.Event{propagate.NodeEnded(a.ID, nodegraph.PhaseError, "this example serves no "+a.Kind.String()+" nodes")}
		case a.Kind == nodegraph.KindPod:
			n := *w.engine.Graph().Node(a.Node)
			pod, err := w.stored.buildPod(&n, r.shard.labels())
			if err != nil {
				return []propagate.Event{propagate.Unrunnable(n.ID(), err.Error())}
			}
			w.todo = append(w.todo, func(ctx context.Context) error { return r.create(ctx, w, &n, pod) })
		}
	case propagate.ActionAcquire:
		return []propagate.Event{r.locks.acquire(w.key, a)}
	case propagate.ActionRelease:
		w.todo = append(w.todo, func(context.Context) error {
			if !w.hasLocks(a.ID) {
				r.locks.release(w.key, a.ID)
			}
			return nil
		})
	case propagate.ActionResolve, propagate.ActionExpand:
		return []propagate.Event{propagate.Unanswerable(a.ID, "this example keeps no outputs and can't evaluate "+a.Message)}
	case propagate.ActionLookup:
		return []propagate.Event{propagate.Memoized(a.ID, false)} // it has no cache
	case propagate.ActionWake:
		w.timer = a.At
	case propagate.ActionTerminate: // see deleteSurplus
	case propagate.ActionComplete:
		w.todo = append(w.todo, func(context.Context) error {
			phase, _ := w.engine.Workflow()
			r.end(w, phase)
			return nil
		})
	}
	return nil
}

// hasLocks tells whether a node (empty: the workflow) has locks, or waits for them. One that gave them back may have asked again
// before that was carried out.
func (w *run) hasLocks(node string) bool {
	if w.engine == nil {
		return false
	}
	i := nodegraph.Root
	if node != "" {
		i = w.engine.Graph().Find(node)
	}
	if i == nodegraph.None {
		return false
	}
	lock := w.engine.Fact(i).Lock
	return lock != fact.LockNone && lock != fact.LockReturned
}

// carryOut does what is on the list. What fails stays there.
func (r *reconciler) carryOut(ctx context.Context, w *run) error {
	var failed []effect
	var errs []error
	for _, do := range w.todo {
		if err := do(ctx); err != nil {
			failed, errs = append(failed, do), append(errs, err)
		}
	}
	w.todo = failed
	return errors.Join(errs...)
}

// create makes the pod of a node, and has the engine told that it exists: should it be gone before the cache has shown it,
// its loss is noticed nevertheless.
func (r *reconciler) create(ctx context.Context, w *run, n *nodegraph.Node, pod *corev1.Pod) error {
	if !w.needs(pod) {
		return nil // it has ended since
	}
	pod = pod.DeepCopy()
	err := r.client.Create(ctx, pod)
	switch {
	case apierrors.IsAlreadyExists(err):
		if pod, err = r.lookUp(ctx, w, n); err == nil && pod == nil {
			err = fmt.Errorf("pod %s: the name is taken by a pod that is not of this workflow, or just becomes free", podName(n))
		}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		w.news = append(w.news, propagate.Unrunnable(n.ID(), err.Error())) // asking again would not help
		r.locks.wake(w.key)
		return nil
	}
	if err != nil {
		return err
	}
	w.pods.fresh = append(w.pods.fresh, pod)
	w.lookAgain(time.Now())
	return nil
}

// deleteSurplus deletes pods that go on for a node that has ended: it was stopped, was a daemon, or its workflow is
// complete. It looks at what there is, so it covers what a controller before this one was asked to terminate and did
// not. A pod of a node that is not known here is left alone: that would be for one who knows more.
func (r *reconciler) deleteSurplus(ctx context.Context, w *run, pods []*corev1.Pod) error {
	var errs []error
	for _, pod := range pods {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if ended || pod.DeletionTimestamp != nil || w.needs(pod) {
			continue
		}
		uid := pod.UID
		err := r.client.Delete(ctx, pod.DeepCopy(), client.Preconditions{UID: &uid})
		if !apierrors.IsConflict(err) { // another pod by now
			errs = append(errs, client.IgnoreNotFound(err))
		}
	}
	return errors.Join(errs...)
}

// needs tells whether anything may still wait for a pod.
func (w *run) needs(pod *corev1.Pod) bool {
	if w.engine == nil {
		return false
	}
	i := w.engine.Graph().Find(pod.Annotations[podstatus.NodeID])
	if i <= nodegraph.Root {
		return true
	}
	v := w.engine.Verdict(i)
	return !v.Fulfilled || v.Daemoned
}

// announce says what happened as Kubernetes Events, with the engine's explanations.
func (r *reconciler) announce(w *run, changes []propagate.Change) {
	for _, c := range changes {
		kind := corev1.EventTypeNormal
		if c.To.Unsuccessful() {
			kind = corev1.EventTypeWarning
		} else if c.Node != nodegraph.Root {
			continue // what goes well is told of the workflow alone
		}
		var because []string
		for _, reason := range w.engine.Explain(c.Node) {
			because = append(because, reason.String())
		}
		r.recorder.Eventf(w.object, nil, kind, "Workflow"+c.To.String(), "Settle", "%s", shortened(strings.Join(because, "; ")))
	}
}

// shortened keeps a note within what an Event may hold.
func shortened(note string) string {
	const most = 1000
	if len(note) > most {
		return strings.ToValidUTF8(note[:most], "") + "..."
	}
	return note
}

// runnable says why this example can't run a workflow at all.
func (r *reconciler) runnable(w *stored) error {
	for _, u := range w.Unresolved {
		return fmt.Errorf("%s: %q: this example puts no values in place of variables", u.Field, u.Text)
	}
	return r.shard.covers(w.UID, w.Spec)
}

// setLimits fills in the limits of semaphores, which are in ConfigMaps.
func (r *reconciler) setLimits(ctx context.Context, spec *nodegraph.Spec) error {
	return eachLock(spec, func(l *nodegraph.Lock) error {
		parts := strings.Split(l.Key, "/")
		if len(parts) != 4 || parts[1] != "ConfigMap" {
			return nil
		}
		var config corev1.ConfigMap
		if err := r.live.Get(ctx, types.NamespacedName{Namespace: parts[0], Name: parts[2]}, &config); err != nil {
			return fmt.Errorf("semaphore %s: %w", l.Key, err)
		}
		limit, err := strconv.Atoi(config.Data[parts[3]])
		if err != nil || limit < 1 {
			return fmt.Errorf("semaphore %s: want a positive number, found %q", l.Key, config.Data[parts[3]])
		}
		l.Limit = limit
		return nil
	})
}

// eachLock calls do for every lock that a workflow or its templates name, up to the first error.
func eachLock(spec *nodegraph.Spec, do func(*nodegraph.Lock) error) (err error) {
	spec.EachLock(func(l *nodegraph.Lock) {
		if err == nil {
			err = do(l)
		}
	})
	return err
}
