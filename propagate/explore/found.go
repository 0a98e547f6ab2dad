package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// found says what is not as it must be.
func (x *Exploration) found(t testing.TB, kind string, w *World, err error) {
	if x.Found == nil {
		require.NoError(t, err, "%s, after %s", kind, x.route(w.path))
		return
	}
	x.Found(kind, x.route(w.path), err)
}

func (x *Exploration) route(path []move) route { return route{x, slices.Clone(path)} }

// String is what happened, with what the engines asked for.
func (r route) String() string {
	var all strings.Builder
	for k, note := range r.notes() {
		if k > 0 && !strings.HasPrefix(note, " ") {
			all.WriteString("; ")
		} else if k > 0 {
			all.WriteString(" ->" + strings.TrimLeft(note, " "))
			continue
		}
		all.WriteString(note)
	}
	return all.String()
}

// notes replays the path and writes down what happens.
func (r route) notes() []string {
	w := r.x.begin()
	w.noting = true
	for _, m := range r.path {
		_, _ = w.take(m)
	}
	return w.notes
}

// Path says what has happened in a world, for messages.
func (x *Exploration) Path(w *World) fmt.Stringer { return x.route(w.path) }

// check tests a new state. It reports whether it may be explored further: a state that is wrong leads to others that are.
func (x *Exploration) check(t testing.TB, w *World) bool {
	right := true
	wrong := func(kind string, err error) {
		right = false
		x.found(t, kind, w, err)
	}
	claims := make([]*truth.Claim, len(w.Engines))
	for k, e := range w.Engines {
		if err := e.Check(); err != nil {
			wrong(checkKind(e, err), err)
		}
		claims[k] = truth.Of(e)
		if err := claims[k].Check(); err != nil {
			wrong(truthKind(e, err), err)
		}
		if x.Cluster != nil {
			x.checkPods(k, e, w, wrong)
			checkHits(e, wrong)
			checkExitHooks(e, w.flows[k].shutdown, wrong)
		}
	}
	if len(claims) > 1 {
		if err := truth.Holders(claims...); err != nil {
			wrong(truthKind(w.Engines[0], err), err)
		}
	}
	return right
}

// checkPods: what runs for a workflow that is complete was told to end.
func (x *Exploration) checkPods(k int, e *propagate.Engine, w *World, wrong func(string, error)) {
	if !e.Complete() {
		return
	}
	for _, p := range w.Workflows[k].Pods {
		if p.Alive() && !p.Terminating && !p.Stray {
			kind := "a pod is left in a complete workflow"
			if p.Template.IsDaemon() {
				kind = "a daemon is left in a complete workflow"
			}
			wrong(kind, fmt.Errorf("workflow %d: the pod of %q", k, p.Node))
			return
		}
	}
}

// checkKind names what an invariant is broken by.
func checkKind(e *propagate.Engine, err error) string {
	var broken *propagate.InvariantError
	if !errors.As(err, &broken) {
		return "check"
	}
	kind := "check: " + broken.Invariant
	if i := e.Graph().Find(broken.Node); broken.Node != "" && i != nodegraph.None {
		return kindOf(kind, e.Graph().Node(i).Kind)
	}
	return kindOf(kind, nodegraph.KindWorkflow)
}

// hangs says for what a workflow waits that can't come, and nobody says that it can't.
func (x *Exploration) hangs(t testing.TB, w *World) {
	for k, e := range w.Engines {
		if e.Complete() {
			continue
		}
		open := e.Obligations()
		if slices.ContainsFunc(open, func(o propagate.Obligation) bool { return o.Never != "" }) || len(w.Locks.Deadlocks()) > 0 {
			return // it says so
		}
		first := slices.MinFunc(open, func(a, b propagate.Obligation) int { return waits(a) - waits(b) })
		kind := kindOf("it hangs: "+first.For.String(), e.Graph().Node(first.Node).Kind)
		x.found(t, kind, w, fmt.Errorf("workflow %d waits for %v, and nothing is left that would come by itself", k, open))
		return
	}
}

// waits is 1 for what waits for others of its kind, and 0 for what may be the cause of that.
func waits(o propagate.Obligation) int {
	if o.For == propagate.WaitLock || o.For == propagate.WaitParallelism {
		return 1
	}
	return 0
}

// checkHits: a hit in the cache ends a node well.
func checkHits(e *propagate.Engine, wrong func(string, error)) {
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if phase, _ := e.Phase(i); e.Fact(i).CacheHit && phase != nodegraph.PhaseSucceeded {
			wrong(kindOf("what was found in the cache is no success", e.Graph().Node(i).Kind), fmt.Errorf("%q is %s", e.Graph().Node(i).Name(), phase))
			return
		}
	}
}

// checkExitHooks: in a complete workflow the exit hook of everything that ran to its end has run, unless a shutdown forbids it.
func checkExitHooks(e *propagate.Engine, shutdown string, wrong func(string, error)) {
	if !e.Complete() || shutdown == "Terminate" {
		return
	}
	for _, i := range simhost.LostExitHooks(e) {
		n := e.Graph().Node(i)
		wrong(kindOf("an exit hook does not run", n.Kind), fmt.Errorf("that of %q, which is %s", n.Name(), e.Verdict(i).Phase))
		return
	}
}

// muchLater is a time by which everything that waits for time has ended.
const muchLater = 1000 * time.Hour

// checkLater: time changes nothing in what is complete.
func (x *Exploration) checkLater(t testing.TB, w *World) {
	w = w.clone()
	w.Now = w.Now.Add(muchLater)
	for k := range w.Engines {
		if !w.Engines[k].Complete() {
			continue
		}
		r, _ := w.call(k)
		e := w.Engines[k]
		if err := e.Check(); err != nil {
			x.found(t, "time changes what is complete: "+checkKind(e, err), w, err)
		} else if len(r.Changes)+len(r.Actions) > 0 {
			x.found(t, "time changes what is complete", w, fmt.Errorf("workflow %d: %v %v", k, r.Changes, r.Actions))
		}
	}
}

// same: two engines look the same, and would save the same.
func (x *Exploration) same(t testing.TB, w *World, what string, want, got *propagate.Engine) {
	if err := got.Check(); err != nil {
		x.found(t, what+": "+checkKind(got, err), w, err)
		return
	}
	before, after := Look(want), Look(got)
	if before == after && hashOf(want) == hashOf(got) {
		return
	}
	diff := cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n"))
	if diff == "" {
		diff = cmp.Diff(unasked(savedNodes(want)), unasked(savedNodes(got)))
		what += ", unseen"
	}
	if diff != "" {
		x.found(t, kindOf(what, firstDifference(want, got)), w, fmt.Errorf("-without the restart +with it\n%s", diff))
	}
}

// unasked is a state without what the host was asked and did not answer: it is asked again.
func unasked(s propagate.State) propagate.State {
	for k := range s.Nodes {
		f := &s.Nodes[k].Fact
		if f.Lock == fact.LockAsked {
			f.Lock = fact.LockNone
			if f.Exists() {
				f.Lock = fact.LockReturned
			}
		}
		for _, answer := range []*fact.Answer{&f.Answer, &f.Memo} {
			if *answer == fact.AnswerAsked {
				*answer = fact.AnswerNone
			}
		}
	}
	s.Nodes = slices.DeleteFunc(s.Nodes, func(n propagate.NodeState) bool { return n.Fact == fact.Fact{} })
	return s
}

// firstDifference is the kind of the first node that differs.
func firstDifference(a, b *propagate.Engine) nodegraph.Kind {
	for i := nodegraph.Root; int(i) < a.Graph().Len(); i++ {
		n := a.Graph().Node(i)
		other := b.Graph().Find(n.Name())
		if i == nodegraph.Root {
			other = nodegraph.Root
		}
		if other == nodegraph.None || a.Fact(i) != b.Fact(other) || a.Verdict(i).Phase != b.Verdict(other).Phase {
			return n.Kind
		}
	}
	return nodegraph.KindWorkflow
}

// checkRestart: engines that are saved and loaded look the same, would save the same, and hold and wait for the same
// locks (I7).
func (x *Exploration) checkRestart(t testing.TB, w *World) {
	var locks propagate.LockTable
	for k, e := range w.Engines {
		loaded, err := e.Clone()
		require.NoError(t, err)
		x.Count.Restarts.Add(1)
		x.same(t, w, "a restart changes the state", e, loaded)
		locks.Adopt(w.Workflows[k].Name, loaded)
	}
	for _, key := range w.keys() {
		if len(w.Owed) > 0 {
			break
		}
		if !sameHolders(w.Locks.Holders(key), locks.Holders(key)) || !sameHolders(w.Locks.Waiters(key), locks.Waiters(key)) {
			x.found(t, "a restart changes who has a lock", w, fmt.Errorf("%s: held by %v, awaited by %v; after a restart by %v, by %v",
				key, w.Locks.Holders(key), w.Locks.Waiters(key), locks.Holders(key), locks.Waiters(key)))
		}
	}
}

func sameHolders(a, b []propagate.Holder) bool {
	for _, h := range a {
		if !slices.Contains(b, h) {
			return false
		}
	}
	return len(a) == len(b)
}

// leafEnds are the phases of leaves whose own end is known, or that the workflow has ended, and that events must not
// change: they do not begin a new incarnation or run of them.
func leafEnds(e *propagate.Engine, events []propagate.Event) map[nodegraph.Index]nodegraph.Phase {
	ended := make(map[nodegraph.Index]nodegraph.Phase)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		f, n := e.Fact(i), e.Graph().Node(i)
		superseded := slices.ContainsFunc(events, func(ev propagate.Event) bool {
			same := strings.HasPrefix(n.Name(), ev.Node) && ev.Node != ""
			return ev.Type == propagate.EventManualRetry ||
				same && (ev.Pod.UID != "" && f.UID != "" && ev.Pod.UID != f.UID || ev.Pod.UID == f.UID && ev.Pod.Attempt > f.Attempt)
		})
		if n.Kind.Composite() || f.Stage < fact.StageEnded || superseded || !e.Verdict(i).Fulfilled {
			continue
		}
		ended[i], _ = e.Phase(i)
	}
	return ended
}

// checkRewriting: leaves that had ended are as they were (I5).
func (x *Exploration) checkRewriting(t testing.TB, w *World, d deed, ended map[nodegraph.Index]nodegraph.Phase) {
	g := w.Engines[d.workflow].Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		phase, had := ended[i]
		if now, _ := w.Engines[d.workflow].Phase(i); had && now != phase {
			w.fault(kindOf("an end is rewritten", g.Node(i).Kind), "%q was %s and is %s", g.Node(i).Name(), phase, now)
		}
	}
}

// Len is how many moves there were.
func (r route) Len() int { return len(r.path) }
