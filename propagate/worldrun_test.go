package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// wideCase is all that happens in one run of the wide search.
type wideCase struct {
	specs []*nodegraph.Spec
	host  worldHost
	moves []move
}

// wideRun draws workflows, and lets random moves happen to them, until only good things happen. It returns the case, which
// replay repeats, and the world.
func wideRun(seed uint64) (wideCase, *world) {
	r := rand.New(rand.NewPCG(seed, 1))
	c := wideCase{host: worldHost{lists: r.IntN(3) == 0, restart: restartWay(r.IntN(3)), indexed: r.IntN(4) == 0, slow: r.IntN(4) == 0}}
	names := []string{"wf", "wg", "wh"}
	for k := range []int{1, 1, 1, 2, 2, 3}[r.IntN(6)] {
		c.specs = append(c.specs, wideSpec(r, names[k]))
	}
	w, err := newWorld(c.specs, c.host)
	if err != nil {
		panic(fmt.Sprintf("seed %d: the specification is refused: %v", seed, err))
	}
	w.begin()
	d := &driver{Rand: r, w: w, c: &c, favour: make(map[string]int)}
	for _, op := range wideOps {
		d.favour[op] = []int{1, 1, 1, 1, 0, 5}[r.IntN(6)]
	}
	d.live(5 + r.IntN(45))
	d.do(move{op: "drain"})
	if r.IntN(2) == 0 && d.manualRetry() {
		d.live(r.IntN(25))
	}
	w.settle()
	return c, w
}

// replay repeats a case, in the world of other specifications if need be, and returns what it finds.
func replay(c wideCase, traced bool) (*world, error) {
	w, err := newWorld(c.specs, c.host)
	if err != nil {
		return nil, err
	}
	w.fuzzy, w.traced = true, traced
	w.begin()
	for _, m := range c.moves {
		w.do(m)
	}
	w.settle()
	return w, nil
}

// settle ends a run: only good things happen, and in the end nothing is left.
func (w *world) settle() {
	defer w.survive()
	w.drain()
	w.checkLeft()
}

// wideOps are the moves that a seed may favour or leave out.
var wideOps = []string{
	"unanswerable", "again", "stray", "tick", "shutdown", "suspend", "agent", "crash", "list", "held", "crashing", "delete", "fail", "evict",
	"disrupt", "unknown", "unschedulable", "unsynced", "ctrretry", "unready", "late", "answer", "grant",
}

// driver draws moves.
type driver struct {
	*rand.Rand
	w      *world
	c      *wideCase
	favour map[string]int // by op: 0 never, 1 as often as usual
	list   []weighted
}

type weighted struct {
	move
	weight int
}

// do lets a move happen, and notes it.
func (d *driver) do(m move) {
	d.c.moves = append(d.c.moves, m)
	d.w.do(m)
}

func (d *driver) live(n int) {
	for range n {
		d.list = d.list[:0]
		open := false
		for k, f := range d.w.flows {
			if !f.dead {
				d.options(k, f)
				open = open || !f.e.Complete() || d.IntN(4) == 0
			}
		}
		if !open {
			return
		}
		d.add(move{op: "tick", n: d.IntN(2), wait: []time.Duration{1, 1, 5, 6, 11, 45}[d.IntN(6)] * time.Second}, 10)
		d.do(d.pick())
	}
}

// add notes that a move can happen, and how likely.
func (d *driver) add(m move, weight int) {
	if factor, known := d.favour[m.op]; known {
		weight *= factor
	}
	d.list = append(d.list, weighted{m, weight})
}

// pick draws a move of those that can happen, and whether it is told at once and the host survives it.
func (d *driver) pick() move {
	sum := 0
	for _, o := range d.list {
		sum += o.weight
	}
	at := d.IntN(sum + 1)
	m := d.list[len(d.list)-1].move
	for _, o := range d.list {
		if at -= o.weight; at <= 0 && o.weight > 0 {
			m = o.move
			break
		}
	}
	m.held = d.IntN(100) < 8*d.favour["held"]
	if d.IntN(100) < 3*d.favour["crashing"] {
		m.crash = d.IntN(6) - 1
	}
	return m
}

// options lists what can happen to a flow.
func (d *driver) options(k int, f *flow) {
	add := func(op, node string, n, weight int) { d.add(move{op: op, flow: k, node: node, n: n}, weight) }
	for _, a := range f.owed {
		add("answer", a.Name, d.IntN(3), 60)
		add("unanswerable", a.Name, 0, 3)
	}
	for _, id := range f.grants {
		if i := f.e.Graph().Find(id); id == "" {
			add("grant", "", 0, 50)
		} else if i != nodegraph.None {
			add("grant", f.e.Graph().Node(i).Name(), 0, 50)
		}
	}
	for _, name := range f.todo {
		add("make", name, 0, 40)
	}
	d.podOptions(k, f)
	for i := nodegraph.Entry; int(i) < f.e.Graph().Len(); i++ {
		n := f.e.Graph().Node(i)
		weight := 30
		if phase, _ := f.e.Phase(i); phase.Settled() {
			weight = 2
		}
		switch n.Kind {
		case nodegraph.Suspend:
			add("resume", n.Name(), d.IntN(3)/2, weight) // refused once in three times
		case nodegraph.HTTP, nodegraph.Plugin:
			if f.served[n.Name()] {
				add("serve", n.Name(), d.IntN(4)%3, weight)
			}
		}
	}
	if len(f.said) > 0 {
		add("again", "", d.IntN(len(f.said)), 5)
	}
	if len(f.order) > 0 {
		add("stray", f.order[d.IntN(len(f.order))], d.IntN(5), 3)
	}
	add("shutdown", "", d.IntN(2), 1)
	add("suspend", "", d.IntN(2), 2)
	add("agent", "", 0, 1)
	add("crash", "", 0, 3)
	add("list", "", 0, 3)
	if phase, _ := f.e.Workflow(); phase.Unsuccessful() && f.e.Complete() && f.retry < 2 {
		add("manual", "", 0, 3)
	}
}

// podOptions lists what can happen to the pods of a flow.
func (d *driver) podOptions(k int, f *flow) {
	for _, name := range f.order {
		p := f.pods[name]
		add := func(op string, n, weight int) {
			if p.terminating && op != "delete" {
				weight *= d.favour["late"]
			}
			d.add(move{op: op, flow: k, node: name, n: n}, weight)
		}
		if p.unsynced {
			add("synced", d.IntN(2), 30)
		}
		switch p.state {
		case "new", "pending":
			add("pending", 0, 10)
			add("unschedulable", 0, 3)
			add("running", 0, 40)
			add("unready", 0, 10)
			add("evict", 0, 3)
			add("fail", 0, 6)
			add("ok", 0, 10)
			add("delete", 0, 6)
		case "running":
			add("running", 0, 10)
			add("unready", 0, 5)
			add("ok", 0, 40)
			add("fail", 0, 15)
			add("evict", 0, 4)
			add("disrupt", 0, 3)
			add("unknown", 0, 2)
			add("delete", 0, 10)
			add("unsynced", d.IntN(2), 4)
			for _, c := range p.status.Containers {
				for _, o := range []weighted{{move{op: "ctrend", n: d.IntN(6) % 4 % 3}, 20}, {move{op: "ctrretry"}, 25}, {move{op: "ctrrun"}, 8}, {move{op: "ctrwait"}, 8}} {
					if len(p.status.Containers) > 1 || c.Name != "main" {
						o.flow, o.node, o.ctr = k, name, c.Name
						d.add(o.move, o.weight)
					}
				}
			}
		case "ended", "gone":
			add("delete", 0, 1)
			add("unsynced", d.IntN(2), 2)
		}
	}
}

// manualRetry retries the workflows that failed. It reports whether there was one.
func (d *driver) manualRetry() bool {
	any := false
	for k, f := range d.w.flows {
		if f.dead {
			continue
		}
		if phase, _ := f.e.Workflow(); f.e.Complete() && phase.Unsuccessful() {
			d.do(move{op: "manual", flow: k})
			any = true
		}
	}
	return any
}

// mostSteps bounds how long good things happen.
const mostSteps = 600

// drain lets only good things happen, until all workflows are complete or nothing is left to happen.
func (w *world) drain() {
	for step := 0; ; step++ {
		if step == mostSteps {
			w.fault(nil, "endless", "%d good things happened, and it is not complete", mostSteps)
			return
		}
		if w.good() {
			continue
		}
		if !w.stuck() {
			return
		}
	}
}

// good lets one good thing happen. It reports whether there was one.
func (w *world) good() bool {
	for k, f := range w.flows {
		if f.dead {
			continue
		}
		if w.goodFor(k, f) {
			return true
		}
	}
	for k, f := range w.flows { // time passes only when there is nothing else
		if f.dead || f.e.Complete() {
			continue
		}
		for _, o := range f.e.Obligations() {
			if o.For != propagate.NeedTimer {
				continue
			}
			if at := f.wake; at.After(w.now) {
				w.now = at
			} else if o.Until.After(w.now) {
				w.now = o.Until
			} else {
				w.now = w.now.Add(time.Second)
			}
			return w.do(move{op: "tick", flow: k, n: 1})
		}
	}
	return false
}

// goodFor lets one good thing happen to a flow.
func (w *world) goodFor(k int, f *flow) bool {
	do := func(op, node, ctr string) bool { return w.do(move{op: op, flow: k, node: node, ctr: ctr}) }
	if len(f.held) > 0 || w.host.lists && f.untold() {
		w.call(f, 0)
		return true
	}
	if len(f.owed) > 0 {
		return do("answer", f.owed[0].Name, "")
	}
	if len(f.grants) > 0 {
		w.goodGrant(k, f, f.grants[0])
		return true
	}
	if len(f.todo) > 0 {
		return do("make", f.todo[0], "")
	}
	for _, name := range f.order {
		if op, ctr := f.goodForPod(name); op != "" && do(op, name, ctr) {
			return true
		}
	}
	if f.e.Complete() {
		return false
	}
	for _, o := range f.e.Obligations() {
		if w.goodNeed(k, f, &o) {
			return true
		}
	}
	return false
}

// goodNeed does what one obligation asks for. It reports whether it could.
func (w *world) goodNeed(k int, f *flow, o *propagate.Obligation) bool {
	p := f.pods[o.Name]
	switch o.For {
	case propagate.NeedUnsuspend:
		return w.do(move{op: "suspend", flow: k, n: 1})
	case propagate.NeedResume:
		return w.do(move{op: "resume", flow: k, node: o.Name})
	case propagate.NeedServed:
		return f.served[o.Name] && w.do(move{op: "serve", flow: k, node: o.Name})
	case propagate.NeedStart:
		if p == nil || !p.alive() { // it makes one if there is none
			w.makePod(f, o.Name)
			return true
		}
	case propagate.NeedResult: // told before, it is told again, and must help
		return p != nil && w.do(move{op: "synced", flow: k, node: o.Name}) && needs(f.e.Obligations())[o.Name] != o.For.String()
	}
	return false
}

// goodGrant tells a node that it has its locks, or gives them back for one that is not known any more.
func (w *world) goodGrant(k int, f *flow, id string) {
	m := move{op: "grant", flow: k}
	if i := f.e.Graph().Find(id); i != nodegraph.None && id != "" {
		m.node = f.e.Graph().Node(i).Name()
	}
	if id != "" && m.node == "" || !w.do(m) {
		w.release(f, id)
	}
}

// untold reports whether a pod changed and the engine is to hear of that.
func (f *flow) untold() bool {
	for _, p := range f.pods {
		if p.untold {
			return true
		}
	}
	return false
}

// goodForPod says what good happens to the pod of a node next; nothing if it has ended, or is a daemon that is ready.
func (f *flow) goodForPod(name string) (op, ctr string) {
	p := f.pods[name]
	i := f.e.Graph().Find(name)
	switch {
	case p.unsynced:
		return "synced", ""
	case !p.alive():
		return "", ""
	case p.terminating:
		return "delete", ""
	case i == nodegraph.None:
		p.state = "gone" // the engine does not know it, and the host removes it
		return "", ""
	case f.e.Complete():
		return "", ""
	case p.state != "running":
		return "running", ""
	case f.e.Graph().Node(i).Template.Daemon:
		return p.goodForDaemon(), ""
	}
	for _, c := range f.e.Graph().Node(i).Template.Containers {
		for _, s := range p.status.Containers {
			if s.Name == c.Name && !s.Terminated {
				return "ctrend", c.Name
			}
		}
	}
	return "ok", ""
}

// goodForDaemon says what good happens to the running pod of a daemon: it becomes ready, or ends with its last container.
func (p *worldPod) goodForDaemon() string {
	ended, op := 0, ""
	for _, c := range p.status.Containers {
		if c.Terminated {
			ended++
		} else if !c.Ready {
			op = "running"
		}
	}
	if ended == len(p.status.Containers) {
		return "ok"
	}
	return op
}

// stuck notes what the unfinished workflows wait for when nothing good is left to happen, and does what a person would do
// then. It reports whether there was anything to do.
func (w *world) stuck() bool {
	again := false
	for k, f := range w.flows {
		if f.dead || f.e.Complete() {
			continue
		}
		for _, o := range f.e.Obligations() {
			if why := w.hopeless(f, &o); why != "" && !strings.Contains(o.Message, "never") {
				w.fault(f, "hangs: "+why, "%v for ever: %s", o, why)
			}
		}
		if !f.stopped {
			f.stopped = true
			w.do(move{op: "shutdown", flow: k, n: 1})
			again = true
		} else {
			w.fault(f, "hangs after Terminate", "%v", f.e.Obligations())
			f.dead = true
		}
	}
	return again
}

// hopeless says why an obligation of a stuck workflow is a fault; nothing where its users are to blame, who take locks in
// different orders.
func (w *world) hopeless(f *flow, o *propagate.Obligation) string {
	if o.For == propagate.NeedLock {
		return w.lockWait(f, o)
	}
	if o.For == propagate.NeedParallelism && w.locked(f) {
		return "" // those who have the places wait for locks
	}
	return o.For.String()
}

// locked reports whether a node of the flow waits for a lock as its users would have it.
func (w *world) locked(f *flow) bool {
	return slices.ContainsFunc(f.e.Obligations(), func(o propagate.Obligation) bool {
		return o.For == propagate.NeedLock && w.lockWait(f, &o) == ""
	})
}

// lockWait says why a wait for locks is a fault. The locks may be free; or held by a node that has ended or is a ready
// daemon, or by what the waiter is inside of.
func (w *world) lockWait(f *flow, o *propagate.Obligation) string {
	g := f.e.Graph()
	locks := f.spec.Locks
	if o.Node != nodegraph.Root {
		locks = g.Node(o.Node).Template.Locks
	}
	free := true
	for _, l := range locks {
		holders := w.locks.Holders(l.Key)
		free = free && len(holders) < max(1, l.Limit)
		for _, h := range holders {
			if why := w.heldBy(f, o.Node, h); why != "" {
				return "lock " + why
			}
		}
	}
	if free {
		return "lock that is free"
	}
	return ""
}

// heldBy says why a holder keeps a lock for ever from node i of a flow; nothing if it waits itself.
func (w *world) heldBy(f *flow, i nodegraph.Index, h propagate.Holder) string {
	for _, other := range w.flows {
		if other.name != h.Workflow {
			continue
		}
		if other.dead {
			return ""
		}
		k := other.e.Graph().Find(h.Node)
		if h.Node == "" {
			k = nodegraph.Root
		}
		if k == nodegraph.None {
			return "of a node that is not known"
		}
		if other == f {
			for p := i; p != nodegraph.None; p = f.e.Graph().Node(p).Parent {
				if p == k {
					return "of what it is inside of"
				}
			}
		}
		v := other.e.Verdict(k)
		switch {
		case v.Daemoned:
			return "of a ready daemon"
		case v.Fulfilled:
			return "of what has ended"
		}
	}
	return ""
}

// checkLeft: when all is over no lock is held, nobody is queued, and no pod is left that nobody ends.
func (w *world) checkLeft() {
	for _, f := range w.flows {
		if f.dead || !f.e.Complete() {
			return
		}
		w.checkExitHooks(f)
		for _, name := range f.order {
			if p := f.pods[name]; p.alive() && !p.terminating {
				w.fault(f, "left pod"+f.since(), "the pod of %s lives on, and the workflow is complete", name)
			}
		}
	}
	for _, l := range []nodegraph.Lock{lockM, lockJ, lockS, lockOne} {
		if h := w.locks.Holders(l.Key); len(h) > 0 {
			w.fault(nil, "left lock held", "%s is held by %v", l.Key, h)
		}
		if h := w.locks.Waiters(l.Key); len(h) > 0 {
			w.fault(nil, "left lock awaited", "%s is awaited by %v", l.Key, h)
		}
	}
}

// since says whether the host of a flow crashed.
func (f *flow) since() string {
	if f.crashed {
		return " after a crash"
	}
	return ""
}

// checkExitHooks: whatever ran and ended has its exit hook, in a workflow that nobody and nothing cut short.
func (w *world) checkExitHooks(f *flow) {
	cut := slices.ContainsFunc(allTemplates(f.spec), func(t *nodegraph.Template) bool { return t.FailFast })
	if cut || f.e.Save().Shutdown != "" || f.spec.ActiveDeadline > 0 || f.retry > 0 {
		return
	}
	g := f.e.Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		n := g.Node(i)
		if n.Task == nil || n.Role != nodegraph.RoleTask && n.Role != nodegraph.RoleStep && n.Role != nodegraph.RoleItem {
			continue
		}
		h, phase := n.Task.ExitHook(), f.e.Verdict(i).Phase
		if n.Template != nil && n.Template.Daemon { // it ends with what it is inside of
			continue
		}
		if h == nil || h.Expression != "" || !phase.Completed() || f.e.Fact(i).Created.IsZero() {
			continue
		}
		if k := g.Find(n.Name() + ".onExit"); k == nodegraph.None || !f.e.Exists(k) {
			w.fault(f, "exit hook lost of "+kindOf(f.e, i), "%s is %v, and its exit hook never ran", n.Name(), phase)
		}
	}
}
