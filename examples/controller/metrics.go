package main

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// metrics are those of one process, over all its shards.
type metrics struct {
	events     prometheus.Counter
	notCreated prometheus.Counter
	ended      *prometheus.CounterVec
	changes    *prometheus.CounterVec
	latency    prometheus.Histogram

	mu        sync.Mutex
	workflows map[types.NamespacedName]described
}

// described is what is shown of one workflow.
type described struct {
	phase string
	waits map[waitKey]wait
	hangs bool // incomplete, and waits for nothing
}

// A waitKey is one thing that a workflow waits for.
type waitKey struct {
	node nodegraph.Index
	need propagate.WaitReason
}

// A wait is since when that is owed. For a timer it is when it runs out.
type wait struct{ since time.Time }

var (
	descWorkflows = prometheus.NewDesc("nodestatus_workflows", "Unfinished workflows by the phase that is stored.", []string{"phase"}, nil)
	descWaits     = prometheus.NewDesc("nodestatus_obligations", "What unfinished workflows wait for, by kind.", []string{"kind"}, nil)
	descAge       = prometheus.NewDesc("nodestatus_obligation_age_seconds",
		"For how long the oldest obligation of a kind has been owed; a timer is owed from when it runs out.", []string{"kind"}, nil)
	descHangs = prometheus.NewDesc("nodestatus_workflows_without_obligation",
		"Unfinished workflows that wait for nothing: a bug in the library.", nil, nil)
)

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nodestatus_events_applied_total", Help: "Observations and answers that engines were told.",
		}),
		notCreated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nodestatus_pods_not_created_total", Help: "Tries to create a pod that failed. The message of its node says why.",
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nodestatus_workflows_completed_total", Help: "Workflows that were completed, by their phase.",
		}, []string{"phase"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nodestatus_nodes_changed_total", Help: "Nodes that changed, by the phase they came to.",
		}, []string{"phase"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "nodestatus_settle_seconds", Help: "Time an engine took to settle, its questions included.",
			Buckets: prometheus.ExponentialBuckets(10e-6, 4, 10),
		}),
		workflows: make(map[types.NamespacedName]described),
	}
	registry.MustRegister(m.events, m.notCreated, m.ended, m.changes, m.latency, m)
	return m
}

// settled counts one settle.
func (m *metrics) settled(took time.Duration, events int, changes []propagate.Change) {
	m.latency.Observe(took.Seconds())
	m.events.Add(float64(events))
	for _, c := range changes {
		if c.Node != nodegraph.Root {
			m.changes.WithLabelValues(c.To.String()).Inc()
		}
	}
}

// describe takes note of how a workflow stands, once that is stored.
func (m *metrics) describe(w *run, now time.Time) {
	phase, _ := w.engine.Workflow()
	d := described{phase: phase.String(), waits: make(map[waitKey]wait)}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.workflows[w.key].waits
	for _, o := range w.engine.Obligations() {
		key := waitKey{o.Node, o.For}
		at, known := before[key]
		switch {
		case o.For == propagate.WaitTimer:
			at.since = o.Until
		case !known:
			at.since = now
		}
		d.waits[key] = at
	}
	d.hangs = len(d.waits) == 0 && !w.engine.Complete()
	m.workflows[w.key] = d
}

// completed counts a workflow that has ended, and has it waited for no more.
func (m *metrics) completed(w *run, phase nodegraph.Phase) {
	m.ended.WithLabelValues(phase.String()).Inc()
	m.forget(w.key)
}

// forget takes a workflow out that is complete, or does not exist any more.
func (m *metrics) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.workflows, key)
}

// Describe sends the metrics that are counted when they are asked for.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descWorkflows, descWaits, descAge, descHangs} {
		to <- d
	}
}

// Collect counts the workflows and what they wait for.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	phases, count, age, hangs := map[string]int{}, map[propagate.WaitReason]int{}, map[propagate.WaitReason]time.Duration{}, 0
	m.mu.Lock()
	for _, d := range m.workflows {
		phases[d.phase]++
		if d.hangs {
			hangs++
		}
		for key, w := range d.waits {
			count[key.need]++
			age[key.need] = max(age[key.need], now.Sub(w.since))
		}
	}
	m.mu.Unlock()
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	for phase, n := range phases {
		gauge(descWorkflows, float64(n), phase)
	}
	for need := propagate.WaitStart; need <= propagate.WaitSuspended; need++ { // all, so that alerts see zeros
		gauge(descWaits, float64(count[need]), need.String())
		gauge(descAge, age[need].Seconds(), need.String())
	}
	gauge(descHangs, float64(hangs))
}
