package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/obligations"
)

// metrics are those of one process, over all its shards.
type metrics struct {
	events      prometheus.Counter
	notCreated  prometheus.Counter
	ended       *prometheus.CounterVec
	changes     *prometheus.CounterVec
	latency     prometheus.Histogram
	obligations obligations.Collector
}

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
	}
	registry.MustRegister(m.events, m.notCreated, m.ended, m.changes, m.latency, &m.obligations)
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
