package propagate

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/workload"
)

// The shapes of workflows that the benchmarks and the counted-work tests run on.

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// The workflows of package workload, under the names that tests use.
var dagOf, fanIn, chain, layered, sets = workload.DAG, workload.FanIn, workload.Chain, workload.Layered, workload.Sets

var shapes = []struct {
	name string
	spec func(n int) *nodegraph.Spec
}{{"fan-in", fanIn}, {"chain", chain}, {"layered", layered}, {"sets", sets}}

// lifted are limits that no shape reaches.
var lifted = nodegraph.Limits{Nodes: 4_000_000, Items: 1_000_000}

// begun returns the engine of a workflow that was started.
func begun(spec *nodegraph.Spec) *Engine {
	e, err := New(spec, nodegraph.WithLimits(lifted))
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
		if n := e.facts.Node(i); n.Kind == nodegraph.KindPod && n.Exists && n.Stage < fact.StageGone {
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
			if a := &r.Actions[k]; a.Type == ActionStart && a.Kind == nodegraph.KindPod && !yield(a.Node) {
				return
			}
		}
	}
}

// endings appends the events by which pods end well.
func endings(batch []Event, pods iter.Seq[nodegraph.Index]) []Event {
	for i := range pods {
		batch = append(batch, Event{Type: EventPodEnded, At: i, Phase: nodegraph.PhaseSucceeded})
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
