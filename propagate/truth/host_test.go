package truth_test

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// host drives one engine and shows every single call to see, which a [replay.Host] does not.
type host struct {
	engine *propagate.Engine
	locks  *propagate.LockTable
	frame  *replay.Frame
	listed bool // the pods of the frame are known
	see    func(e *propagate.Engine, r propagate.Result, manual bool)
}

// Call shows the result of a call.
func (h *host) Call(_ string, events []propagate.Event) (r propagate.Result, err error) {
	if h.listed {
		r, err = h.engine.Apply(h.frame.Now, events...)
	} else {
		r, err = h.engine.SyncPods(h.frame.Now, h.frame.Pods, events...)
	}
	if err == nil {
		h.listed = true
		manual := slices.ContainsFunc(events, func(ev propagate.Event) bool { return ev.Type == propagate.EventManualRetry })
		h.see(h.engine, r, manual)
	}
	return r, err
}

// Do answers what is asked about locks.
func (h *host) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	return h.locks.Answer(workflow, a), nil
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
				h.engine, _, err = propagate.FromSnapshot(spec, r.Frames[k-1].Recorded)
			case mode == reloaded:
				h.engine, _, err = propagate.FromState(spec, h.engine.Save())
			case mode == restored:
				h.engine, _, err = propagate.FromSnapshot(spec, h.engine.Snapshot())
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
		done := did(f)
		switch {
		case h.engine.Complete() && done["manual-retry"]:
			events = []propagate.Event{propagate.ManualRetry()}
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
		h.frame, h.listed = f, false
		if err := propagate.Drive(h, spec.Name, events...); err != nil {
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
		if phase, _ := e.Phase(i); g.Node(i).Kind == nodegraph.KindSuspend && phase == nodegraph.PhaseRunning {
			events = append(events, propagate.Resumed(g.Node(i).ID()))
		}
	}
	return events
}
