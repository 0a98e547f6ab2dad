package propagate

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// The shapes of workflows that the benchmarks and the counted-work tests run on.

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// dagOf returns a workflow of one DAG of n pods; after says what task k comes after.
func dagOf(n int, after func(k int) []int) *nodegraph.Spec {
	tasks := make([]nodegraph.Task, n)
	for k := range tasks {
		tasks[k] = nodegraph.Task{Name: "t" + strconv.Itoa(k), Template: "pod"}
		for _, d := range after(k) {
			tasks[k].Dependencies = append(tasks[k].Dependencies, "t"+strconv.Itoa(d))
		}
	}
	return &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.DAG, Tasks: tasks}, {Name: "pod", Kind: nodegraph.Pod},
	}}
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
	items := make([]nodegraph.Item, max(1, n/7))
	for k := range items {
		items[k].Text = strconv.Itoa(k)
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
}{{"chain", chain}, {"layered", layered}, {"sets", sets}}

// begun returns the engine of a workflow that was started, all its limits lifted.
func begun(spec *nodegraph.Spec) *Engine {
	e, err := New(spec)
	if err != nil {
		panic(err)
	}
	if _, err := e.Apply(began); err != nil {
		panic(fmt.Sprint("start: ", err))
	}
	return e
}

// through lets every pod of a workflow end well, in the order in which they start; it returns the engine.
func through(e *Engine, upTo int) *Engine {
	for done := 0; done < upTo && !e.Complete(); {
		var batch []Event
		for i := range e.facts {
			if f := &e.facts[i]; e.g.Node(nodegraph.Index(i)).Kind == nodegraph.Pod && f.created() && f.Stage < StageGone {
				batch = append(batch, Event{Type: EventPodEnded, At: nodegraph.Index(i), Phase: nodegraph.Succeeded})
				if done++; done >= upTo {
					break
				}
			}
		}
		if _, err := e.Apply(began, batch...); err != nil {
			panic(err)
		}
	}
	return e
}
