package propagate_test

import (
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

var exploreSize = flag.Int("explore", 3,
	"most containers of the sets that are explored; from 4 on also longer paths, and DAGs with tasks in any order of names")

// An exploration is a search, breadth first, through all that can happen to a few small workflows when facts out of a
// list come in any order, as far as the workflows admit them. In every state that is reached the invariants hold, facts
// that are known change nothing when they are said again, and an engine that is saved and loaded looks the same and does
// the same with every fact that may come next. States to which the same facts have led look the same (I3).
type exploration struct {
	specs []*nodegraph.Spec // the workflows, which share their locks
	facts []told
	bound int // most moves on a path
	// where tells which states must look the same; those for which it returns "" are not compared.
	where func(w *world, maximal bool) string
	// last, if set, looks at states after which nothing can happen.
	last func(t *testing.T, w *world)

	seen  map[string]bool
	looks map[string]reached // by where
	count *explored
}

// told is a fact about one of the workflows.
type told struct {
	workflow int
	event    propagate.Event
}

func (f told) String() string {
	return fmt.Sprintf("%d: %v %s", f.workflow, f.event, f.event.Pod.UID)
}

// reached is how the world looked, and how it came about.
type reached struct {
	look string
	by   route
}

// explored counts what explorations did.
type explored struct{ cases, states, transitions, repeated, restarts, maximal atomic.Int64 }

func (c *explored) String() string {
	return fmt.Sprintf("%d cases, %d states, %d of them maximal, %d transitions, %d facts said again, %d restarts",
		c.cases.Load(), c.states.Load(), c.maximal.Load(), c.transitions.Load(), c.repeated.Load(), c.restarts.Load())
}

// A world is a few engines, the locks that they share, and what the host has not yet done about those.
type world struct {
	engines []*propagate.Engine
	locks   propagate.LockTable
	owed    []errand
	told    uint64 // facts, as bits
	moves   int    // without those that say again what was said
	path    []move
}

// An errand is to ask for locks, or to tell that they were granted.
type errand struct {
	workflow int
	node     string
	locks    []nodegraph.Lock // to ask for; nil: to tell
}

// A move is one thing that happens: the fact of this number or, beyond the facts, the errand of this number.
type move int

// holder is a node of a workflow, or the workflow, in the table of locks.
func (w *world) holder(workflow int, node string) propagate.Holder {
	return propagate.Holder{Workflow: fmt.Sprint(workflow), Node: node}
}

// begin makes the world in which nothing has happened yet.
func (x *exploration) begin(t *testing.T) *world {
	w := &world{}
	for k, spec := range x.specs {
		e, err := propagate.New(spec)
		require.NoError(t, err)
		r, err := e.Apply(epoch)
		require.NoError(t, err)
		w.engines = append(w.engines, e)
		w.carryOut(k, r)
	}
	return w
}

// again makes the world to which a path leads.
func (x *exploration) again(t *testing.T, path []move) *world {
	w := x.begin(t)
	for _, m := range path {
		_, err := x.take(w, m)
		require.NoError(t, err)
	}
	return w
}

// event is what a move says, and to whom. The table of locks answers when it is asked.
func (x *exploration) event(w *world, m move) (int, propagate.Event) {
	if int(m) < len(x.facts) {
		return x.facts[m].workflow, x.facts[m].event
	}
	errand := w.owed[int(m)-len(x.facts)]
	if errand.locks == nil {
		return errand.workflow, propagate.LockGranted(errand.node)
	}
	granted, key, message := w.locks.Acquire(w.holder(errand.workflow, errand.node), errand.locks)
	if granted {
		return errand.workflow, propagate.LockGranted(errand.node)
	}
	return errand.workflow, propagate.LockQueued(errand.node, key, message)
}

// take lets a move happen. On an error the fact can't come here, and the world is as before.
func (x *exploration) take(w *world, m move) (propagate.Result, error) {
	k, ev := x.event(w, m)
	r, err := w.engines[k].Apply(epoch, ev)
	isErrand := int(m) >= len(x.facts)
	if isErrand {
		at := int(m) - len(x.facts)
		w.owed = slices.Delete(w.owed, at, at+1)
		if errors.Is(err, propagate.ErrComplete) { // what asked has ended meanwhile: the host gives the lock back
			w.giveBack(k, ev.Node)
			err = nil
		}
	}
	if err != nil {
		return r, err
	}
	if isErrand || w.told&(1<<m) == 0 {
		w.moves++
	}
	if !isErrand {
		w.told |= 1 << m
	}
	w.path = append(w.path, m)
	w.carryOut(k, r)
	return r, nil
}

// carryOut gives locks back at once, as a host must; it may take its time to ask for them and to hand them on.
func (w *world) carryOut(workflow int, r propagate.Result) {
	for _, a := range r.Actions {
		switch a.Type {
		case propagate.ActionAcquire:
			w.owed = append(w.owed, errand{workflow, a.ID, a.Locks})
		case propagate.ActionRelease:
			w.giveBack(workflow, a.ID)
		}
	}
}

func (w *world) giveBack(workflow int, node string) {
	for _, h := range w.locks.Release(w.holder(workflow, node)) {
		var to int
		_, _ = fmt.Sscan(h.Workflow, &to)
		w.owed = append(w.owed, errand{workflow: to, node: h.Node})
	}
}

// key tells states apart: all that the engines would save, with the nodes by id, and what the host knows.
func (w *world) key() string {
	var b strings.Builder
	for _, e := range w.engines {
		b.WriteString(saved(e))
	}
	var owed []string
	for _, errand := range w.owed {
		owed = append(owed, fmt.Sprint(errand))
	}
	slices.Sort(owed) // errands are run in any order
	fmt.Fprintf(&b, "%x %v %v %v", w.told, owed, w.locks.Holders(mutexM), w.locks.Waiters(mutexM))
	return b.String()
}

// savedNodes is the state of an engine with the nodes by id, in whichever order they came to exist.
func savedNodes(e *propagate.Engine) propagate.State {
	s := e.Save()
	slices.SortFunc(s.Nodes, func(a, b propagate.NodeState) int { return strings.Compare(a.ID, b.ID) })
	return s
}

var hashSeed = maphash.MakeSeed()

// saved tells states of an engine apart. No workflow here has a loop, so that nodes have no items.
func saved(e *propagate.Engine) string {
	s := savedNodes(e)
	text := fmt.Appendf(nil, "%v %s %v %x", s.Held, s.Shutdown, s.Older, maphash.Comparable(hashSeed, s.Workflow))
	for _, n := range s.Nodes {
		text = append(text, n.ID...)
		text = strconv.AppendUint(text, maphash.Comparable(hashSeed, n.Fact), 16)
	}
	return string(text)
}

// look is all phases and obligations, sorted by name.
func look(e *propagate.Engine) string {
	var lines []string
	for i := range nodegraph.Index(e.Graph().Len()) {
		if phase, _ := e.Phase(i); phase != nodegraph.Planned {
			name := e.Graph().Node(i).Name()
			if i == nodegraph.Root {
				name = "the workflow"
			}
			lines = append(lines, name+" "+phase.String())
		}
	}
	for _, o := range e.Obligations() {
		lines = append(lines, "waits for "+o.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *world) look() string {
	var looks []string
	for _, e := range w.engines {
		looks = append(looks, look(e))
	}
	return strings.Join(looks, "\n\n")
}

// A route is a path that is written out only if somebody reads it.
type route struct {
	x    *exploration
	path []move
	end  string
}

func (x *exploration) route(path []move, end string) route { return route{x, slices.Clone(path), end} }

func (r route) String() string {
	var steps []string
	for _, m := range r.path {
		if int(m) < len(r.x.facts) {
			steps = append(steps, r.x.facts[m].String())
		} else {
			steps = append(steps, fmt.Sprintf("errand %d", int(m)-len(r.x.facts)))
		}
	}
	return strings.Join(steps, "; ") + r.end
}

// run explores.
func (x *exploration) run(t *testing.T) {
	x.seen, x.looks = make(map[string]bool), make(map[string]reached)
	x.count.cases.Add(1)
	first := x.begin(t)
	x.enter(t, first)
	for level := []*world{first}; len(level) > 0; {
		var next []*world
		for _, w := range level {
			next = append(next, x.expand(t, w)...)
		}
		level = next
	}
}

// enter notes a state, and tells whether it is new. A new one must keep the invariants.
func (x *exploration) enter(t *testing.T, w *world) bool {
	key := w.key()
	if x.seen[key] {
		return false
	}
	x.seen[key] = true
	x.count.states.Add(1)
	for k, e := range w.engines {
		require.NoError(t, e.Check(), "workflow %d after %s", k, x.route(w.path, ""))
	}
	w.checkMutex(t, x)
	return true
}

// checkMutex: at most one holds the mutex and has not settled.
func (w *world) checkMutex(t *testing.T, x *exploration) {
	var holders []string
	for k, e := range w.engines {
		for i := range nodegraph.Index(e.Graph().Len()) {
			if e.Fact(i).Lock == propagate.LockHeld {
				holders = append(holders, fmt.Sprint(k, " ", e.Graph().Node(i).Name()))
			}
		}
	}
	require.LessOrEqual(t, len(holders), 1, "they hold one mutex after %s: %v", x.route(w.path, ""), holders)
}

// expand lets everything happen that can happen next, and returns the states that are new.
func (x *exploration) expand(t *testing.T, w *world) []*world {
	path := w.path
	saves := make([]propagate.State, len(w.engines))
	var locks propagate.LockTable
	for k, e := range w.engines {
		saves[k] = e.Save()
		locks.Adopt(fmt.Sprint(k), x.compareLoaded(t, w, k, saves[k]))
	}
	if len(w.owed) == 0 {
		require.ElementsMatch(t, w.locks.Holders(mutexM), locks.Holders(mutexM), "who holds the mutex after %s; restart of the host", x.route(path, ""))
		require.ElementsMatch(t, w.locks.Waiters(mutexM), locks.Waiters(mutexM), "who waits for it after %s; restart of the host", x.route(path, ""))
	}
	var next []*world
	maximal := true
	for m := move(0); int(m) < len(x.facts)+len(w.owed); m++ {
		if int(m) < len(x.facts) && (w.told&(1<<m) != 0 || !x.may(w, m)) {
			continue
		}
		if w.moves == x.bound {
			maximal = false
			break
		}
		maximal = false
		if succ := x.step(t, path, m, saves); x.enter(t, succ) {
			next = append(next, succ)
		}
	}
	x.compare(t, w, maximal)
	if x.repeat(t, w) {
		next = append(next, w)
	}
	return next
}

// may tells whether a fact may come next: its node was created and has a pod of which something could be heard, which it
// has not while it waits for its locks.
func (x *exploration) may(w *world, m move) bool {
	e, ev := w.engines[x.facts[m].workflow], x.facts[m].event
	if e.Complete() {
		return false
	}
	if ev.Node == "" {
		return true
	}
	i := e.Graph().Find(ev.Node)
	return i != nodegraph.None && !e.Fact(i).Created.IsZero() && e.Fact(i).Lock != propagate.LockWaits
}

// step makes one move from the end of a path. What was loaded must take it in the same way.
func (x *exploration) step(t *testing.T, path []move, m move, saves []propagate.State) *world {
	succ := x.again(t, path)
	before := succ
	if int(m) >= len(x.facts) {
		before = x.again(t, path) // an errand changes the table of locks, and is run once more when it is taken
	}
	k, ev := x.event(before, m)
	ended := leafEnds(succ.engines[k], ev)
	loaded, _, err := propagate.Load(x.specs[k], saves[k])
	require.NoError(t, err)
	_, refusal := loaded.Apply(epoch, ev)
	complete := succ.engines[k].Complete()
	_, err = x.take(succ, m)
	require.NoError(t, err, "after %s", x.route(path, ""))
	x.count.transitions.Add(1)
	if complete { // what the host was asked for and brings too late
		require.ErrorIs(t, refusal, propagate.ErrComplete)
		return succ
	}
	require.NoError(t, refusal, "after %s", x.route(path, "; restart"))
	x.same(t, x.route(path, "; restart; "+ev.String()), succ.engines[k], loaded)
	for i, phase := range ended {
		now, _ := succ.engines[k].Phase(i)
		require.Equal(t, phase.String(), now.String(), "%s had ended after %s and was rewritten by %v",
			succ.engines[k].Graph().Node(i).Name(), x.route(path, ""), ev)
	}
	return succ
}

// leafEnds are the phases of leaves whose own end is known and that an event must not change: it does not begin a new
// incarnation or run of them.
func leafEnds(e *propagate.Engine, ev propagate.Event) map[nodegraph.Index]nodegraph.Phase {
	ended := make(map[nodegraph.Index]nodegraph.Phase)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		f, n := e.Fact(i), e.Graph().Node(i)
		superseded := strings.HasPrefix(n.Name(), ev.Node) && (ev.Pod.UID > f.UID || ev.Pod.UID == f.UID && ev.Pod.Attempt > f.Attempt)
		if !n.Kind.Composite() && f.Stage == propagate.StageEnded && !superseded {
			ended[i], _ = e.Phase(i)
		}
	}
	return ended
}

// compareLoaded: an engine that is saved and loaded looks the same, and would save the same (I7).
func (x *exploration) compareLoaded(t *testing.T, w *world, k int, s propagate.State) *propagate.Engine {
	loaded, unknown, err := propagate.Load(x.specs[k], s)
	require.NoError(t, err)
	require.Empty(t, unknown)
	x.count.restarts.Add(1)
	x.same(t, x.route(w.path, "; restart"), w.engines[k], loaded)
	return loaded
}

// same: two engines that look the same, and would save the same.
func (x *exploration) same(t *testing.T, after route, want, got *propagate.Engine) {
	require.NoError(t, got.Check(), "after %s", after)
	if look(want) != look(got) || saved(want) != saved(got) {
		require.Empty(t, cmp.Diff(strings.Split(look(want), "\n"), strings.Split(look(got), "\n")), "after %s (-without the restart +with it)", after)
		require.Empty(t, cmp.Diff(savedNodes(want), savedNodes(got)), "after %s (-without the restart +with it)", after)
	}
}

// compare: the same facts look the same, in whichever order they came (I3).
func (x *exploration) compare(t *testing.T, w *world, maximal bool) {
	if maximal {
		x.count.maximal.Add(1)
		if x.last != nil {
			x.last(t, w)
		}
	}
	where := x.where(w, maximal)
	if where == "" {
		return
	}
	now := reached{w.look(), x.route(w.path, "")}
	first, known := x.looks[where]
	if !known {
		x.looks[where] = now
		return
	}
	if first.look != now.look {
		require.Empty(t, cmp.Diff(strings.Split(first.look, "\n"), strings.Split(now.look, "\n")), "the same facts:\n-%s\n+%s", first.by, now.by)
	}
}

// repeat says every fact once more that was said before: nothing comes of it. It tells whether that led to a state that is
// new all the same, because the engine notes more than it shows.
func (x *exploration) repeat(t *testing.T, w *world) bool {
	before, path := w.look(), x.route(w.path, "")
	for m, f := range x.facts {
		if w.told&(1<<m) == 0 || w.engines[f.workflow].Complete() {
			continue
		}
		r, err := x.take(w, move(m))
		require.NoError(t, err)
		x.count.repeated.Add(1)
		require.Empty(t, r, "%v once more, after %s", f, path)
	}
	require.Equal(t, before, w.look(), "after %s, and all of it once more", path)
	return x.enter(t, w)
}

// byFacts compares all states to which the same facts led. What was started can't be undone, so where a pod was taken
// for lost before its success was heard of, only states are compared in which the same nodes exist.
func (x *exploration) byFacts(w *world, _ bool) string {
	where := fmt.Sprintf("%x", w.told)
	success, loss := make(map[string]bool), make(map[string]bool)
	for m, f := range x.facts {
		if w.told&(1<<m) == 0 {
			continue
		}
		switch {
		case f.event.Type == propagate.EventPodDeleted:
			loss[f.event.Node+f.event.Pod.UID] = true
		case f.event.Type == propagate.EventPodEnded && f.event.Phase == nodegraph.Succeeded:
			success[f.event.Node+f.event.Pod.UID] = true
		}
	}
	for pod := range success {
		if loss[pod] {
			for _, e := range w.engines {
				where += strings.Join(slices.Sorted(names(e)), " ")
			}
			return where
		}
	}
	return where
}

// orders calls do with every way in which n things can come after one another without a cycle: after[k] are those that
// thing k comes directly after.
func orders(n int, do func(after [][]int)) {
	for edges := range 1 << (n * n) {
		after := make([][]int, n)
		for k := range n {
			for d := range n {
				if edges&(1<<(k*n+d)) != 0 {
					after[k] = append(after[k], d)
				}
			}
		}
		if acyclic(after) {
			do(after)
		}
	}
}

// forward tells whether each comes after earlier ones only.
func forward(after [][]int) bool {
	for k := range after {
		if slices.ContainsFunc(after[k], func(d int) bool { return d > k }) {
			return false
		}
	}
	return true
}

// acyclic takes away, again and again, what comes after nothing that is left.
func acyclic(after [][]int) bool {
	gone := make([]bool, len(after))
	for range after {
		for k := range after {
			gone[k] = gone[k] || !slices.ContainsFunc(after[k], func(d int) bool { return !gone[d] })
		}
	}
	return !slices.Contains(gone, false)
}

// What is explored is all there is: the numbers of labelled graphs without cycles are known.
func TestOrdersAreAllOfThem(t *testing.T) {
	for n, want := range []int{1, 1, 3, 25, 543} {
		got := 0
		orders(n, func([][]int) { got++ })
		require.Equal(t, want, got, "orders of %d", n)
	}
}

// letters names things.
func letters(which []int) []string {
	var list []string
	for _, k := range which {
		list = append(list, string(rune('a'+k)))
	}
	return list
}

// setOf is a container set of containers a, b, ... in this order.
func setOf(after [][]int) *nodegraph.Template {
	set := &nodegraph.Template{Name: "set", Kind: nodegraph.Pod}
	for k := range after {
		set.Containers = append(set.Containers, nodegraph.ContainerSpec{Name: letters([]int{k})[0], Dependencies: letters(after[k])})
	}
	return set
}

// aboutSet are facts about the pod of a set: it runs, its containers end in one way each, it fails and is gone.
func aboutSet(node string, containers int) []told {
	events := []propagate.Event{
		said(1, propagate.PodRunning(node)), said(1, propagate.PodEvicted(node, "")), said(1, propagate.PodDeleted(node)),
	}
	for k := range containers {
		events = append(events, said(1, propagate.ContainerEnded(node, letters([]int{k})[0], []int{0, 1, 64, 0}[k], "")))
	}
	return toldAll(events...)
}

// aboutRuns are facts about the pod of a set in which a container runs again, and about the pod that comes in its place.
// What is said of the first pod names no run of it, as hosts do that list pods.
func aboutRuns(node string, containers int) []told {
	last := letters([]int{containers - 1})[0]
	return toldAll(
		said(1, propagate.PodRunning(node)), said(1, propagate.PodEvicted(node, "")),
		said(1, propagate.ContainerEnded(node, "a", 1, "")), said(1, propagate.ContainerEnded(node, last, 1, "")),
		said(1, run(2, propagate.ContainerRetried(node, "a"))), said(1, run(2, propagate.ContainerEnded(node, "a", 0, ""))),
		said(1, propagate.PodDeleted(node)), said(2, propagate.PodRunning(node)), said(2, propagate.ContainerEnded(node, last, 0, "")),
	)
}

func toldAll(events ...propagate.Event) []told {
	var facts []told
	for _, ev := range events {
		facts = append(facts, told{0, ev})
	}
	return facts
}

// Every order of up to three containers, with a Retry and without, beside a Suspend that keeps the workflow open.
func TestExploreContainerSets(t *testing.T) {
	count := &explored{}
	t.Run("orders", func(t *testing.T) {
		for n := 1; n <= *exploreSize; n++ {
			orders(n, func(after [][]int) {
				for _, story := range []struct {
					name    string
					retried bool
					bound   int
					facts   []told
				}{
					{"ends", false, 5, aboutSet("wf.set", n)},
					{"runs again", false, 4, aboutRuns("wf.set", n)},
					{"retried", true, 5, append(aboutSet("wf.set(0)", n), toldAll(said(2, propagate.PodDeleted("wf.set(1)")),
						said(2, propagate.ContainerEnded("wf.set(1)", "a", 0, "")), said(2, propagate.PodSucceeded("wf.set(1)")))...)},
				} {
					t.Run(fmt.Sprintf("%s %v", story.name, after), func(t *testing.T) {
						t.Parallel()
						b := nodegraph.NewBuilder("wf")
						if set := b.Add(setOf(after)); story.retried {
							limit := 1
							set.Retry = &retry.Strategy{Limit: &limit, Policy: retry.PolicyAlways}
						}
						b.Suspend("hold", 0)
						b.Pod("pod")
						b.DAG("main").Task("set", "set").Task("next", "pod", nodegraph.After("set")).Task("hold", "hold")
						spec, err := b.Spec()
						require.NoError(t, err)
						x := &exploration{specs: []*nodegraph.Spec{spec}, facts: story.facts, bound: story.bound, count: count}
						x.where = x.byFacts
						x.run(t)
					})
				}
			})
		}
	})
	t.Log(count)
}

// aboutTask are the templates of tasks that are explored, and what may be heard of a task of each.
var aboutTask = []struct {
	kind  string
	facts func(node string) []told
}{
	{"pod", func(node string) []told {
		return toldAll(said(1, propagate.PodRunning(node)), said(1, propagate.PodSucceeded(node)), said(1, propagate.PodDeleted(node)))
	}},
	{"suspend", func(node string) []told { return toldAll(propagate.Resumed(node)) }},
	{"steps", func(node string) []told {
		return toldAll(said(1, propagate.PodRunning(node+"[0].only")), said(1, propagate.PodFailed(node+"[0].only", "")))
	}},
	{"set", func(node string) []told {
		return toldAll(said(1, propagate.ContainerEnded(node, "a", 0, "")), said(1, propagate.PodSucceeded(node)), said(1, propagate.PodDeleted(node)))
	}},
}

// Every DAG of up to three tasks of any of these kinds. Every order comes with every choice of kinds, so those in which
// tasks come after tasks with earlier names are all there is but for the names; -explore=4 has the others too.
func TestExploreDAGs(t *testing.T) {
	count := &explored{}
	t.Run("orders", func(t *testing.T) {
		for n := 1; n <= 3; n++ {
			for kinds := range pow(len(aboutTask), n) {
				orders(n, func(after [][]int) {
					if *exploreSize < 4 && !forward(after) {
						return
					}
					b := nodegraph.NewBuilder("wf")
					b.Pod("pod")
					b.Suspend("suspend", 0)
					b.Steps("steps").Step("only", "pod")
					b.Add(setOf([][]int{nil, {0}}))
					dag := b.DAG("main")
					var facts []told
					var drawing []string
					for k := range n {
						task, about := letters([]int{k})[0], aboutTask[kinds/pow(len(aboutTask), k)%len(aboutTask)]
						dag.Task(task, about.kind, nodegraph.After(letters(after[k])...))
						facts = append(facts, about.facts("wf."+task)...)
						drawing = append(drawing, fmt.Sprintf("%s %s after %v", task, about.kind, letters(after[k])))
					}
					t.Run(strings.Join(drawing, ", "), func(t *testing.T) {
						t.Parallel()
						spec, err := b.Spec()
						require.NoError(t, err)
						x := &exploration{specs: []*nodegraph.Spec{spec}, facts: facts, bound: min(*exploreSize, 4) + 1, count: count}
						x.where = x.byFacts
						x.run(t)
					})
				})
			}
		}
	})
	t.Log(count)
}

func pow(b, n int) int {
	p := 1
	for range n {
		p *= b
	}
	return p
}

// Two workflows that share a mutex, with everything that their host does about it in any order: asking for it and handing
// it on may take its time. In the end both are complete and nobody has the mutex or waits for it.
func TestExploreMutex(t *testing.T) {
	whole := func(spec *nodegraph.Spec) { spec.Locks = []nodegraph.Lock{lock(mutexM, 1)} }
	ok := func(workflow int, nodes ...string) []told {
		var facts []told
		for _, node := range nodes {
			facts = append(facts, told{workflow, said(1, propagate.PodSucceeded(node))})
		}
		return facts
	}
	lost := func(workflow int, node string) []told {
		return []told{{workflow, said(1, propagate.PodRunning(node))}, {workflow, said(1, propagate.PodDeleted(node))}}
	}
	halt := []told{{0, propagate.Shutdown("Terminate")}}
	count := &explored{}
	for _, c := range []struct {
		name   string
		texts  [2]string
		wholes [2]bool // the workflow needs the mutex as a whole
		facts  [][]told
	}{
		{"one node each", [2]string{"dag(a: mutex(m, pod))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]told{ok(0, "wf.a"), ok(1, "wf.a"), lost(0, "wf.a"), halt}},
		{"two nodes and one", [2]string{"dag(a: mutex(m, pod), b: mutex(m, pod))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]told{ok(0, "wf.a", "wf.b"), ok(1, "wf.a"), halt}},
		{"one after the other", [2]string{"steps(a: mutex(m, pod) | b: mutex(m, pod))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]told{ok(0, "wf[0].a", "wf[1].b"), ok(1, "wf.a"), lost(0, "wf[0].a")}},
		{"a Retry and a node", [2]string{"dag(a: mutex(m, retry(1, pod)))", "dag(a: mutex(m, pod))"}, [2]bool{},
			[][]told{ok(0, "wf.a(0)", "wf.a(1)"), ok(1, "wf.a"), lost(0, "wf.a(0)")}},
		{"a container set and a Suspend", [2]string{"dag(a: mutex(m, pod(x -> y)))", "dag(a: mutex(m, suspend))"}, [2]bool{},
			[][]told{ok(0, "wf.a"), lost(0, "wf.a"), {{1, propagate.Resumed("wf.a")}}, halt}},
		{"two whole workflows", [2]string{"dag(a -> b)", "dag(a)"}, [2]bool{true, true},
			[][]told{ok(0, "wf.a", "wf.b"), ok(1, "wf.a"), lost(0, "wf.a"), halt}},
		{"a whole workflow and a node", [2]string{"dag(a: retry(1, pod))", "dag(a: mutex(m, pod) -> b)"}, [2]bool{true, false},
			[][]told{ok(0, "wf.a(0)", "wf.a(1)"), ok(1, "wf.a", "wf.b"), lost(0, "wf.a(0)")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &exploration{facts: slices.Concat(c.facts...), bound: 14, count: count}
			for k, text := range c.texts {
				spec, err := nodegraph.Parse(text)
				require.NoError(t, err)
				if c.wholes[k] {
					whole(spec)
				}
				x.specs = append(x.specs, spec)
			}
			// Who comes first depends on who asks first, but not what becomes of both in the end. What a shutdown finds
			// depends on when it comes.
			x.where = func(w *world, maximal bool) string {
				for m, f := range x.facts {
					if !maximal || f.event.Type == propagate.EventShutdown && w.told&(1<<m) != 0 {
						return ""
					}
				}
				return x.byFacts(w, maximal)
			}
			x.last = func(t *testing.T, w *world) {
				for k, e := range w.engines {
					require.True(t, e.Complete(), "workflow %d waits for %v after %s", k, waitsFor(e), x.route(w.path, ""))
				}
				require.Empty(t, w.locks.Holders(mutexM), "after %s", x.route(w.path, ""))
				require.Empty(t, w.locks.Waiters(mutexM), "after %s", x.route(w.path, ""))
			}
			x.run(t)
		})
	}
	t.Log(count)
}
