package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A sample is what one contestant took for one thing; leftOut if it was not run.
type sample struct {
	name    string
	ns      float64
	leftOut bool
}

// A table has a column for each shape of workflows, and a group of lines for each operation.
type table struct {
	title   string
	columns []string
	groups  []group
}

// A group is what all contestants took for one operation. The samples of a column are compared with its first.
type group struct {
	title   string
	columns [][]sample
}

// print prints the table in Markdown. A group that has one column alone does not depend on the shape.
func (t *table) print(out io.Writer) {
	fmt.Fprintf(out, "| %s | %s |\n|%s\n", t.title, strings.Join(t.columns, " | "), strings.Repeat(" --- |", 1+len(t.columns)))
	for _, g := range t.groups {
		fmt.Fprintf(out, "| **%s** |%s\n", g.title, strings.Repeat(" |", len(t.columns)))
		for k, first := range g.columns[0] {
			fmt.Fprintf(out, "| %s |", first.name)
			for c := range t.columns {
				if c < len(g.columns) {
					fmt.Fprintf(out, " %s", g.columns[c][k].show(g.columns[c][0]))
				}
				fmt.Fprint(out, " |")
			}
			fmt.Fprintln(out)
		}
	}
	fmt.Fprintln(out)
}

// show is the sample and its ratio to the first one of its column.
func (s sample) show(first sample) string {
	switch {
	case s.leftOut:
		return "-"
	case s == first:
		return digits(s.ns)
	}
	return fmt.Sprintf("%s (%s)", digits(s.ns), digits(s.ns/first.ns))
}

// digits shows a number with at least two digits that count.
func digits(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.1:
		return fmt.Sprintf("%.3f", x)
	case x < 10:
		return fmt.Sprintf("%.1f", x)
	}
	text := fmt.Sprintf("%.0f", x)
	for k := len(text) - 3; k > 0; k -= 3 {
		text = text[:k] + "," + text[k:]
	}
	return text
}

// A stretch does something once. It returns how long the part that counts took and how many things that was.
type stretch func() (time.Duration, int, error)

// sampled repeats a stretch until the budget is used up, at least three times unless one alone takes many budgets, and
// takes the fastest: on shared cores the others tell of the neighbours. What a stretch does outside of its own clock
// counts for the budget three times less.
func (s settings) sampled(name string, once stretch) (sample, error) {
	runtime.GC()
	var counted time.Duration
	fastest, times, start := math.Inf(1), 0, time.Now()
	for {
		elapsed := time.Since(start)
		enough := counted >= s.budget || elapsed >= 3*s.budget
		if times >= 3 && enough || times >= 1 && elapsed >= 10*s.budget {
			return sample{name: name, ns: fastest}, nil
		}
		took, things, err := once()
		if err != nil {
			return sample{}, fmt.Errorf("%s: %w", name, err)
		}
		counted += took
		times++
		fastest = min(fastest, float64(took.Nanoseconds())/float64(things))
	}
}

// A contestant is one line of a table.
type contestant struct {
	name string
	once stretch // nil to leave it out
}

func (s settings) compare(contestants ...contestant) ([]sample, error) {
	samples := make([]sample, len(contestants))
	for k, c := range contestants {
		if c.once == nil {
			samples[k] = sample{name: c.name, leftOut: true}
			continue
		}
		var err error
		if samples[k], err = s.sampled(c.name, c.once); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// timed is a stretch that is one call for so many things.
func timed(things int, call func() error) stretch {
	return func() (time.Duration, int, error) {
		start := time.Now()
		err := call()
		return time.Since(start), things, err
	}
}

// unless leaves a contestant out where it would take too long.
func (s settings) unless(tooLong bool, once stretch) stretch {
	if tooLong && !s.slow {
		return nil
	}
	return once
}

// Beyond these sizes, in nodes, the libraries that test every new edge for a cycle are not asked to build a graph, nor is
// dominikbraun/graph to sort one: the time for each node grows with the size.
const (
	manyToCheck = 2_000
	manyToSort  = 20_000
)

func measureBuild(s settings, spec *nodegraph.Spec) ([]sample, error) {
	e, err := begun(spec)
	if err != nil {
		return nil, err
	}
	d := draw(e.Graph())
	n := len(d.names)
	return s.compare(
		contestant{"nodestatus New, Apply", timed(n, func() error { _, err := begun(spec); return err })},
		contestant{"gonum", timed(n, func() error { inGonum(d); return nil })},
		contestant{"dominikbraun", timed(n, func() error { _, err := inDominikbraun(d, false); return err })},
		contestant{"dominikbraun PreventCycles", s.unless(n > manyToCheck, timed(n, func() error {
			_, err := inDominikbraun(d, true)
			return err
		}))},
		contestant{"heimdalr", s.unless(n > manyToCheck, timed(n, func() error { _, err := inHeimdalr(d); return err }))},
		contestant{"Argo-like, first reconcile", timed(n, func() error {
			c, err := newArgoLike(spec)
			if err == nil {
				c.reconcile(began, nil)
			}
			return err
		})},
	)
}

func measurePass(s settings, spec *nodegraph.Spec) ([]sample, error) {
	state, err := halfDone(spec)
	if err != nil {
		return nil, err
	}
	e, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted))
	if err != nil {
		return nil, err
	}
	pods := podsOf(e).pods
	if _, err := e.SyncPods(began, pods); err != nil { // the first time it learns the names of the pods
		return nil, err
	}
	argo, err := argoLikeAt(e)
	if err != nil {
		return nil, err
	}
	indexed, err := argoLikeAt(e)
	if err != nil {
		return nil, err
	}
	indexed.indexed = true

	d := draw(e.Graph())
	n := len(d.names)
	view := e.Graph().Directed(both)
	own, _ := inGonum(d)
	braun, err := inDominikbraun(d, false)
	if err != nil {
		return nil, err
	}
	list := []contestant{
		verdicts(e),
		{"nodestatus SyncPods", timed(n, func() error { _, err := e.SyncPods(began, pods); return err })},
		{"nodestatus Load", timed(n, func() error { _, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted)); return err })},
		{"gonum Sort, our view", timed(n, func() error { _, err := gonumOrder(view); return err })},
		{"gonum Sort", timed(n, func() error { _, err := gonumOrder(own); return err })},
		{"dominikbraun Sort", s.unless(n > manyToSort, timed(n, func() error { return dominikbraunSort(braun) }))},
		{"dominikbraun StableSort", s.unless(n > manyToSort, timed(n, func() error { return dominikbraunStable(braun) }))},
		{"heimdalr OrderedWalk", nil}, {"heimdalr Descendants", nil},
		{"Argo-like", timed(n, func() error { argo.reconcile(began, pods); return nil })},
		{"Argo-like, tasks in a map", timed(n, func() error { indexed.reconcile(began, pods); return nil })},
	}
	if n <= manyToCheck || s.slow {
		g, err := inHeimdalr(d)
		if err != nil {
			return nil, err
		}
		list[7].once = timed(n, func() error { heimdalrWalk(g); return nil })
		list[8].once = timed(n, func() error { _, err := g.GetOrderedDescendants(d.names[0]); return err })
	}
	return s.compare(list...)
}

// verdicts asks for what the rules say of every node, which evaluates them anew.
func verdicts(e *propagate.Engine) contestant {
	n := e.Graph().Len()
	return contestant{"nodestatus Verdict of all", timed(n, func() error {
		for i := range nodegraph.Index(n) {
			e.Verdict(i)
		}
		return nil
	})}
}

func measureFlow(s settings, spec *nodegraph.Spec) ([]sample, error) {
	e, err := begun(spec)
	if err != nil {
		return nil, err
	}
	d := draw(e.Graph())
	n := len(d.names)
	flow := contestant{name: "heimdalr DescendantsFlow"}
	if n <= manyToCheck || s.slow {
		g, err := inHeimdalr(d)
		if err != nil {
			return nil, err
		}
		flow.once = timed(n, func() error { return heimdalrFlow(g, d.names[0]) })
	}
	return s.compare(verdicts(e), flow)
}

func measureEvent(s settings, spec *nodegraph.Spec) ([]sample, error) {
	state, err := halfDone(spec)
	if err != nil {
		return nil, err
	}
	events, err := eventsFrom(spec, state)
	if err != nil {
		return nil, err
	}
	argo := func(set func(c *argoLike)) stretch { return s.reconciles(spec, state, len(events), set) }
	return s.compare(
		contestant{"nodestatus ApplyTo", func() (time.Duration, int, error) {
			e, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted))
			if err != nil {
				return 0, 0, err
			}
			var result propagate.Result
			start := time.Now()
			for k := range events {
				if err := e.ApplyTo(&result, began, events[k]); err != nil {
					return 0, 0, err
				}
			}
			return time.Since(start), len(events), nil
		}},
		contestant{"nodestatus SyncPods", s.syncs(spec, state, len(events), false)},
		contestant{"nodestatus Load, SyncPods, Save", s.syncs(spec, state, len(events), true)},
		contestant{"Argo-like", argo(func(*argoLike) {})},
		contestant{"Argo-like, tasks in a map", argo(func(c *argoLike) { c.indexed = true })},
		contestant{"Argo-like, govaluate", argo(func(c *argoLike) { c.evaluate = evalGovaluate })},
	)
}

// syncs is a stretch of SyncPods for one pod after the other; with reload, the engine is
// loaded from its saved state each time, as by a host that keeps nothing.
func (s settings) syncs(spec *nodegraph.Spec, state propagate.State, most int, reload bool) stretch {
	return func() (time.Duration, int, error) {
		e, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted))
		if err != nil {
			return 0, 0, err
		}
		list, at := podsOf(e), state
		if _, err := e.SyncPods(began, list.pods); err != nil {
			return 0, 0, err
		}
		return s.podByPod(list, most, func() ([]string, error) {
			if reload {
				if e, _, err = propagate.FromState(spec, at, nodegraph.WithLimits(lifted)); err != nil {
					return nil, err
				}
			}
			result, err := e.SyncPods(began, list.pods)
			if err != nil {
				return nil, err
			}
			if reload {
				at = e.Save()
			}
			return createdBy(&result), nil
		})
	}
}

// reconciles is a stretch of reconciles of the Argo-like evaluator, for one pod after the other.
func (s settings) reconciles(spec *nodegraph.Spec, state propagate.State, most int, set func(c *argoLike)) stretch {
	var saved *argoLike
	var pods []propagate.PodStatus
	return func() (time.Duration, int, error) {
		if saved == nil {
			e, _, err := propagate.FromState(spec, state, nodegraph.WithLimits(lifted))
			if err != nil {
				return 0, 0, err
			}
			if saved, err = argoLikeAt(e); err != nil {
				return 0, 0, err
			}
			pods = podsOf(e).pods
		}
		c := *saved
		c.nodes, c.created = maps.Clone(saved.nodes), nil
		for id, node := range c.nodes { // children are appended to in place
			c.nodes[id] = *node.clone()
		}
		set(&c)
		list := &podList{spec: spec}
		for _, p := range pods {
			list.add(p.Node)
		}
		return s.podByPod(list, most, func() ([]string, error) {
			created, _ := c.reconcile(began, list.pods)
			return created, nil
		})
	}
}

// podByPod ends up to so many pods, and counts the time of what call does about each, until a fifth of the budget is used
// up. The call returns the nodes whose pods it created.
func (s settings) podByPod(list *podList, most int, call func() ([]string, error)) (time.Duration, int, error) {
	var took time.Duration
	ended := 0
	for ended < most && len(list.pods) > 0 && (took < s.budget/5 || ended == 0) {
		list.end()
		start := time.Now()
		created, err := call()
		took += time.Since(start)
		if err != nil {
			return 0, 0, err
		}
		list.seen(created)
		ended++
	}
	return took, ended, nil
}

func measureDepends(s settings) ([]sample, error) {
	ways, err := dependsWays()
	if err != nil {
		return nil, err
	}
	var list []contestant
	for _, w := range ways {
		list = append(list, contestant{w.name, func() (time.Duration, int, error) {
			const times = 1000
			start := time.Now()
			for range times {
				if holds, err := w.eval(); err != nil || !holds {
					return 0, 0, fmt.Errorf("comes to %v, %v", holds, err)
				}
			}
			return time.Since(start), times, nil
		}})
	}
	return s.compare(list...)
}
