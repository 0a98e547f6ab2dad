package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

const want = `A column is 5s. pending, running, succeeded, failed, error; w waits, R restart

controller      -----------------R------------------
docs            rrrrrrrrrrrrrrrrrrrs
docs.render(0)  prrrrrrrf
docs.render(1)           prrrrs
docs.publish                  prrrrs
web             rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrs
web.fetch       prrrrs
web.lint             prrrrrrrrrs
web.unit(0)          prrre
web.unit(1)                prrrrs
web.publish                     wwwwrrrrrrrrrrrrs
`

// The pod of docs.render runs too long and is tried again; that of web.unit is lost and is tried again later; the controller
// restarts while docs has the lock, and web gets it when docs has given it back.
func TestPicture(t *testing.T) {
	var got strings.Builder
	if err := play(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("the picture is\n%s\nand should be\n%s", got.String(), want)
	}
}

// cases are the pipelines of the picture, and what may become of their pods.
func cases(t *testing.T) []propagatetest.Case {
	specs := specsOf(t, pipelines...)
	return []propagatetest.Case{
		{Name: "all goes well", Workflows: specs},
		{Name: "a pod is lost before it runs", Workflows: specs, Vanishes: []string{"Pending web.fetch"}},
		{Name: "a pod is lost while it runs", Workflows: specs, Vanishes: []string{"Running web.unit(0)"}},
		{Name: "an attempt fails", Workflows: specs, Fails: []string{"web.unit(0)"}},
		{Name: "all attempts fail", Workflows: specs, Fails: []string{"docs.render(0)", "docs.render(1)"}},
		{Name: "an attempt runs too long", Workflows: specs, Stays: []string{"Running docs.render(0)"}},
	}
}

func specsOf(t *testing.T, all ...*Pipeline) []*nodegraph.Spec {
	t.Helper()
	var specs []*nodegraph.Spec
	for _, p := range all {
		spec, err := p.Spec()
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, spec)
	}
	return specs
}

// The controller is killed before and after everything that it does.
func TestConformance(t *testing.T) {
	propagatetest.Conformance{
		New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
			return NewController(c, pipelines...)
		},
		Cases: cases(t),
	}.Run(t)
}

// A clumsy is a cluster that does not do what the controller wants. It stands for a controller that makes that mistake.
type clumsy struct {
	*propagatetest.Cluster
	mistake string
	listed  map[string][]propagate.PodStatus
	before  map[string][]byte
}

func (c *clumsy) DeletePod(pipeline, name string) {
	if c.mistake != "it deletes nothing" {
		c.Cluster.DeletePod(pipeline, name)
	}
}

func (c *clumsy) WakeAt(pipeline string, at time.Time) {
	if c.mistake != "it sets no timers" {
		c.Cluster.WakeAt(pipeline, at)
	}
}

func (c *clumsy) Store(pipeline string, state []byte) {
	if c.mistake == "it stores too late" {
		state, c.before[pipeline] = c.before[pipeline], state
	}
	if state != nil {
		c.Cluster.Store(pipeline, state)
	}
}

func (c *clumsy) Pods(pipeline string) []propagate.PodStatus {
	if c.mistake == "it lists pods once" && c.listed[pipeline] != nil {
		return c.listed[pipeline]
	}
	c.listed[pipeline] = c.Cluster.Pods(pipeline)
	return c.listed[pipeline]
}

func (c *clumsy) CreatePod(pipeline, node, name string, containers ...nodegraph.ContainerSpec) error {
	switch c.mistake {
	case "it makes no pods":
		return nil
	case "it names pods at random":
		name += strings.Repeat("x", c.Deaths())
	}
	return c.Cluster.CreatePod(pipeline, node, name, containers...)
}

// Mistakes that the controller could make are named.
func TestMistakesAreFound(t *testing.T) {
	for mistake, rule := range map[string]propagatetest.Rule{
		"it deletes nothing":      propagatetest.DropsTerminate,
		"it sets no timers":       propagatetest.DropsWake,
		"it stores too late":      propagatetest.ActsBeforeStoring,
		"it lists pods once":      propagatetest.SeesStalePods,
		"it makes no pods":        propagatetest.DropsStart,
		"it names pods at random": propagatetest.MakesTwoPods,
	} {
		faults := propagatetest.Conformance{
			New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
				return NewController(&clumsy{c, mistake, make(map[string][]propagate.PodStatus), make(map[string][]byte)}, pipelines...)
			},
			Cases: cases(t)[4:],
		}.Faults()
		if len(faults) == 0 || faults[0].Rule != rule {
			t.Errorf("%s: found %v, want %q first", mistake, faults, rule)
		}
	}
}

// A resource that makes no sense is refused, and so is a state that can't be read.
func TestRefusals(t *testing.T) {
	loop := &Pipeline{Name: "loop", Stages: []Stage{{Name: "a", Needs: []string{"a"}}}}
	faults := propagatetest.Conformance{
		New:   func(c *propagatetest.Cluster) (propagatetest.Controller, error) { return NewController(c, loop) },
		Cases: cases(t)[:1],
	}.Faults()
	if len(faults) != 1 || faults[0].Rule != propagatetest.ReturnsAnError {
		t.Errorf("a stage that needs itself: %v", faults)
	}
	faults = propagatetest.Conformance{
		New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
			c.Store("web", []byte("no state"))
			return NewController(c, pipelines...)
		},
		Cases: cases(t)[:1],
	}.Faults()
	if len(faults) != 1 || faults[0].Rule != propagatetest.ReturnsAnError {
		t.Errorf("a state that is none: %v", faults)
	}
}

// A recorder is a controller that records each reconcile.
type recorder struct {
	*Controller
	files map[string]*propagatetest.Recorder
}

func (r recorder) Reconcile(pipeline string) error {
	locks := r.locks.Clone()
	f := propagatetest.Frame{Now: r.cluster.Now(), Pods: r.cluster.Pods(pipeline), Locks: &locks}
	err := r.Controller.Reconcile(pipeline)
	if err == nil {
		f.State = r.Engine(pipeline).Snapshot()
		err = r.files[pipeline].Frame(f)
	}
	return err
}

// What the controller does is recorded, and is the same when it is replayed.
func TestRecordings(t *testing.T) {
	for _, c := range cases(t) {
		files := make(map[string]*propagatetest.Recorder)
		for _, spec := range c.Workflows {
			r, err := propagatetest.NewRecorder(spec.Name, spec)
			if err != nil {
				t.Fatal(err)
			}
			files[spec.Name] = r
		}
		propagatetest.Conformance{New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
			made, err := NewController(c, pipelines...)
			return recorder{made, files}, err
		}}.Play(c)
		for _, r := range files {
			data, err := r.Encode()
			if err != nil {
				t.Fatal(err)
			}
			propagatetest.Replay{}.Data(t, data)
		}
	}
}

// Whatever may become of two small pipelines, in any order, nothing hangs, and what is said is true.
func TestExploration(t *testing.T) {
	a := &Pipeline{Name: "a", Stages: []Stage{{Name: "x", Retries: 1, Backoff: time.Second, Lock: "m"}}}
	b := &Pipeline{Name: "b", Stages: []Stage{{Name: "y", Lock: "m"}}}
	propagatetest.Exploration{Specs: specsOf(t, a, b), Harm: 1, Bound: 6}.Run(t)
}

// Pipelines on random clusters complete.
func TestRandom(t *testing.T) {
	for seed := range uint64(20) {
		for _, spec := range specsOf(t, pipelines...) {
			propagatetest.Random{Seed: seed, Spec: spec}.Run(t)
		}
	}
}

// The scripts tell what becomes of pipelines, which they have as JSON.
func TestScripts(t *testing.T) {
	propagatetest.Scripts{Graph: func(text string) (*nodegraph.Spec, error) {
		var p Pipeline
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, err
		}
		return p.Spec()
	}}.Run(t, "testdata/scripts")
}
