package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

// forAll does something for all of a list, for some at a time, and returns all errors. With one at a time it is done here.
func forAll[T any](list []T, atOnce int, do func(T) error) error {
	errs := make([]error, len(list))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for k := range list {
		if atOnce == 1 {
			errs[k] = do(list[k])
			continue
		}
		group.Go(func() error { errs[k] = do(list[k]); return nil })
	}
	_ = group.Wait() // they say nothing to it
	return errors.Join(errs...)
}

// A wantedPod is on record, and is to be created.
type wantedPod struct {
	*corev1.Pod
	tries int
	after time.Time // when to try again
	why   string    // it could not be created
}

// buildPod makes the pod of node i: what the user gave, and what marks it as ours. The error says what can't be carried out; the
// node ends with it.
func (r *reconciler) buildPod(w *run, i nodegraph.Index) (*corev1.Pod, error) {
	pod, err := w.stored.pods.Pod(w.engine, i)
	if err != nil {
		return nil, err
	}
	if pod.Labels == nil {
		pod.Labels = make(map[string]string)
	}
	maps.Copy(pod.Labels, r.shard.Labels())
	pod.Labels[labelWorkflow], pod.Labels[labelCompleted] = w.key.Name, "false"
	pod.Finalizers = []string{finalizer}
	owner := metav1.ObjectMeta{Name: w.key.Name, UID: types.UID(w.stored.UID)}
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(&owner, workflowKind)}
	return pod, nil
}

// answer answers what an action asks, and puts what it orders on the list. What this example can't do is said to the
// engine, so that the node ends with it and nothing waits for ever.
func (r *reconciler) answer(w *run, a *propagate.Action) []propagate.Event {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		if a.Kind != nodegraph.KindPod || w.wanted[a.ID] != nil {
			break
		}
		pod, err := r.buildPod(w, a.Node)
		if err != nil {
			return []propagate.Event{propagate.Unrunnable(a.ID, err.Error())}
		}
		w.wanted[a.ID] = &wantedPod{Pod: pod}
	case propagate.ActionAcquire:
		return []propagate.Event{r.locks.acquire(w.key, a)}
	case propagate.ActionRelease:
		w.released = append(w.released, a.ID)
	case propagate.ActionResolve:
		holds, reads, err := w.stored.pods.When(w.engine, a.Node, a.Message)
		if err != nil {
			return []propagate.Event{propagate.Unanswerable(a.ID, err.Error())}
		}
		return []propagate.Event{propagate.Resolved(a.ID, holds, reads)}
	case propagate.ActionExpand:
		return []propagate.Event{propagate.Unanswerable(a.ID, "outputs are not kept, so there are no items: "+a.Message)}
	case propagate.ActionWake:
		w.timer = a.At
	case propagate.ActionTerminate: // see deleteSurplus
	}
	w.follows = w.follows || a.Type != propagate.ActionWake
	return nil
}

// carryOut does what is on record and not done yet: all of it can be done twice.
func (r *reconciler) carryOut(ctx context.Context, w *run, pods []*corev1.Pod) error {
	phase, _ := w.engine.Workflow()
	if err := r.letGo(ctx, w, pods, phase.Completed(), phase == nodegraph.PhaseSucceeded); err != nil { // first, because a pod that is made again has the same name
		return err
	}
	r.createPods(ctx, w)
	if err := r.deleteSurplus(ctx, pods, w.needs); err != nil { // before the locks under which they ran are free
		return err
	}
	for _, node := range w.released {
		if !w.hasLocks(node) {
			r.locks.release(w.key, node)
		}
	}
	w.released, w.follows = nil, false
	return nil
}

// hasLocks reports whether a node (empty: the workflow) has locks, or waits for them. One that gave them back may have asked again
// before that was carried out.
func (w *run) hasLocks(node string) bool {
	i := nodegraph.Root
	if node != "" {
		i = w.engine.Graph().Find(node)
	}
	return i != nodegraph.None && w.engine.Fact(i).Lock != fact.LockNone && w.engine.Fact(i).Lock != fact.LockReturned
}

// createPods creates the pods that are due. Those that can't be created are tried again later, and their nodes say why.
func (r *reconciler) createPods(ctx context.Context, w *run) {
	maps.DeleteFunc(w.wanted, func(_ string, p *wantedPod) bool { return !w.needs(p.Pod) }) // it has ended since
	var mu sync.Mutex
	_ = forAll(slices.Collect(maps.Values(w.wanted)), r.atOnce, func(p *wantedPod) error {
		if r.now().Before(p.after) {
			return nil
		}
		id := p.Annotations[podstatus.NodeID]
		pod, err := r.create(ctx, w, p.Pod)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
			w.news = append(w.news, propagate.Unrunnable(id, err.Error())) // asking again would not help
			delete(w.wanted, id)
		case err != nil:
			p.tries, p.after = p.tries+1, r.now().Add(min(100*time.Millisecond<<min(p.tries, 10), longestWait))
			p.why = shortened("its pod can't be created: " + err.Error())
			r.recorder.Eventf(w.object, nil, corev1.EventTypeWarning, "PodNotCreated", "CreatePod", "%s: %s", p.Name, p.why)
			r.metrics.notCreated.Inc()
		default:
			delete(w.wanted, id)
			w.created(pod, r.now())
		}
		return nil
	})
	for _, p := range w.wanted {
		w.lookAgain(p.after)
	}
	if len(w.news) > 0 {
		w.lookAgain(r.now())
	}
}

// create makes a pod, or finds it made.
func (r *reconciler) create(ctx context.Context, w *run, wanted *corev1.Pod) (*corev1.Pod, error) {
	pod := wanted.DeepCopy()
	err := r.client.Create(ctx, pod)
	if apierrors.IsAlreadyExists(err) {
		if pod, err = r.lookUp(ctx, w, wanted.Name); err == nil && pod == nil {
			err = fmt.Errorf("the name %s is taken by a pod that is not of this workflow", wanted.Name)
		}
	}
	return pod, err
}

// deleteSurplus deletes pods that go on for a node that has ended: it was stopped, or was a daemon. It looks at what
// there is, so it covers what a controller before this one was asked to terminate and did not.
func (r *reconciler) deleteSurplus(ctx context.Context, pods []*corev1.Pod, needed func(*corev1.Pod) bool) error {
	return forAll(pods, r.atOnce, func(pod *corev1.Pod) error {
		if needed(pod) || podstatus.Over(pod) || pod.DeletionTimestamp != nil {
			return nil
		}
		return r.deletePod(ctx, pod)
	})
}

// needs reports whether anything may still wait for a pod. One of a node that is not known here is left alone: that would be for
// one who knows more.
func (w *run) needs(pod *corev1.Pod) bool {
	i := w.engine.Graph().Find(pod.Annotations[podstatus.NodeID])
	if i <= nodegraph.Root {
		return !w.engine.Complete()
	}
	v := w.engine.Verdict(i)
	return !w.engine.Complete() && (!v.Fulfilled || v.Daemoned)
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
	const most = 900
	if len(note) > most {
		return strings.ToValidUTF8(note[:most], "") + "..."
	}
	return note
}
