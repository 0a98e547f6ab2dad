package main

import (
	"math/rand/v2"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// The shapes of workflows, those of the benchmarks of package propagate.
var shapes = []struct {
	name string
	spec func(n int) *nodegraph.Spec
}{{"layered", layered}, {"chain", chain}, {"fan-in", fanIn}, {"sets", sets}}

// names gives out names whose ids differ: two of many nodes may share a 32-bit hash, which is an error.
type names struct {
	used map[string]bool
	next int
}

// pick returns the next number for which every name that spell makes of it has an id that is not used yet.
func (n *names) pick(spell func(number string) []string) string {
	for {
		number := strconv.Itoa(n.next)
		n.next++
		all, free := spell(number), true
		for k, name := range all {
			all[k] = nodegraph.NodeID("", name)
			free = free && !n.used[all[k]]
		}
		if !free {
			continue
		}
		for _, id := range all {
			n.used[id] = true
		}
		return number
	}
}

// dagOf is one DAG of n pods; after says which tasks task k comes after.
func dagOf(n int, after func(k int) []int) *nodegraph.Spec {
	free := names{used: map[string]bool{}}
	tasks := make([]nodegraph.Task, n)
	for k := range tasks {
		number := free.pick(func(number string) []string { return []string{"w.t" + number} })
		tasks[k] = nodegraph.Task{Name: "t" + number, Template: "pod"}
		for _, d := range after(k) {
			tasks[k].Dependencies = append(tasks[k].Dependencies, tasks[d].Name)
		}
	}
	return &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.DAG, Tasks: tasks}, {Name: "pod", Kind: nodegraph.Pod},
	}}
}

// layered: layers of at most 100 pods, each after three neighbours in the layer before.
func layered(n int) *nodegraph.Spec {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	width := max(4, min(100, n/10))
	return dagOf(n, func(k int) []int {
		if k < width {
			return nil
		}
		from, a := (k/width-1)*width, r.IntN(width)
		return []int{from + a, from + (a+1)%width, from + (a+2)%width}
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

// fanIn: one pod after all the others.
func fanIn(n int) *nodegraph.Spec {
	return dagOf(n, func(k int) []int {
		if k < n-1 {
			return nil
		}
		all := make([]int, k)
		for d := range all {
			all[d] = d
		}
		return all
	})
}

// sets: a loop over container sets of five, each under a Retry; about n nodes.
func sets(n int) *nodegraph.Spec {
	limit := 3
	set := &nodegraph.Template{Name: "set", Kind: nodegraph.Pod, Retry: &retry.Strategy{Limit: &limit}}
	for k := range 5 {
		c := nodegraph.ContainerSpec{Name: "c" + strconv.Itoa(k)}
		if k > 0 {
			c.Dependencies = []string{"c" + strconv.Itoa(k-1)}
		}
		set.Containers = append(set.Containers, c)
	}
	free := names{used: map[string]bool{}}
	items := make([]nodegraph.Item, max(1, n/7))
	for k := range items {
		items[k].Text = free.pick(func(number string) []string {
			item := nodegraph.ItemName("w.g", k, number)
			all := []string{item}
			for attempt := range limit + 1 {
				pod := item + "(" + strconv.Itoa(attempt) + ")"
				all = append(all, pod)
				for _, c := range set.Containers {
					all = append(all, pod+"."+c.Name)
				}
			}
			return all
		})
	}
	task := nodegraph.Task{Name: "g", Template: "set", Loop: &nodegraph.Loop{Items: items}}
	return &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.DAG, Tasks: []nodegraph.Task{task}}, set,
	}}
}
