package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// settle tells the engine what there is, and answers its questions.
func (r *reconciler) settle(w *run, pods []*corev1.Pod) error {
	changed, gone := w.told.Changed(w.engine, pods)
	news := w.news
	if !w.engine.Complete() {
		news = append(news, r.locks.answers(w.key, w.engine)...)
	}
	began := r.now()
	if !w.timer.After(began) {
		w.timer = time.Time{} // the engine tells the next one
	}
	w.recheck = time.Time{}
	for _, pod := range w.fresh {
		w.lookAgain(pod.since.Add(unseen))
	}
	s := &settling{r: r, w: w, now: began, changed: changed, gone: gone}
	if err := propagate.Drive(s, "", news...); err != nil {
		r.drop(w.key)
		return err
	}
	w.news = nil
	r.metrics.settled(time.Since(began), len(changed)+len(gone)+s.events, s.changes)
	w.changes = append(w.changes, s.changes...)
	for _, c := range s.changes { // when something new began is known to nobody else
		w.follows = w.follows || c.From == nodegraph.PhasePlanned
	}
	return nil
}

// A settling is one call of settle: the host's side of [propagate.Drive] for one workflow. Locks that are given back are handed
// on when the status is stored, so nothing is said to other workflows meanwhile.
type settling struct {
	r             *reconciler
	w             *run
	now           time.Time
	changed, gone []propagate.PodStatus // of which the engine was not told yet
	changes       []propagate.Change
	events        int
}

// Call tells the engine what differs from what it knows, and what is new. How a pod looked comes before that it is gone.
func (s *settling) Call(_ string, events []propagate.Event) (result propagate.Result, err error) {
	if len(s.gone) > 0 && len(s.changed) > 0 {
		if result, err = s.w.engine.SyncChanged(s.now, s.changed, nil); err != nil {
			return result, err
		}
		s.changes, s.changed = append(s.changes, result.Changes...), nil
	}
	then, err := s.w.engine.SyncChanged(s.now, s.changed, s.gone, events...)
	if err != nil {
		return then, err
	}
	s.changed, s.gone, s.events = nil, nil, s.events+len(events)
	s.changes, result.Actions = append(s.changes, then.Changes...), append(result.Actions, then.Actions...)
	return result, nil
}

// Do answers an action, or puts what it orders on the list.
func (s *settling) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	var notices []propagate.Notice
	for _, answer := range s.r.answer(s.w, a) {
		notices = append(notices, propagate.Notice{Workflow: workflow, Event: answer})
	}
	return notices, nil
}

// store writes the status. After it the run stands for what was written.
func (r *reconciler) store(ctx context.Context, w *run) error {
	snapshot := w.engine.Snapshot()
	children := argo.Children(w.engine.Graph(), w.engine.Exists)
	for k := range snapshot.Nodes {
		n := &snapshot.Nodes[k]
		n.Children = children(w.engine.Graph().Find(n.ID))
		if p := w.wanted[n.ID]; p != nil && p.why != "" && n.Phase == nodegraph.PhasePending {
			n.Message = p.why
		}
	}
	status, err := w.stored.newStatus(w.engine, snapshot)
	if err != nil {
		return err
	}
	if status != nil {
		metadata := map[string]any{"labels": w.stored.newLabels(snapshot.Phase, snapshot.Finished)}
		if waits := r.waitsSince(w); waits != "" {
			metadata["annotations"] = map[string]string{annotationWaits: waits}
		}
		if err := r.write(ctx, w, metadata, status); err != nil {
			return err
		}
		w.written = r.now()
		if w.stored, err = readWorkflow(w.object); err != nil {
			return err
		}
	}
	r.announce(w, w.changes)
	w.changes = nil
	r.metrics.obligations.Note(w.key.String(), w.engine, r.now())
	return nil
}
