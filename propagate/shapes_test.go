package propagate

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/retry"
)

// The shapes of workflows that the benchmarks and the counted-work tests run on.

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// dagOf returns a workflow of one DAG of n pods; after says what task k comes after.
func dagOf(n int, after func(k int) []int) *nodegraph.Spec {
	tasks, taken, number := make([]nodegraph.Task, n), make(ids, n), 0
	for k := range tasks {
		for !taken.take("w.t" + strconv.Itoa(number)) {
			number++
		}
		tasks[k] = nodegraph.Task{Name: "t" + strconv.Itoa(number), Template: "pod"}
		for _, d := range after(k) {
			tasks[k].Dependencies = append(tasks[k].Dependencies, tasks[d].Name)
		}
	}
	return &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.DAG, Tasks: tasks}, {Name: "pod", Kind: nodegraph.Pod},
	}}
}

// ids holds ids that are taken: with Argo's 32-bit hashes two of 100,000 nodes are as likely as not to share one, which
// is an error.
type ids map[string]bool

// take tells whether nodes with these names have ids of their own, and takes them.
func (taken ids) take(names ...string) bool {
	for _, n := range names {
		if taken[nodegraph.NodeID("", n)] {
			return false
		}
	}
	for _, n := range names {
		taken[nodegraph.NodeID("", n)] = true
	}
	return true
}

// fanIn: n-1 pods, and one after all of them.
func fanIn(n int) *nodegraph.Spec {
	return dagOf(n, func(k int) []int {
		if k < n-1 {
			return nil
		}
		all := make([]int, n-1)
		for d := range all {
			all[d] = d
		}
		return all
	})
}

// chain: each pod after the one before it.
func chain(n int) *nodegraph.Spec {
	return dagOf(n, func(k int) []int {
		if k == 0 {
			return nil
		}
		return []int{k - 1}
	})
}

// layered: layers of at most 100 pods, each after three random ones of the layer before.
func layered(n int) *nodegraph.Spec {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	width := max(4, min(100, n/10))
	return dagOf(n, func(k int) []int {
		layer := k / width
		if layer == 0 {
			return nil
		}
		from := (layer - 1) * width
		a := r.IntN(width)
		return []int{from + a, from + (a+1)%width, from + (a+2)%width}
	})
}

// sets: a TaskGroup of container sets of five, each under a Retry; about n nodes.
func sets(n int) *nodegraph.Spec {
	items, taken := make([]nodegraph.Item, max(1, n/7)), make(ids, n)
	for k := range items {
		for number := k; ; number += len(items) {
			items[k].Text = strconv.Itoa(number)
			item := nodegraph.ItemName("w.g", k, items[k].Text)
			if taken.take(item, item+"(0)", item+"(0).c0", item+"(0).c1", item+"(0).c2", item+"(0).c3", item+"(0).c4") {
				break
			}
		}
	}
	limit := 3
	set := &nodegraph.Template{Name: "set", Kind: nodegraph.Pod, Retry: &retry.Strategy{Limit: &limit}}
	for k := range 5 {
		c := nodegraph.ContainerSpec{Name: "c" + strconv.Itoa(k)}
		if k > 0 {
			c.Dependencies = []string{"c" + strconv.Itoa(k-1)}
		}
		set.Containers = append(set.Containers, c)
	}
	return &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.DAG, Tasks: []nodegraph.Task{{Name: "g", Template: "set", Loop: &nodegraph.Loop{Items: items}}}}, set,
	}}
}

var shapes = []struct {
	name string
	spec func(n int) *nodegraph.Spec
}{{"fan-in", fanIn}, {"chain", chain}, {"layered", layered}, {"sets", sets}}

// lifted are limits that no shape reaches.
var lifted = nodegraph.Limits{Nodes: 4_000_000, Items: 1_000_000}

// begun returns the engine of a workflow that was started.
func begun(spec *nodegraph.Spec) *Engine {
	e, err := NewLimited(spec, lifted)
	if err != nil {
		panic(err)
	}
	if _, err := e.Apply(began); err != nil {
		panic(fmt.Sprint("start: ", err))
	}
	if e.Complete() {
		panic(e.rules.MessageWords(nodegraph.Entry))
	}
	return e
}

// openPods lists the pods that exist and have not ended.
func openPods(e *Engine) []nodegraph.Index {
	var open []nodegraph.Index
	for i := range nodegraph.Index(e.graph.Len()) {
		if n := e.facts.Node(i); n.Kind() == nodegraph.Pod && n.Exists() && n.Stage() < fact.StageGone {
			open = append(open, i)
		}
	}
	return open
}

// beforeCascade returns the engine of a workflow without retries all of whose first pods run, and the events by which these are
// lost.
func beforeCascade(spec *nodegraph.Spec) (*Engine, []Event) {
	if set := spec.Templates[1]; set.Retry != nil {
		set.Retry.Limit = new(int)
	}
	e := begun(spec)
	var running, lost []Event
	for _, pod := range openPods(e) {
		running = append(running, Event{Type: EventPodRunning, At: pod})
		lost = append(lost, Event{Type: EventPodDeleted, At: pod})
	}
	if _, err := e.Apply(began, running...); err != nil {
		panic(err)
	}
	return e, lost
}

// started lists the pods that a result asks for.
func started(r *Result) iter.Seq[nodegraph.Index] {
	return func(yield func(nodegraph.Index) bool) {
		for k := range r.Actions {
			if a := &r.Actions[k]; a.Type == ActionStart && a.Kind == nodegraph.Pod && !yield(a.Node) {
				return
			}
		}
	}
}

// endings appends the events by which pods end well.
func endings(batch []Event, pods iter.Seq[nodegraph.Index]) []Event {
	for i := range pods {
		batch = append(batch, Event{Type: EventPodEnded, At: i, Phase: nodegraph.Succeeded})
	}
	return batch
}

// half returns the engine of a workflow half of whose pods have ended well.
func half(spec *nodegraph.Spec) *Engine {
	e := begun(spec)
	left := len(spec.Templates[0].Tasks) / 2
	if loop := spec.Templates[0].Tasks[0].Loop; loop != nil {
		left = len(loop.Items) / 2
	}
	batch := endings(nil, slices.Values(openPods(e)))
	for left > 0 {
		batch = batch[:min(left, len(batch))]
		left -= len(batch)
		r, err := e.Apply(began, batch...)
		if err != nil {
			panic(err)
		}
		batch = endings(batch[:0], started(&r))
	}
	return e
}
