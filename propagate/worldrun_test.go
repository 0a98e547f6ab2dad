package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/simhost"
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
				open = open || !f.Engine.Complete() || d.IntN(4) == 0
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
	_, asked := d.w.errands(f, false)
	for _, name := range asked {
		add("answer", name, d.IntN(3), 60)
		add("unanswerable", name, 0, 3)
	}
	places, granted := d.w.errands(f, true)
	for at, name := range granted {
		if name != "" || d.w.Owed[places[at]].Action.ID == "" {
			add("grant", name, 0, 50)
		}
	}
	for _, name := range f.todo {
		add("make", name, 0, 40)
	}
	d.podOptions(k, f)
	for i := nodegraph.Entry; int(i) < f.Engine.Graph().Len(); i++ {
		n := f.Engine.Graph().Node(i)
		weight := 30
		if phase, _ := f.Engine.Phase(i); phase.Settled() {
			weight = 2
		}
		switch n.Kind {
		case nodegraph.KindSuspend:
			add("resume", n.Name(), d.IntN(3)/2, weight) // refused once in three times
		case nodegraph.KindHTTP, nodegraph.KindPlugin:
			if slices.Contains(f.Served, n.Name()) {
				add("serve", n.Name(), d.IntN(4)%3, weight)
			}
		}
	}
	if len(f.said) > 0 {
		add("again", "", d.IntN(len(f.said)), 5)
	}
	if len(f.Pods) > 0 {
		add("stray", f.Pods[d.IntN(len(f.Pods))].Node, d.IntN(5), 3)
	}
	add("shutdown", "", d.IntN(2), 1)
	add("suspend", "", d.IntN(2), 2)
	add("agent", "", 0, 1)
	add("crash", "", 0, 3)
	add("list", "", 0, 3)
	if phase, _ := f.Engine.Workflow(); phase.Unsuccessful() && f.Engine.Complete() && f.retry < 2 {
		add("manual", "", 0, 3)
	}
}

// podOptions lists what can happen to the pods of a flow.
func (d *driver) podOptions(k int, f *flow) {
	for _, p := range f.Pods {
		add := func(op string, n, weight int) {
			if p.Terminating && op != "delete" {
				weight *= d.favour["late"]
			}
			d.add(move{op: op, flow: k, node: p.Node, n: n}, weight)
		}
		if p.Unsynced {
			add("synced", d.IntN(2), 30)
		}
		switch p.State {
		case simhost.PodNew, simhost.PodPending:
			add("pending", 0, 10)
			add("unschedulable", 0, 3)
			add("running", 0, 40)
			add("unready", 0, 10)
			add("evict", 0, 3)
			add("fail", 0, 6)
			add("ok", 0, 10)
			add("delete", 0, 6)
		case simhost.PodRunning:
			add("running", 0, 10)
			add("unready", 0, 5)
			add("ok", 0, 40)
			add("fail", 0, 15)
			add("evict", 0, 4)
			add("disrupt", 0, 3)
			add("unknown", 0, 2)
			add("delete", 0, 10)
			add("unsynced", d.IntN(2), 4)
			for _, c := range p.Status.Containers {
				for _, o := range []weighted{{move{op: "ctrend", n: d.IntN(6) % 4 % 3}, 20}, {move{op: "ctrretry"}, 25}, {move{op: "ctrrun"}, 8}, {move{op: "ctrwait"}, 8}} {
					if len(p.Status.Containers) > 1 || c.Name != "main" {
						o.flow, o.node, o.ctr = k, p.Node, c.Name
						d.add(o.move, o.weight)
					}
				}
			}
		case simhost.PodEnded, simhost.PodGone:
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
		if phase, _ := f.Engine.Workflow(); f.Engine.Complete() && phase.Unsuccessful() {
			d.do(move{op: "manual", flow: k})
			any = true
		}
	}
	return any
}

// mostSteps bounds how long good things happen. A Retry without a limit makes an attempt in each of the 40 s that its backoff allows, and
// each takes some 20 steps.
const mostSteps = 2000
