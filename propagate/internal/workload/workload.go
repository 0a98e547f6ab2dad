// Package workload makes the workflows that benchmarks and tests of counted work run on. No two of their nodes share an id: with
// Argo's hashes of 32 bits two of 100,000 nodes are as likely as not to share one, which is an error.
package workload

import (
	"math/rand/v2"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// DAG returns a workflow of one DAG of n pods; after says which tasks task k comes after.
func DAG(n int, after func(k int) []int) *nodegraph.Spec {
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
		{Name: "dag", Kind: nodegraph.KindDAG, Tasks: tasks}, {Name: "pod", Kind: nodegraph.KindPod},
	}}
}

// ids holds ids that are taken.
type ids map[string]bool

// take reports whether nodes with these names have ids of their own, and takes them.
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

// FanIn returns n-1 pods, and one after all of them.
func FanIn(n int) *nodegraph.Spec {
	return DAG(n, func(k int) []int {
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

// Chain returns n pods, each after the one before it.
func Chain(n int) *nodegraph.Spec {
	return DAG(n, func(k int) []int {
		if k == 0 {
			return nil
		}
		return []int{k - 1}
	})
}

// Layered returns n pods in layers of at most 100, each after three neighbours in the layer before.
func Layered(n int) *nodegraph.Spec {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	width := max(4, min(100, n/10))
	return DAG(n, func(k int) []int {
		layer := k / width
		if layer == 0 {
			return nil
		}
		from := (layer - 1) * width
		a := r.IntN(width)
		return []int{from + a, from + (a+1)%width, from + (a+2)%width}
	})
}

// limit is how many more attempts a container set of Sets has.
const limit = 3

// Sets returns a loop over container sets of five, each under a Retry with three more attempts; about n nodes.
func Sets(n int) *nodegraph.Spec {
	most := limit
	set := &nodegraph.Template{Name: "set", Kind: nodegraph.KindPod, Retry: &retry.Strategy{Limit: &most}}
	for k := range 5 {
		c := nodegraph.ContainerSpec{Name: "c" + strconv.Itoa(k)}
		if k > 0 {
			c.Dependencies = []string{"c" + strconv.Itoa(k-1)}
		}
		set.Containers = append(set.Containers, c)
	}
	items, taken := make([]nodegraph.Item, max(1, n/7)), make(ids, 7*n)
	for k := range items {
		for number := k; ; number += len(items) {
			items[k].Text = strconv.Itoa(number)
			if taken.take(namesOf(nodegraph.ItemName("w.g", k, items[k].Text), set.Containers)...) {
				break
			}
		}
	}
	task := nodegraph.Task{Name: "g", Template: "set", Loop: &nodegraph.Loop{Items: items}}
	return &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{task}}, set,
	}}
}

// namesOf lists the names of all nodes that a container set under a Retry may come to have.
func namesOf(set string, containers []nodegraph.ContainerSpec) []string {
	all := []string{set}
	for attempt := range limit + 1 {
		pod := set + "(" + strconv.Itoa(attempt) + ")"
		all = append(all, pod)
		for _, c := range containers {
			all = append(all, pod+"."+c.Name)
		}
	}
	return all
}
