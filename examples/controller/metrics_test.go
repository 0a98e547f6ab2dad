package main

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// described returns a run of a workflow that was begun.
func describedRun(t *testing.T, text string) *run {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	_, err = e.Apply(time.Now())
	require.NoError(t, err)
	return &run{key: types.NamespacedName{Namespace: "default", Name: "wf"}, engine: e}
}

// values returns the values of one metric, by its one label.
func values(t *testing.T, r prometheus.Gatherer, metric string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	found := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != metric {
				continue
			}
			label := ""
			for _, l := range m.GetLabel() {
				label = l.GetValue()
			}
			found[label] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return found
}

// A workflow is shown with what it waits for, and for how long; one that is complete waits for nothing.
func TestMetricsOfAWorkflow(t *testing.T) {
	r := prometheus.NewRegistry()
	m := newMetrics(r)
	w := describedRun(t, "dag(a, hold: suspend)")
	m.obligations.Note("default/wf", w.engine, time.Now().Add(-time.Hour))
	m.obligations.Note("default/wf", w.engine, time.Now()) // the same things are owed, since an hour
	require.Equal(t, map[string]float64{"Running": 1}, values(t, r, "nodestatus_workflows"))
	waits := values(t, r, "nodestatus_obligations")
	require.Equal(t, 1.0, waits["start"])
	require.Equal(t, 1.0, waits["resume"])
	require.Zero(t, waits["lock"])
	age := values(t, r, "nodestatus_obligation_age_seconds")
	require.InDelta(t, 3600, age["start"], 60)
	require.Zero(t, age["lock"])
	require.Equal(t, map[string]float64{"": 0}, values(t, r, "nodestatus_workflows_without_obligation"))

	result, err := w.engine.Apply(time.Now(), propagate.PodSucceeded("wf.a"), propagate.Resumed("wf.hold"))
	require.NoError(t, err)
	m.settled(time.Millisecond, 2, result.Changes)
	m.obligations.Note("default/wf", w.engine, time.Now())
	require.Equal(t, map[string]float64{"Succeeded": 1}, values(t, r, "nodestatus_workflows"))
	require.Zero(t, values(t, r, "nodestatus_obligations")["start"])
	require.Equal(t, 2.0, values(t, r, "nodestatus_events_applied_total")[""])
	require.Equal(t, 3.0, values(t, r, "nodestatus_nodes_changed_total")["Succeeded"])

	m.obligations.Forget("default/wf")
	require.Empty(t, values(t, r, "nodestatus_workflows"))
}

// A timer is not owed before it runs out.
func TestMetricsOfATimer(t *testing.T) {
	r := prometheus.NewRegistry()
	m := newMetrics(r)
	m.obligations.Note("default/wf", describedRun(t, "dag(hold: suspend(3600s))").engine, time.Now())
	require.Equal(t, 1.0, values(t, r, "nodestatus_obligations")["timer"])
	require.Zero(t, values(t, r, "nodestatus_obligation_age_seconds")["timer"])
}

// identifier finds names in an expression of Prometheus that could be those of metrics: no function, keyword or label.
var (
	aside      = regexp.MustCompile(`\{[^}]*\}|\[[^]]*\]|"[^"]*"|\b(by|without)\s*\([^)]*\)`)
	identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	function   = regexp.MustCompile(`^(max|sum|rate|histogram_quantile)$`)
)

// The alerts and the dashboard name metrics that exist, and nothing else.
func TestAlertsAndDashboardNameMetricsThatExist(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	data, err := os.ReadFile("deploy/alerts.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &rules))
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	data, err = os.ReadFile("deploy/dashboard.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &board))
	expressions := make(map[string][]string)
	for _, r := range rules.Groups[0].Rules {
		expressions["alert "+r.Alert] = []string{r.Expr}
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			expressions["panel "+p.Title] = append(expressions["panel "+p.Title], target.Expr)
		}
	}
	require.Len(t, expressions, len(rules.Groups[0].Rules)+len(board.Panels))

	known := knownMetrics(t)
	for where, list := range expressions {
		for _, expression := range list {
			names := 0
			for _, name := range identifier.FindAllString(aside.ReplaceAllString(expression, " "), -1) {
				if function.MatchString(name) {
					continue
				}
				names++
				require.True(t, known[name], "%s: %s is no metric", where, name)
			}
			require.NotZero(t, names, "%s names no metric", where)
		}
	}
}

// knownMetrics are the names of this program's metrics, as they are stored.
func knownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	own := prometheus.NewRegistry()
	m := newMetrics(own)
	m.obligations.Note("default/wf", describedRun(t, "dag(a)").engine, time.Now())
	m.settled(time.Millisecond, 1, []propagate.Change{{Node: nodegraph.Entry, To: nodegraph.PhaseRunning}})
	// Those of controller-runtime are there once a controller has run; these are their names in its documentation.
	known := map[string]bool{"workqueue_depth": true, "controller_runtime_reconcile_errors_total": true, "controller_runtime_reconcile_panics_total": true}
	for _, r := range []prometheus.Gatherer{own, registry.Registry} {
		families, err := r.Gather()
		require.NoError(t, err)
		for _, f := range families {
			known[f.GetName()] = true
			if f.GetType() == dto.MetricType_HISTOGRAM {
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					known[f.GetName()+suffix] = true
				}
			}
		}
	}
	return known
}
