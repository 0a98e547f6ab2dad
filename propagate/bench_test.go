package propagate

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

var sizes = []int{100, 1000, 10_000, 100_000, 1_000_000}

// onShapes runs a benchmark on every shape and size.
func onShapes(b *testing.B, run func(b *testing.B, spec *nodegraph.Spec)) {
	for _, s := range shapes {
		for _, n := range sizes {
			if testing.Short() && n > 10_000 {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) {
				b.ReportAllocs()
				run(b, s.spec(n))
			})
		}
	}
}

// per reports the time of one of n things that each iteration does.
func per(b *testing.B, unit string, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/"+unit)
}

// BenchmarkBuild: from the specification to an engine that has all nodes: names, ids, edges and the state of each.
func BenchmarkBuild(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) { making(b, func() *Engine { return built(spec) }) })
}

// making measures how an engine is made: what each node takes in the mean, the garbage collector's work included, in the
// middle one of all rounds, and at best.
func making(b *testing.B, engine func() *Engine) {
	nodes := 0
	var rounds []time.Duration
	for b.Loop() {
		start := time.Now()
		nodes = engine().graph.Len()
		rounds = append(rounds, time.Since(start))
	}
	per(b, "node", nodes)
	slices.Sort(rounds)
	b.ReportMetric(float64(rounds[len(rounds)/2].Nanoseconds())/float64(nodes), "median-ns/node")
	b.ReportMetric(float64(rounds[0].Nanoseconds())/float64(nodes), "fastest-ns/node")
}

// BenchmarkPages: a build, where the process has the memory already and where the operating system hands it out anew, page by
// page; and arrays of as many bytes, of which one byte in each new page is written. Each is the fastest of all rounds.
func BenchmarkPages(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		nodes := built(spec).graph.Len()
		runtime.ReadMemStats(&after)
		build := func() { built(spec) }
		write := func() {
			array := make([]byte, after.TotalAlloc-before.TotalAlloc)
			for k := 0; k < len(array); k += 4096 {
				array[k] = 1
			}
		}
		kept, fresh, plain := math.Inf(1), math.Inf(1), math.Inf(1)
		round := func(fastest *float64, prepare, do func()) {
			prepare()
			start := time.Now()
			do()
			*fastest = min(*fastest, float64(time.Since(start).Nanoseconds())/float64(nodes))
		}
		for b.Loop() {
			round(&kept, runtime.GC, build)
			round(&fresh, debug.FreeOSMemory, build)
			round(&plain, debug.FreeOSMemory, write)
		}
		b.ReportMetric(kept, "kept-ns/node")
		b.ReportMetric(fresh, "fresh-ns/node")
		b.ReportMetric(plain, "arrays-ns/node")
	})
}

// built returns an engine with all nodes that a workflow has when each of its loops and Retries has started.
func built(spec *nodegraph.Spec) *Engine {
	e, err := New(spec, nodegraph.WithLimits(lifted))
	for i := nodegraph.Entry; err == nil && int(i) < e.graph.Len(); i++ {
		switch n := e.graph.Node(i); n.Kind {
		case nodegraph.KindTaskGroup:
			err = e.graph.AddItems(i, n.Task, n.Task.Loop.Items)
		case nodegraph.KindRetry:
			_, err = e.graph.AddAttempt(i)
		case nodegraph.KindPod:
			if len(n.Template.Containers) > 0 {
				err = e.graph.Expand(i)
			}
		default:
			err = e.graph.Expand(i)
		}
	}
	if err != nil {
		panic(err)
	}
	e.grow()
	return e
}

// BenchmarkStart: from the specification to the first settled state, and what the host must do for it: of fan-in and sets,
// each pod.
func BenchmarkStart(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) { making(b, func() *Engine { return begun(spec) }) })
}

// BenchmarkFixedPoint: every rule once, half of the workflow done.
func BenchmarkFixedPoint(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := half(spec)
		b.ResetTimer()
		for b.Loop() {
			e.sched.All(e.judge)
			e.sweep(0)
		}
		per(b, "node", e.graph.Len())
	})
}

// BenchmarkReference: the evaluator that a reader can check, on the same.
func BenchmarkReference(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := half(spec)
		b.ResetTimer()
		for b.Loop() {
			e.rules.Reference()
		}
		per(b, "node", e.graph.Len())
	})
}

// BenchmarkLocalEvent: a pod runs, and ends; one that others do not start after. The pods are taken in turn.
func BenchmarkLocalEvent(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := begun(spec)
		open := openPods(e)
		open = open[:max(1, len(open)-1)]
		events := make([]Event, 1)
		var r Result
		b.ResetTimer()
		for k := 0; b.Loop(); k++ {
			pod := open[k/2%len(open)]
			events[0] = Event{Type: EventPodRunning, At: pod, Pod: fact.PodInstance{UID: "u"}}
			if k%2 == 1 { // and what it was before, so that it may run again
				e.facts.Unsee(pod)
				events[0].Type = EventPodPending
			}
			if err := e.ApplyTo(&r, began, events...); err != nil {
				b.Fatal(err)
			}
		}
		per(b, "event", 1)
	})
}

// BenchmarkRepeated: a pod is reported as it was.
func BenchmarkRepeated(b *testing.B) {
	repeated(b, func(_ *Engine, pod nodegraph.Index) Event { return Event{Type: EventPodRunning, At: pod} })
}

// BenchmarkRepeatedByID: the same, with the id of the node in place of its index.
func BenchmarkRepeatedByID(b *testing.B) {
	repeated(b, func(e *Engine, pod nodegraph.Index) Event { return PodRunning(e.graph.Node(pod).ID()) })
}

func repeated(b *testing.B, event func(e *Engine, pod nodegraph.Index) Event) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := begun(spec)
		open := openPods(e)
		var r Result
		batch := make([]Event, len(open))
		for k, pod := range open {
			batch[k] = event(e, pod)
			batch[k].Pod.UID = "u"
		}
		if err := e.ApplyTo(&r, began, batch...); err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for k := 0; b.Loop(); k++ {
			k %= len(batch)
			if err := e.ApplyTo(&r, began, batch[k:k+1]...); err != nil {
				b.Fatal(err)
			}
		}
		per(b, "event", 1)
	})
}

// BenchmarkCascade: every pod that exists is lost in one call. Containers end with their pods, what comes after them is
// omitted, and all that is around them settles. The first of all rounds also makes room for the result.
func BenchmarkCascade(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e, batch := beforeCascade(spec)
		var r Result
		undo := remember(e)
		round := func() time.Duration { // stopping the timer of the benchmark would stop the world, and empty the caches
			start := time.Now()
			if err := e.ApplyTo(&r, began, batch...); err != nil {
				b.Fatal(err)
			}
			spent := time.Since(start)
			undo()
			return spent
		}
		perNode := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(len(r.Changes)) }
		first, others := round(), time.Duration(0)
		b.ResetTimer()
		for b.Loop() {
			others += round()
		}
		b.ReportMetric(perNode(first), "first-ns/changed-node")
		b.ReportMetric(perNode(others)/float64(b.N), "ns/changed-node")
	})
}

// remember returns a function that puts an engine back into the state it has now. No node may have been added since.
func remember(e *Engine) func() {
	facts, rules, schedule, active := e.facts.Checkpoint(), e.rules.Checkpoint(), e.sched.Checkpoint(), e.starts.active
	return func() {
		facts()
		rules()
		schedule()
		e.starts.active = active
	}
}

// BenchmarkRun: everything that runs ends in one call, time after time, to the end of the workflow.
func BenchmarkRun(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		changed := 0
		for b.Loop() {
			b.StopTimer()
			e := begun(spec)
			batch := endings(nil, slices.Values(openPods(e)))
			var r Result
			b.StartTimer()
			changed = 0
			for len(batch) > 0 {
				if err := e.ApplyTo(&r, began, batch...); err != nil {
					b.Fatal(err)
				}
				changed += len(r.Changes)
				batch = endings(batch[:0], started(&r))
			}
		}
		per(b, "changed-node", changed)
	})
}

// thousandRetries is a loop over 1,000 pods, each under a Retry.
func thousandRetries() *nodegraph.Spec {
	spec := sets(7000)
	spec.Templates[1].Containers = nil
	return spec
}

// BenchmarkAddAttempt: a pod fails and its Retry starts another attempt; the pods of 1,000 Retries in turn, each up to
// four times.
func BenchmarkAddAttempt(b *testing.B) {
	spec := thousandRetries()
	var e *Engine
	var pods []nodegraph.Index
	events := make([]Event, 1)
	var r Result
	b.ReportAllocs()
	b.ResetTimer()
	for k := 0; b.Loop(); k++ {
		if k%(3*1000) == 0 {
			b.StopTimer()
			e = begun(spec)
			pods = openPods(e)
			b.StartTimer()
		}
		pod := &pods[k%1000]
		events[0] = Event{Type: EventPodEnded, At: *pod, Phase: nodegraph.PhaseFailed}
		if err := e.ApplyTo(&r, began, events...); err != nil {
			b.Fatal(err)
		}
		*pod = r.Actions[0].Node
	}
}

// BenchmarkAddNode: the graph and the engine take up a node, with nothing that follows from it: attempts of 1,000 Retries
// in turn, eight more of each.
func BenchmarkAddNode(b *testing.B) {
	const more = 8
	spec := thousandRetries()
	b.ReportAllocs()
	spent := time.Duration(0)
	added := 0
	for b.Loop() {
		e := begun(spec)
		pods := openPods(e)
		start := time.Now()
		for range more {
			for _, pod := range pods {
				if _, err := e.graph.AddAttempt(e.facts.Node(pod).Parent); err != nil {
					b.Fatal(err)
				}
				e.grow()
			}
		}
		spent += time.Since(start)
		added += more * len(pods)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(added), "ns/node")
}

// BenchmarkFanOut: the host resolves a loop to 1,000 items, all of which start.
func BenchmarkFanOut(b *testing.B) {
	items := make([]nodegraph.Item, 1000)
	for k := range items {
		items[k].Text = fmt.Sprint(k)
	}
	spec := &nodegraph.Spec{Name: "w", Entrypoint: "dag", Templates: []*nodegraph.Template{
		{Name: "dag", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "g", Template: "pod", Loop: &nodegraph.Loop{Unresolved: "{{x}}"}}}},
		{Name: "pod", Kind: nodegraph.KindPod},
	}}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		e := begun(spec)
		b.StartTimer()
		if _, err := e.Apply(began, Expanded("w.g", items...)); err != nil {
			b.Fatal(err)
		}
	}
	per(b, "item", len(items))
}

// BenchmarkRestart: an engine from its saved state.
func BenchmarkRestart(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := half(spec)
		state := e.Save()
		b.ResetTimer()
		for b.Loop() {
			if _, _, err := FromState(spec, state, nodegraph.WithLimits(lifted)); err != nil {
				b.Fatal(err)
			}
		}
		per(b, "node", e.graph.Len())
	})
}

// BenchmarkObligations: everything that the workflow waits for.
func BenchmarkObligations(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := half(spec)
		b.ResetTimer()
		for b.Loop() {
			e.Obligations()
		}
		per(b, "node", e.graph.Len())
	})
}

// BenchmarkExplain: why the workflow is not complete, down to the facts.
func BenchmarkExplain(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		e := half(spec)
		b.ResetTimer()
		for b.Loop() {
			e.Explain(nodegraph.Root)
		}
	})
}

// BenchmarkMemory: the bytes on the heap that an engine takes for each node, its names and ids counted apart.
func BenchmarkMemory(b *testing.B) {
	onShapes(b, func(b *testing.B, spec *nodegraph.Spec) {
		var e *Engine
		grown := 0.0
		for b.Loop() {
			before := heap()
			e = half(spec)
			if _, err := e.Apply(began); err != nil { // a small call gives back what a large one needed
				b.Fatal(err)
			}
			grown = heap() - before
		}
		texts := 0
		for i := range nodegraph.Index(e.graph.Len()) {
			texts += len(e.graph.Node(i).ID()) + len(e.graph.Node(i).Name())
		}
		n := float64(e.graph.Len())
		b.ReportMetric((grown-float64(texts))/n, "B/node")
		b.ReportMetric(float64(texts)/n, "text-B/node")
		runtime.KeepAlive(e)
	})
}

// heap is what is alive on it, in bytes.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
