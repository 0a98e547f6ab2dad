// Command pipeline is the core of a controller for a resource that has nothing to do with Argo, from top to bottom: the resource,
// its translation, the loop, and a picture of what becomes of two pipelines. A pod of one is lost, the controller restarts, and a
// lock is handed on from one pipeline to the other.
//
//	go run ./examples/pipeline
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/nodestatus/nodestatus/retry"
)

// A Pipeline is the resource.
type Pipeline struct {
	Name   string
	Stages []Stage
}

// A Stage is one pod, or as many in turn as it takes.
type Stage struct {
	Name       string
	Needs      []string // stages that succeed first
	Containers []string // of its pod, each after the one before it; none for one called main
	Lock       string   // held by the stage; empty for none
	Retries    int      // how often it is tried again, each time after Backoff

	Backoff, Timeout time.Duration // Timeout is that of each attempt, 0 for none
}

// Spec translates a pipeline: it is a DAG, and each stage is a task with a template of its own.
func (p *Pipeline) Spec() (*nodegraph.Spec, error) {
	b := nodegraph.NewBuilder(p.Name)
	dag := b.DAG("main")
	for _, s := range p.Stages {
		t := b.Pod(s.Name)
		for k, name := range s.Containers {
			t.Containers = append(t.Containers, nodegraph.ContainerSpec{Name: name, Dependencies: s.Containers[max(0, k-1):k]})
		}
		if s.Retries > 0 {
			t.Retry = &retry.Strategy{Limit: &s.Retries, Policy: retry.PolicyAlways, Backoff: &retry.Backoff{Duration: s.Backoff}}
		}
		if s.Lock != "" {
			t.Locks = []nodegraph.Lock{{Key: "default/Mutex/" + s.Lock, Limit: 1}}
		}
		t.Timeout = s.Timeout
		dag.Task(s.Name, s.Name, nodegraph.After(s.Needs...))
	}
	return b.Spec()
}

// A Cluster is what the controller needs of the world. A real one has client-go behind it.
type Cluster interface {
	Now() time.Time
	Pods(pipeline string) []propagate.PodStatus // all that exist
	CreatePod(pipeline, node, name string, containers ...nodegraph.ContainerSpec) error
	DeletePod(pipeline, name string)
	Store(pipeline string, state []byte) // in the status of the resource
	Stored(pipeline string) []byte
	WakeAt(pipeline string, at time.Time) // calls Reconcile then
}

// A Controller keeps an engine for each pipeline, and the table of locks that they share.
type Controller struct {
	cluster Cluster
	engines map[string]*propagate.Engine
	locks   propagate.LockTable
}

// NewController starts the controller: it loads what it has stored, and adopts all locks before it does anything.
func NewController(cluster Cluster, pipelines ...*Pipeline) (*Controller, error) {
	c := &Controller{cluster: cluster, engines: make(map[string]*propagate.Engine)}
	for _, p := range pipelines {
		spec, err := p.Spec()
		if err != nil {
			return nil, err
		}
		e, err := propagate.New(spec)
		if stored := cluster.Stored(p.Name); stored != nil {
			var state propagate.State
			if err = json.Unmarshal(stored, &state); err == nil {
				e, _, err = propagate.FromState(spec, state)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
		}
		c.engines[p.Name] = e
		c.locks.Adopt(p.Name, e)
	}
	return c, nil
}

// Engine returns what the controller knows of a pipeline.
func (c *Controller) Engine(pipeline string) *propagate.Engine { return c.engines[pipeline] }

// Reconcile is called when a pod has changed and when a timer is due. Drive is the loop over Call and Do.
func (c *Controller) Reconcile(pipeline string) error {
	for _, h := range c.locks.Grant() { // those who have got locks by a release that the controller before did not live to tell
		if err := propagate.Drive(c, h.Workflow, h.Granted().Event); err != nil {
			return err
		}
	}
	return propagate.Drive(c, pipeline)
}

// Call tells the engine how the pods are, and stores its state before anything is done.
func (c *Controller) Call(pipeline string, events []propagate.Event) (propagate.Result, error) {
	e := c.engines[pipeline]
	r, err := e.SyncPods(c.cluster.Now(), c.cluster.Pods(pipeline), events...)
	if err != nil {
		return r, err
	}
	state, err := json.Marshal(e.Save())
	if err == nil {
		c.cluster.Store(pipeline, state)
	}
	return r, err
}

// Do carries out an action so that twice is as good as once.
func (c *Controller) Do(pipeline string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		if a.Kind != nodegraph.KindPod {
			break // a DAG or a Retry begins
		}
		t := c.engines[pipeline].Graph().Node(a.Node).Template
		if err := c.cluster.CreatePod(pipeline, a.ID, a.Name, t.Containers...); !errors.Is(err, simhost.ErrExists) {
			return nil, err
		}
	case propagate.ActionTerminate:
		c.cluster.DeletePod(pipeline, a.Name)
	case propagate.ActionAcquire, propagate.ActionRelease:
		return c.locks.Answer(pipeline, a), nil
	case propagate.ActionWake:
		c.cluster.WakeAt(pipeline, a.At)
	}
	return nil, nil // Wait and Complete ask for nothing, and no stage has a question
}

// pipelines are what is played: two that publish to one registry, one at a time.
var pipelines = []*Pipeline{
	{Name: "web", Stages: []Stage{
		{Name: "fetch", Containers: []string{"clone", "modules"}},
		{Name: "unit", Needs: []string{"fetch"}, Retries: 2, Backoff: 10 * time.Second},
		{Name: "lint", Needs: []string{"fetch"}},
		{Name: "publish", Needs: []string{"unit", "lint"}, Lock: "registry"},
	}},
	{Name: "docs", Stages: []Stage{
		{Name: "render", Retries: 1, Backoff: tick, Timeout: 40 * time.Second},
		{Name: "publish", Needs: []string{"render"}, Lock: "registry"},
	}},
}

// lasts is for how many ticks a pod runs, by its name; others run for 4. A tick is a column of the picture.
var lasts = map[string]int{"web.lint": 9, "web.publish": 12, "docs.render(0)": 99}

const tick, columns, lost, restarted = 5 * time.Second, 36, 9, 17

// goOn lets a pod live for one more tick.
func goOn(p *simhost.Pod, now int, age time.Duration) {
	switch name := p.Status.Name; {
	case !p.Alive():
	case p.Terminating, now == lost && name == "web.unit(0)":
		p.Become(propagate.PodDeleted(""))
	case p.State == simhost.PodPending:
		p.Become(propagate.PodRunning(""))
	case age > tick*time.Duration(cmp.Or(lasts[name], 4)):
		p.Become(propagate.PodSucceeded(""))
	}
}

// A picture has rows by name, each with a letter for each tick until the row has ended.
type picture map[string]string

func (p picture) draw(name, letter string, now int) {
	if !strings.ContainsAny(p[name], "sfe") {
		p[name] = fmt.Sprintf("%-*s%s", now, p[name], letter)
	}
}

// order sorts rows by pipeline, and those of one by when they begin.
func (p picture) order(a, b string) int {
	begins := func(row string) int { return len(p[row]) - len(strings.TrimLeft(p[row], " ")) }
	return cmp.Or(strings.Compare(strings.Split(a, ".")[0], strings.Split(b, ".")[0]), begins(a)-begins(b), strings.Compare(a, b))
}

// drawPipeline draws the pipeline and each pod of it.
func (p picture) drawPipeline(e *propagate.Engine, now int) {
	for i := range nodegraph.Index(e.Graph().Len()) {
		letter := fmt.Sprintf("%.1s", strings.ToLower(e.Verdict(i).Phase.String()))
		if e.Fact(i).Lock == fact.LockWaits {
			letter = "w"
		}
		if name := e.Graph().Node(i).Name(); i == nodegraph.Entry || e.Kind(i) == nodegraph.KindPod && e.Exists(i) {
			p.draw(name, letter, now)
		}
	}
}

// play plays the story and prints its picture.
func play(out io.Writer) (err error) {
	var c *Controller
	world, shown := simhost.NewCluster(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)), picture{}
	for now := range columns {
		shown.draw("controller", map[bool]string{true: "R", false: "-"}[now == restarted], now)
		if now == 0 || now == restarted { // what the one before it did not store is forgotten
			if c, err = NewController(world, pipelines...); err != nil {
				return err
			}
		}
		for _, p := range pipelines {
			for _, pod := range world.PodsOf(p.Name, "") {
				goOn(pod, now, world.Now().Sub(pod.Created))
			}
			if err := c.Reconcile(p.Name); err != nil {
				return err
			}
			shown.drawPipeline(c.Engine(p.Name), now)
		}
		world.Pass(world.Now().Add(tick))
	}
	fmt.Fprintf(out, "A column is %v. pending, running, succeeded, failed, error; w waits, R restart\n\n", tick)
	for _, name := range slices.SortedFunc(maps.Keys(shown), shown.order) {
		fmt.Fprintf(out, "%-15s %s\n", name, shown[name])
	}
	return nil
}

func main() {
	if err := play(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
