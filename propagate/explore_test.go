package propagate_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
	"github.com/nodestatus/nodestatus/retry"
)

var exploreSize = flag.Int("explore", 2,
	"most containers of the sets, and tasks of the DAGs, that are explored; from 4 on also longer paths in DAGs of three, with tasks in any order of names; "+
		"at 2 some of three as well, and short paths in clusters")

// explored reports whether the k-th of the things of n parts is explored: all up to the size that is asked for, and of those of
// three every tenth at least.
func explored(n, k int) bool { return n <= *exploreSize || k%10 == 0 }

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

// forward reports whether each comes after earlier ones only.
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
	set := &nodegraph.Template{Name: "set", Kind: nodegraph.KindPod}
	for k := range after {
		set.Containers = append(set.Containers, nodegraph.ContainerSpec{Name: letters([]int{k})[0], Dependencies: letters(after[k])})
	}
	return set
}

// aboutSet are facts about the pod of a set: it runs, its containers end in one way each, it fails and is gone.
func aboutSet(node string, containers int) []explore.Fact {
	events := []propagate.Event{
		said(1, propagate.PodRunning(node)), said(1, propagate.PodEvicted(node, "")), said(1, propagate.PodDeleted(node)),
	}
	for k := range containers {
		events = append(events, said(1, propagate.ContainerEnded(node, letters([]int{k})[0], []int{0, 1, 64, 0}[k], "")))
	}
	return explore.About(0, events...)
}

// aboutRuns are facts about the pod of a set in which a container runs again, and about the pod that comes in its place.
// What is said of the first pod names no run of it, as hosts do that list pods.
func aboutRuns(node string, containers int) []explore.Fact {
	last := letters([]int{containers - 1})[0]
	return explore.About(0,
		said(1, propagate.PodRunning(node)), said(1, propagate.PodEvicted(node, "")),
		said(1, propagate.ContainerEnded(node, "a", 1, "")), said(1, propagate.ContainerEnded(node, last, 1, "")),
		said(1, run(2, propagate.ContainerRetried(node, "a"))), said(1, run(2, propagate.ContainerEnded(node, "a", 0, ""))),
		said(1, propagate.PodDeleted(node)), said(2, propagate.PodRunning(node)), said(2, propagate.ContainerEnded(node, last, 0, "")),
	)
}

// Every order of so many containers, with a Retry and without, beside a Suspend that keeps the workflow open.
func TestExploreContainerSets(t *testing.T) {
	count := &explore.Count{}
	t.Run("orders", func(t *testing.T) {
		for n := 1; n <= max(3, *exploreSize); n++ {
			k := 0
			orders(n, func(after [][]int) {
				if k++; !explored(n, k) {
					return
				}
				for _, story := range []struct {
					name    string
					retried bool
					bound   int
					facts   []explore.Fact
				}{
					{"ends", false, 5, aboutSet("wf.set", n)},
					{"runs again", false, 4, aboutRuns("wf.set", n)},
					{"retried", true, 5, append(aboutSet("wf.set(0)", n), explore.About(0, said(2, propagate.PodDeleted("wf.set(1)")),
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
						bound := story.bound
						if n == 3 && *exploreSize < 4 {
							bound--
						}
						x := &explore.Exploration{Specs: []*nodegraph.Spec{spec}, Facts: story.facts, Bound: bound, Count: count}
						x.Run(t)
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
	facts func(node string) []explore.Fact
}{
	{"pod", func(node string) []explore.Fact {
		return explore.About(0, said(1, propagate.PodRunning(node)), said(1, propagate.PodSucceeded(node)), said(1, propagate.PodDeleted(node)))
	}},
	{"suspend", func(node string) []explore.Fact { return explore.About(0, propagate.Resumed(node)) }},
	{"steps", func(node string) []explore.Fact {
		return explore.About(0, said(1, propagate.PodRunning(node+"[0].only")), said(1, propagate.PodFailed(node+"[0].only", "")))
	}},
	{"set", func(node string) []explore.Fact {
		return explore.About(0, said(1, propagate.ContainerEnded(node, "a", 0, "")), said(1, propagate.PodSucceeded(node)), said(1, propagate.PodDeleted(node)))
	}},
	{"again", func(node string) []explore.Fact {
		return explore.About(0, said(1, propagate.PodFailed(node+"(0)", "")), said(2, propagate.PodSucceeded(node+"(1)")), said(2, propagate.PodDeleted(node+"(1)")))
	}},
}

// renamings are all ways to name n things anew.
func renamings(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range renamings(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), n-1-at, n-1)) // none of them anew comes first
		}
	}
	return all
}

// drawnAs writes down a DAG of tasks of some kinds under other names, so that no two different ones are written alike.
func drawnAs(kinds []int, after [][]int, renaming []int) string {
	rows := make([]string, len(kinds))
	for k := range kinds {
		row := make([]byte, len(kinds))
		for _, d := range after[k] {
			row[renaming[d]] = 1
		}
		rows[renaming[k]] = string(rune(kinds[k])) + string(row)
	}
	return strings.Join(rows, "")
}

// eachDAG calls do with every DAG of n tasks of so many kinds: with one of each lot that differ only in the names, or with
// all of them.
func eachDAG(n, kinds int, allNames bool, do func(kinds []int, after [][]int)) {
	names := renamings(n)
	for choice := range pow(kinds, n) {
		of := make([]int, n)
		for k := range of {
			of[k] = choice / pow(kinds, k) % kinds
		}
		orders(n, func(after [][]int) {
			mine := drawnAs(of, after, names[0])
			if allNames || forward(after) && !slices.ContainsFunc(names, func(renaming []int) bool {
				return renamed(after, renaming) && drawnAs(of, after, renaming) < mine
			}) {
				do(of, after)
			}
		})
	}
}

// renamed reports whether under other names, too, each comes after earlier ones only.
func renamed(after [][]int, renaming []int) bool {
	for k := range after {
		if slices.ContainsFunc(after[k], func(d int) bool { return renaming[d] > renaming[k] }) {
			return false
		}
	}
	return true
}

// The numbers of DAGs that differ in more than names are known.
func TestDAGsAreAllOfThem(t *testing.T) {
	for n, want := range []int{1, 1, 2, 6, 31} {
		got := 0
		eachDAG(n, 1, false, func([]int, [][]int) { got++ })
		require.Equal(t, want, got, "DAGs of %d", n)
	}
}

// Every DAG of so many tasks of any of these kinds, under one choice of names; -explore=4 has those of four, and longer
// paths in those of three, in any order of names.
func TestExploreDAGs(t *testing.T) {
	count := &explore.Count{}
	t.Run("orders", func(t *testing.T) {
		for n := 1; n <= max(3, *exploreSize); n++ {
			bound := 4
			if n <= 3 && *exploreSize > 3 {
				bound = 5
			}
			k := 0
			eachDAG(n, len(aboutTask), n <= 3 && *exploreSize > 3, func(kinds []int, after [][]int) {
				if k++; !explored(n, k) {
					return
				}
				b := nodegraph.NewBuilder("wf")
				b.Pod("pod")
				b.Suspend("suspend", 0)
				b.Steps("steps").Step("only", "pod")
				b.Add(setOf([][]int{nil, {0}}))
				limit := 1
				b.Pod("again").Retry = &retry.Strategy{Limit: &limit, Policy: retry.PolicyAlways}
				dag := b.DAG("main")
				var facts []explore.Fact
				var drawing []string
				for k, kind := range kinds {
					task, about := letters([]int{k})[0], aboutTask[kind]
					dag.Task(task, about.kind, nodegraph.After(letters(after[k])...))
					facts = append(facts, about.facts("wf."+task)...)
					drawing = append(drawing, fmt.Sprintf("%s %s after %v", task, about.kind, letters(after[k])))
				}
				t.Run(strings.Join(drawing, ", "), func(t *testing.T) {
					t.Parallel()
					spec, err := b.Spec()
					require.NoError(t, err)
					x := &explore.Exploration{Specs: []*nodegraph.Spec{spec}, Facts: facts, Bound: bound, Count: count}
					x.Run(t)
				})
			})
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
