package propagate

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// The tests of this file count work: evaluations and allocations, never time.

// affected is the most that a result may cost: for each node that changed an evaluation of itself, of what it is inside
// of and of what comes after it; and the nodes that the events name.
func affected(e *Engine, r *Result, events []Event) int {
	work := 0
	node := func(i nodegraph.Index) {
		work += 2 + len(slices.Collect(e.graph.Dependents(i)))
		if e.facts.Node(i).Kind == nodegraph.KindPod { // its containers read its facts
			for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
				work++
			}
		}
	}
	for k := range r.Changes {
		node(r.Changes[k].Node)
	}
	for k := range events {
		node(events[k].At)
	}
	for k := range r.Actions { // what starts is evaluated once more as a member of what it is inside of
		if r.Actions[k].Type == ActionStart {
			node(r.Actions[k].Node)
		}
	}
	return work
}

// An event costs the nodes and edges of what it affects, however large the rest of the workflow is.
func TestAnEventCostsWhatItChanges(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			e := begun(s.spec(2000))
			open := openPods(e)
			for step := 0; len(open) > 0; step++ {
				pod := open[step%len(open)]
				event := Event{Type: EventPodRunning, At: pod}
				if e.facts.Node(pod).Stage == fact.StageRunning {
					event = Event{Type: EventPodEnded, At: pod, Phase: nodegraph.PhaseSucceeded}
				}
				before := e.sched.Generation()
				r, err := e.Apply(began, event)
				require.NoError(t, err)
				require.LessOrEqual(t, e.sched.Generation()-before, affected(e, &r, []Event{event}), "evaluations after %v of %s", event, e.rules.NameOf(pod))
				if event.Type == EventPodEnded {
					open = openPods(e)
				}
			}
			assert.True(t, e.Complete())
		})
	}
}

// A full pass evaluates every node once.
func TestAFullPassEvaluatesEveryNodeOnce(t *testing.T) {
	for _, s := range shapes {
		e := half(s.spec(1000))
		before := e.sched.Generation()
		e.sched.All(e.judge)
		e.sweep(0)
		assert.Equal(t, e.graph.Len(), e.sched.Generation()-before, s.name)
	}
}

// A loss of every pod evaluates each node that changes once.
func TestACascadeEvaluatesEachNodeOnce(t *testing.T) {
	for _, s := range shapes {
		e, lost := beforeCascade(s.spec(1000))
		before := e.sched.Generation()
		r, err := e.Apply(began, lost...)
		require.NoError(t, err, s.name)
		require.True(t, e.Complete(), s.name)
		assert.Equal(t, len(r.Changes), e.sched.Generation()-before, s.name)
	}
}

// layersOf returns a pod of containers in layers, each container after all of the layer before: a diamond upon a diamond.
func layersOf(layers, width int) *nodegraph.Spec {
	pod := &nodegraph.Template{Name: "pod", Kind: nodegraph.KindPod}
	for l := range layers {
		for k := range width {
			c := nodegraph.ContainerSpec{Name: fmt.Sprintf("c%d-%d", l, k)}
			for d := range width {
				if l > 0 {
					c.Dependencies = append(c.Dependencies, fmt.Sprintf("c%d-%d", l-1, d))
				}
			}
			pod.Containers = append(pod.Containers, c)
		}
	}
	return &nodegraph.Spec{Name: "w", Entrypoint: "pod", Templates: []*nodegraph.Template{pod}}
}

// The loss of a pod costs as much for 40 layers of two containers, with 2^40 ways through them, as for 80 in a row.
func TestAWayIsWalkedOnce(t *testing.T) {
	lost := func(spec *nodegraph.Spec) int {
		e := begun(spec)
		_, err := e.Apply(began, Event{Type: EventPodRunning, At: nodegraph.Entry})
		require.NoError(t, err)
		before := e.sched.Generation()
		r, err := e.Apply(began, Event{Type: EventPodDeleted, At: nodegraph.Entry})
		require.NoError(t, err)
		require.Len(t, r.Changes, 82, "80 containers, the pod and the workflow")
		require.NoError(t, e.Check())
		return e.sched.Generation() - before
	}
	assert.Equal(t, lost(layersOf(80, 1)), lost(layersOf(40, 2)))
}

// A container that runs again makes what comes after it begin anew, each once.
func TestARetriedContainerWalksAWayOnce(t *testing.T) {
	e := begun(layersOf(40, 2))
	_, err := e.Apply(began, ContainerRetried("w", "c0-0"))
	require.NoError(t, err)
	require.NoError(t, e.Check())
	last := e.facts.Fact(e.graph.Find("w.c39-0"))
	assert.Equal(t, 2, last.Attempt)
}

// What is held back is noted once, however often it is looked at.
func TestWhatIsHeldBackIsNotedOnce(t *testing.T) {
	spec := dagOf(10, func(int) []int { return nil })
	spec.Parallelism = 1
	e := begun(spec)
	for k := range 100 {
		_, err := e.Apply(began, Event{Type: EventSuspended, Value: k%2 == 0})
		require.NoError(t, err)
		require.Len(t, e.starts.later, 9)
	}
	done := half(sets(70))
	require.True(t, done.ended.Empty(), "composites whose end was seen to")
}

// What a hook names is looked for in each task once, however many ways lead to it.
func TestANameIsLookedForOnce(t *testing.T) {
	spec := dagOf(80, func(k int) []int {
		if k < 2 {
			return nil
		}
		return []int{k/2*2 - 2, k/2*2 - 1}
	})
	last := &spec.Templates[0].Tasks[79]
	last.Hooks = []nodegraph.Hook{{Name: "h", Template: "pod", Expression: `tasks.` + spec.Templates[0].Tasks[0].Name + `.status == "Failed"`}}
	e := half(spec)
	for batch := endings(nil, slices.Values(openPods(e))); len(batch) > 0; {
		r, err := e.Apply(began, batch...)
		require.NoError(t, err)
		batch = endings(batch[:0], started(&r))
	}
	require.True(t, e.Complete())
}

// A manual retry resets what comes after what failed, and looks at nothing twice: there are 2^40 ways through these tasks.
func TestAManualRetryWalksAWayOnce(t *testing.T) {
	spec := dagOf(80, func(k int) []int {
		if k < 2 {
			return nil
		}
		return []int{k/2*2 - 2, k/2*2 - 1}
	})
	e := begun(spec)
	for _, pod := range openPods(e) {
		_, err := e.Apply(began, Event{Type: EventPodEnded, At: pod, Phase: nodegraph.PhaseFailed})
		require.NoError(t, err)
	}
	require.True(t, e.Complete())
	_, err := e.Apply(began, ManualRetry())
	require.NoError(t, err)
	require.Len(t, openPods(e), 2)
}

// In steady state an event and its result allocate nothing.
func TestAnEventAllocatesNothing(t *testing.T) {
	for _, s := range shapes {
		e := begun(s.spec(1000))
		pods := openPods(e)
		var r Result
		events := make([]Event, 1)
		apply := func(ev Event) {
			events[0] = ev
			if err := e.ApplyTo(&r, began, events...); err != nil {
				t.Fatal(err)
			}
		}
		k := 0
		running := func() {
			pod := pods[k%len(pods)]
			e.facts.Unsee(pod)
			apply(Event{Type: EventPodPending, At: pod, Message: "ContainerCreating", Pod: fact.PodInstance{UID: "u"}})
			apply(Event{Type: EventPodRunning, At: pod, Pod: fact.PodInstance{UID: "u"}})
			apply(Event{Type: EventPodRunning, At: pod, Pod: fact.PodInstance{UID: "u"}}) // once more
			k++
		}
		for range 2 * len(pods) {
			running()
		}
		assert.Zero(t, testing.AllocsPerRun(100, running), "%s: a pod pends and runs", s.name)

		batch := make([]Event, len(pods))
		for k, pod := range pods {
			batch[k] = Event{Type: EventPodDeleted, At: pod}
		}
		for _, template := range e.graph.Spec().Templates {
			if template.Retry != nil {
				template.Retry.Limit = new(int)
			}
		}
		undo := remember(e)
		assert.Zero(t, testing.AllocsPerRun(5, func() {
			if err := e.ApplyTo(&r, began, batch...); err != nil {
				t.Fatal(err)
			}
			undo()
		}), "%s: every pod is lost, and all that follows", s.name)
	}
}

// A DAG allocates as often for many tasks as for few: room is made at once for what is known to come.
func TestADAGMakesRoomAtOnce(t *testing.T) {
	for _, s := range shapes[:3] {
		few, many := s.spec(500), s.spec(4000)
		allocations := func(spec *nodegraph.Spec) float64 { return testing.AllocsPerRun(2, func() { begun(spec) }) }
		assert.InDelta(t, allocations(few), allocations(many), 4, s.name)
	}
	assert.Less(t, cap(begun(chain(200)).out.changed), 100, "one pod of a chain starts")
}

// What every node needs is small: the verdict, its message, and what the graph knows of the node.
func TestHotState(t *testing.T) {
	assert.LessOrEqual(t, reflect.TypeFor[rule.Brief]().Size(), uintptr(4))
	assert.LessOrEqual(t, reflect.TypeFor[rule.Message]().Size(), uintptr(16))
	assert.LessOrEqual(t, reflect.TypeFor[nodegraph.Node]().Size(), uintptr(64))
}

// A DAG that fails fast is judged when something in it has failed and nothing is busy any more, not with every event.
func TestFailFastIsLookedAtOnce(t *testing.T) {
	b := nodegraph.NewBuilder("wf")
	b.Pod("work")
	dag := b.DAG("main")
	for k := range 100 {
		dag.Task(fmt.Sprint("t", k), "work")
	}
	spec, err := b.Entry("main").Spec()
	require.NoError(t, err)
	for _, template := range spec.Templates {
		template.FailFast = template.Name == "main"
	}
	e := begun(spec)
	pods := openPods(e)
	require.Len(t, pods, 100)
	for k, pod := range pods {
		phase := nodegraph.PhaseSucceeded
		if k == 10 {
			phase = nodegraph.PhaseFailed
		}
		before := e.sched.Generation()
		_, err := e.Apply(began, Event{Type: EventPodEnded, At: pod, Phase: phase})
		require.NoError(t, err)
		if k < len(pods)-1 {
			assert.Equal(t, 1, e.sched.Generation()-before, "nodes judged when pod %d of 100 has ended: the pod alone", k)
		}
	}
	phase, message := e.Workflow()
	assert.Equal(t, nodegraph.PhaseFailed, phase)
	assert.Equal(t, "template has failed or errored children and failFast enabled", message)
}
