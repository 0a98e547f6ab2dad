package replay_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// forEver are the recordings whose specification lets nobody end them, each with a node whose wait can never end. The reason
// is a lock that something around the node holds, or a ready daemon that fills the parallelism of a template around both.
var forEver = map[string]struct {
	node   string
	reason func(e *propagate.Engine, node nodegraph.Index) bool
}{
	"wide/daemon-template-parallelism": {"dmtpar.a", filledByDaemon},
	"wide/mutex-self-nested":           {"mself.outer.x", heldAround},
	"wide/mutex-self-nested-v3.6":      {"mself.outer.x", heldAround},
	"wide/mutex-self-nested-v3.7":      {"mself.outer.x", heldAround},
	"wide/rnd112":                      {"rnd112.b-2.job4", filledByDaemon},
	"wide/rnd218":                      {"rnd218(0)[0].s0[0].s0.job2", heldAround},
	"wide/rnd327":                      {"rnd327[1].s2[0].s2", heldAround},
	"wide/rnd383":                      {"rnd383(0).a1(0:x)", heldAround},
}

// No recording hangs, whatever its controller left behind: each that was unfinished after its last frame is completed by a host
// that runs every pod to its end, answers every question and lets time pass. That holds for an engine that has heard all
// that the controller has, and for one that adopts what the controller recorded last. Those that the specification keeps from
// their end are listed. They wait for locks and places alone, and say so.
func TestUnfinishedRecordingsComplete(t *testing.T) {
	var unfinished []string
	files, err := filepath.Glob(filepath.Join(recordings, "*/*"))
	require.NoError(t, err)
	for _, file := range files {
		r, err := readFile(t, file)
		if err != nil || r.Frames[len(r.Frames)-1].Recorded.Phase.Completed() {
			continue
		}
		name := replay.RecordingPath(file)
		unfinished = append(unfinished, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, e := range enginesAfter(t, r) {
				e = drained(t, r, e)
				never, listed := forEver[name]
				if !listed {
					assert.True(t, e.Complete(), "%s: it waits for %v", how, e.Obligations())
					continue
				}
				waits := make(map[string]bool)
				for _, o := range e.Obligations() {
					waits[o.Name] = true
					assert.Contains(t, []propagate.WaitReason{propagate.WaitLock, propagate.WaitParallelism}, o.For, "%s: %s", how, o)
				}
				assert.True(t, waits[never.node], "%s: it waits for %v", how, e.Obligations())
				assert.True(t, never.reason(e, e.Graph().Find(never.node)), "%s: why %s waits for ever", how, never.node)
			}
		})
	}
	t.Logf("%d recordings are unfinished after their last frame", len(unfinished))
	assert.Greater(t, len(unfinished), 100)
	for name := range forEver {
		assert.Contains(t, unfinished, name)
	}
}

// heldAround reports whether something that node i is inside of holds a lock that i needs.
func heldAround(e *propagate.Engine, i nodegraph.Index) bool {
	g := e.Graph()
	for p := g.Node(i).Parent; p > nodegraph.Root; p = g.Node(p).Parent {
		if e.Fact(p).Lock != fact.LockHeld {
			continue
		}
		for _, l := range g.Node(p).Template.Locks {
			if slices.Contains(g.Node(i).Template.Locks, l) {
				return true
			}
		}
	}
	return false
}

// filledByDaemon reports whether a ready daemon takes the only place in the template that node i is in.
func filledByDaemon(e *propagate.Engine, i nodegraph.Index) bool {
	g := e.Graph()
	boundary := g.Boundary(i)
	for m := range g.Members(boundary) {
		if e.Verdict(m).Daemoned {
			return g.Node(boundary).Template.Parallelism == 1
		}
	}
	return false
}

// enginesAfter returns the engine that has heard the recording, and the one that is made from its last record.
func enginesAfter(t *testing.T, r *replay.Recording) map[string]*propagate.Engine {
	t.Helper()
	engines := make(map[string]*propagate.Engine)
	player := &replay.Player{Recording: r, Mode: replay.Free}
	require.NoError(t, player.Play(func(m *replay.Moment) error {
		engines["heard"] = m.Engine
		return nil
	}))
	adopted, _, err := propagate.FromSnapshot(engines["heard"].Graph().Spec(), r.Frames[len(r.Frames)-1].Recorded)
	require.NoError(t, err)
	engines["adopted"] = adopted
	return engines
}

// drained lets a host do all that a workflow waits for, and returns the engine once there is nothing left to do.
func drained(t *testing.T, r *replay.Recording, e *propagate.Engine) *propagate.Engine {
	t.Helper()
	last := &r.Frames[len(r.Frames)-1]
	h, err := simhost.New(last.Now, e.Graph().Spec())
	require.NoError(t, err)
	w := h.Workflows[0]
	_, err = w.Load(e.Save())
	require.NoError(t, err)
	for k := range last.Pods {
		if i := e.Graph().Find(last.Pods[k].Node); i > nodegraph.Root && e.Exists(i) {
			takeOver(h, e.Graph().Node(i).Name(), &last.Pods[k])
		}
	}
	h.Adopt()
	require.NoError(t, h.Begin())
	for n := 0; goOn(t, h, w); n++ {
		require.Less(t, n, 3000, "it does not come to an end: %v", w.Engine.Obligations())
	}
	require.NoError(t, w.Engine.Check())
	return w.Engine
}

// takeOver gives the host a pod that exists.
func takeOver(h *simhost.Host, node string, was *propagate.PodStatus) {
	p := h.Make(h.Workflows[0].Name, node)
	p.UID, p.Created, p.Status = was.UID, was.Created, *was
	switch was.Phase {
	case "Succeeded", "Failed":
		p.State = simhost.PodEnded
	case "Running":
		p.State = simhost.PodRunning
	}
}

// goOn lets one good thing happen. It reports whether there was one.
func goOn(t *testing.T, h *simhost.Host, w *simhost.Workflow) bool {
	t.Helper()
	tell := func(events ...propagate.Event) bool {
		require.NoError(t, h.Tell(w.Name, events...))
		return true
	}
	if w.Engine.Complete() {
		return false
	}
	if len(h.Owed) > 0 {
		errand, ev := h.Run(0)
		switch a := &errand.Action; a.Type {
		case propagate.ActionResolve:
			ev = propagate.Resolved(a.ID, true, "")
		case propagate.ActionExpand:
			ev = propagate.Expanded(a.ID, nodegraph.Item{Text: "x"})
		case propagate.ActionLookup:
			ev = propagate.Memoized(a.ID, false)
		}
		return tell(ev)
	}
	for _, p := range w.Pods {
		if ev, ok := nextOf(p); ok {
			return tell(p.Become(ev))
		}
	}
	for _, o := range w.Engine.Obligations() {
		switch o.For {
		case propagate.WaitSuspended:
			return tell(propagate.Suspended(false))
		case propagate.WaitResume:
			return tell(propagate.Resumed(o.Name))
		case propagate.WaitServed:
			return tell(propagate.NodeEnded(o.Name, nodegraph.PhaseSucceeded, ""))
		case propagate.WaitResult:
			return tell(propagate.ResultSynced(o.Name))
		case propagate.WaitStart:
			h.Make(w.Name, o.Name)
			return true
		case propagate.WaitPod: // the host has no such pod
			return tell(propagate.PodDeleted(o.Name))
		}
	}
	if i := slices.IndexFunc(w.Engine.Obligations(), func(o propagate.Obligation) bool { return o.For == propagate.WaitTimer }); i >= 0 {
		h.Now = h.Now.Add(time.Second)
		if until := w.Engine.Obligations()[i].Until; until.After(h.Now) {
			h.Now = until
		}
		return tell()
	}
	return false
}

// nextOf is what happens to a pod next.
func nextOf(p *simhost.Pod) (propagate.Event, bool) {
	switch {
	case !p.Alive():
		return propagate.Event{}, false
	case p.Terminating:
		return propagate.PodDeleted(p.Node), true
	case p.State != simhost.PodRunning || p.Template.Daemon && !p.Ready:
		ev := propagate.PodRunning(p.Node)
		ev.Ready = true
		return ev, true
	case p.Template.Daemon:
		return propagate.Event{}, false
	}
	return propagate.PodSucceeded(p.Node), true
}
