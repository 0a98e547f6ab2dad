package propagatetest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// translated stands for the translation of a resource of one's own.
func translated(text string) *nodegraph.Spec {
	spec, err := nodegraph.Parse(text)
	if err != nil {
		panic(err)
	}
	return spec
}

// A loop is a controller: all that Conformance needs of one is here.
type loop struct {
	cluster *propagatetest.Cluster
	engines map[string]*propagate.Engine
	locks   propagate.LockTable
}

// newLoop starts a controller: it loads what was stored, and adopts all locks.
func newLoop(cluster *propagatetest.Cluster) (propagatetest.Controller, error) {
	l := &loop{cluster: cluster, engines: make(map[string]*propagate.Engine)}
	for _, name := range cluster.Workflows() {
		e, err := propagate.New(cluster.Spec(name))
		if stored := cluster.Stored(name); err == nil && stored != nil {
			var state propagate.State
			if err = json.Unmarshal(stored, &state); err == nil {
				e, _, err = propagate.FromState(cluster.Spec(name), state)
			}
		}
		if err != nil {
			return nil, err
		}
		l.engines[name] = e
		l.locks.Adopt(name, e)
	}
	return l, nil
}

func (l *loop) Engine(workflow string) *propagate.Engine { return l.engines[workflow] }

func (l *loop) Reconcile(workflow string) error {
	for _, h := range l.locks.Grant() {
		if err := propagate.Drive(l, h.Workflow, h.Granted().Event); err != nil {
			return err
		}
	}
	return propagate.Drive(l, workflow, l.cluster.Events(workflow)...)
}

// Call tells the engine how the pods are, and stores the state before anything is done.
func (l *loop) Call(workflow string, events []propagate.Event) (propagate.Result, error) {
	e := l.engines[workflow]
	r, err := e.SyncPods(l.cluster.Now(), l.cluster.Pods(workflow), events...)
	if err != nil {
		return r, err
	}
	state, err := json.Marshal(e.Save())
	if err == nil {
		l.cluster.Store(workflow, state)
	}
	return r, err
}

// Do forgets ActionTerminate.
func (l *loop) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		if a.Kind != nodegraph.KindPod {
			break
		}
		t := l.engines[workflow].Graph().Node(a.Node).Template
		if err := l.cluster.CreatePod(workflow, a.ID, a.Name, t.Containers...); !errors.Is(err, simhost.ErrExists) {
			return nil, err
		}
	case propagate.ActionAcquire, propagate.ActionRelease:
		return l.locks.Answer(workflow, a), nil
	case propagate.ActionWake:
		l.cluster.WakeAt(workflow, a.At)
	}
	return nil, nil
}

// A controller that forgets to end pods is told so. In a test, Run does that; Faults returns what it would say.
func ExampleConformance() {
	spec := translated("build: dag(a: daemon -> b)")
	for _, fault := range (propagatetest.Conformance{
		New:   newLoop,
		Cases: []propagatetest.Case{{Name: "a daemon", Workflows: []*nodegraph.Spec{spec}}},
	}).Faults() {
		fmt.Println(fault)
	}
	// Output:
	// drops Terminate: build.a is Succeeded "", and its pod runs on (case "a daemon")
}

// The golden text of an engine.
func ExampleLook() {
	e, err := propagate.New(translated("build: dag(fetch: pod(clone -> unpack) -> compile)"))
	if err != nil {
		panic(err)
	}
	for _, events := range [][]propagate.Event{nil, {propagate.PodRunning("build.fetch"), propagate.ContainerEnded("build.fetch", "clone", 0, "")}} {
		if _, err := e.Apply(time.Unix(0, 0), events...); err != nil {
			panic(err)
		}
	}
	fmt.Println(propagatetest.Look(e), propagatetest.Check(e))
	// Output:
	// build DAG Running ""  (members-open build.fetch)
	// build.fetch Pod Running ""  (pod-running)
	// build.fetch.clone Container Succeeded ""  (container-own)
	// build.fetch.unpack Container Pending ""  (container-own)
	// workflow Workflow Running ""  (members-open build)
	// waits for build.fetch: pod
	//  <nil>
}

// A printed is a test that prints what it logs: in place of the t of a test.
type printed struct{ testing.TB }

func (printed) Helper()                           {}
func (printed) Log(args ...any)                   { fmt.Println(args...) }
func (printed) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printed) FailNow()                          { panic("the test failed") }

// Everything that may happen to a graph, with pods that fail and are lost and a host that crashes: one of that on each way.
func ExampleExploration() {
	var t printed // a *testing.T
	propagatetest.Exploration{
		Specs: []*nodegraph.Spec{translated("build: dag(a -> b: mutex(m, pod))")}, Harm: 1,
	}.Run(t)
	// Output:
	// 1 cases, 26 states, 10 of them maximal, 30 transitions, 36 facts said again, 32 restarts
}

// The same observations in every order, each once and again, come to the same.
func ExampleExploration_events() {
	var t printed // a *testing.T
	propagatetest.Exploration{
		Specs:  []*nodegraph.Spec{translated("build: dag(a, b)")},
		Events: []propagate.Event{propagate.PodRunning("build.a"), propagate.PodSucceeded("build.a"), propagate.PodDeleted("build.b")},
	}.Run(t)
	// Output:
	// 1 cases, 8 states, 1 of them maximal, 12 transitions, 12 facts said again, 8 restarts
}

// A graph of one's own on a hundred random clusters.
func ExampleRandom() {
	var t printed // a *testing.T
	for seed := range uint64(100) {
		propagatetest.Random{Seed: seed, Spec: translated("build: dag(a: retry(1, pod) -> b)")}.Run(t)
	}
	// Output:
}

// Golden scripts of a resource of one's own: the folder has files such as those of testdata/scripts.
func ExampleScripts() {
	var t *testing.T // that of the test
	propagatetest.Scripts{Graph: func(text string) (*nodegraph.Spec, error) {
		return translated(text), nil // what stands in the script, translated
	}}.Run(t, "testdata/scripts")
}

// What a controller does is recorded. The recording is stored as a test, and is what the engine shows.
func ExampleRecorder() {
	spec := translated("build: dag(a)")
	r, err := propagatetest.NewRecorder("build", spec)
	if err != nil {
		panic(err)
	}
	e, err := propagate.New(spec)
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, pods := range [][]propagate.PodStatus{nil, {{Node: "build.a", UID: "u", Phase: propagate.PodPhaseSucceeded}}} {
		if _, err := e.SyncPods(now, pods); err != nil {
			panic(err)
		}
		if err := r.Frame(propagatetest.Frame{Now: now, Pods: pods, State: e.Snapshot()}); err != nil {
			panic(err)
		}
		now = now.Add(time.Minute)
	}
	data, err := r.Encode()
	if err != nil {
		panic(err)
	}
	var t printed // a *testing.T
	propagatetest.Replay{}.Data(t, data)
	// Output:
}

// Recordings that were stored are held to what the engine shows.
func ExampleReplay() {
	var t *testing.T // that of the test
	propagatetest.Replay{}.Run(t, "testdata/recordings/*.json")
}
