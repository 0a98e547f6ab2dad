// Package obligations tells Prometheus what unfinished workflows wait for, and for how long. Alerts on the ages find whatever hangs: a
// workflow that is not complete owes something, or waits for somebody.
package obligations

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

var (
	workflows = prometheus.NewDesc("nodestatus_workflows", "Unfinished workflows by the phase that is stored.", []string{"phase"}, nil)
	owed      = prometheus.NewDesc("nodestatus_obligations", "What unfinished workflows wait for, by kind.", []string{"kind"}, nil)
	ages      = prometheus.NewDesc("nodestatus_obligation_age_seconds",
		"For how long the oldest obligation of a kind has been owed; a timer is owed from when it runs out.", []string{"kind"}, nil)
	hangs = prometheus.NewDesc("nodestatus_workflows_without_obligation",
		"Unfinished workflows that wait for nothing: a bug in the library.", nil, nil)
)

// A Collector knows what the workflows of a process wait for. It is for a registry of Prometheus, and the
// zero value knows none. Any number of goroutines may use it.
type Collector struct {
	mu    sync.Mutex
	known map[string]described
}

// described is what is shown of one workflow.
type described struct {
	phase string
	since map[key]time.Time // of each obligation; of a timer when it runs out
	hangs bool              // incomplete, and waits for nothing
}

// A key is one thing that a workflow waits for.
type key struct {
	node nodegraph.Index
	need propagate.WaitReason
}

// Note takes note of how a workflow stands that is not complete. A host calls it once that is stored, so that what is shown is what
// a successor would find. What it waits for now, and did not before, is owed from then on.
func (c *Collector) Note(workflow string, e *propagate.Engine, now time.Time) {
	phase, _ := e.Workflow()
	d := described{phase: phase.String(), since: make(map[key]time.Time)}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range e.Obligations() {
		k := key{o.Node, o.For}
		before, known := c.known[workflow].since[k]
		switch {
		case o.For == propagate.WaitTimer:
			d.since[k] = o.Until
		case known:
			d.since[k] = before
		default:
			d.since[k] = now
		}
	}
	d.hangs = len(d.since) == 0 && !e.Complete()
	if c.known == nil {
		c.known = make(map[string]described)
	}
	c.known[workflow] = d
}

// Forget takes a workflow out that is complete, or does not exist any more.
func (c *Collector) Forget(workflow string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, workflow)
}

// Describe sends the descriptions of the metrics.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{workflows, owed, ages, hangs} {
		to <- d
	}
}

// Collect counts the workflows and what they wait for.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	phases, count, age, without := map[string]int{}, map[propagate.WaitReason]int{}, map[propagate.WaitReason]time.Duration{}, 0
	c.mu.Lock()
	for _, d := range c.known {
		phases[d.phase]++
		if d.hangs {
			without++
		}
		for k, since := range d.since {
			count[k.need]++
			age[k.need] = max(age[k.need], now.Sub(since))
		}
	}
	c.mu.Unlock()
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	for phase, n := range phases {
		gauge(workflows, float64(n), phase)
	}
	for need := propagate.WaitStart; need <= propagate.WaitSuspended; need++ { // all, so that alerts see zeros
		gauge(owed, float64(count[need]), need.String())
		gauge(ages, age[need].Seconds(), need.String())
	}
	gauge(hangs, float64(without))
}
