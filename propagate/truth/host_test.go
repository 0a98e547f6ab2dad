package truth_test

import (
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// host drives one engine and shows every single call to see, which a [replay.Host] does not.
type host struct {
	engine *propagate.Engine
	locks  *propagate.LockTable
	see    func(e *propagate.Engine, r propagate.Result, manual bool)
}

// took shows the result of a call and answers what it asks about locks.
func (h *host) took(now time.Time, r propagate.Result, err error, manual bool) error {
	if err != nil {
		return err
	}
	h.see(h.engine, r, manual)
	for k := range r.Actions {
		a := &r.Actions[k]
		me := propagate.Holder{Workflow: h.engine.Graph().Spec().Name, Node: a.ID}
		var answers []propagate.Event
		switch a.Type {
		case propagate.ActionAcquire:
			answers = append(answers, propagate.LockQueued(a.ID, "", ""))
			if granted, key, message := h.locks.Acquire(me, a.Locks); granted {
				answers[0] = propagate.LockGranted(a.ID)
			} else {
				answers[0] = propagate.LockQueued(a.ID, key, message)
			}
		case propagate.ActionRelease:
			for _, g := range h.locks.Release(me) {
				answers = append(answers, propagate.LockGranted(g.Node))
			}
		}
		for _, answer := range answers {
			if h.engine.Complete() {
				continue
			}
			r, err := h.engine.Apply(now, answer)
			if err := h.took(now, r, err, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// play plays a recording, as a [replay.Player] does.
func play(r *replay.Recording, mode string, see func(frame int, e *propagate.Engine, r propagate.Result, manual bool)) error {
	spec, err := r.Spec()
	if err != nil {
		return err
	}
	h := &host{}
	for k := range r.Frames {
		f := &r.Frames[k]
		h.see = func(e *propagate.Engine, r propagate.Result, manual bool) { see(k, e, r, manual) }
		var events []propagate.Event
		if k == 0 || mode != free {
			switch {
			case k == 0:
				h.engine, err = propagate.New(spec)
			case mode == step:
				h.engine, _, err = propagate.Restore(spec, r.Frames[k-1].Recorded)
			case mode == reloaded:
				h.engine, _, err = propagate.Load(spec, h.engine.Save())
			case mode == restored:
				h.engine, _, err = propagate.Restore(spec, h.engine.Snapshot())
			}
			if err != nil {
				return err
			}
			h.locks = &propagate.LockTable{}
			h.locks.Adopt(spec.Name, h.engine)
			for _, free := range h.locks.Grant() {
				events = append(events, propagate.LockGranted(free.Node))
			}
		}
		done, manual := did(f), false
		switch {
		case h.engine.Complete() && done["manual-retry"]:
			events, manual = []propagate.Event{propagate.ManualRetry()}, true
		case h.engine.Complete():
			events = nil
		default:
			if f.Shutdown != "" && (k == 0 || f.Shutdown != r.Frames[k-1].Shutdown) {
				events = append(events, propagate.Shutdown(f.Shutdown))
			}
			if done["resume"] {
				events = append(events, resumes(h.engine)...)
			}
		}
		result, err := h.engine.SyncPods(f.Now, f.Pods, events...)
		if err := h.took(f.Now, result, err, manual); err != nil {
			return err
		}
	}
	return nil
}

// did returns the words of what the recorder did before a frame.
func did(f *replay.Frame) map[string]bool {
	words := make(map[string]bool)
	for _, e := range f.Events {
		word, _, _ := strings.Cut(e, " ")
		words[word] = true
	}
	return words
}

// resumes lets every Suspend node that waits go on.
func resumes(e *propagate.Engine) []propagate.Event {
	var events []propagate.Event
	g := e.Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if phase, _ := e.Phase(i); g.Node(i).Kind == nodegraph.Suspend && phase == nodegraph.Running {
			events = append(events, propagate.Resumed(g.Node(i).ID()))
		}
	}
	return events
}
