package obligations_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/obligations"
)

// What two workflows wait for is counted by kind, and one that is forgotten waits for nothing.
func TestCollector(t *testing.T) {
	note := func(c *obligations.Collector, name, text string) {
		spec, err := nodegraph.Parse(text)
		require.NoError(t, err)
		e, err := propagate.New(spec)
		require.NoError(t, err)
		_, err = e.Apply(time.Now())
		require.NoError(t, err)
		c.Note(name, e, time.Now())
	}
	var c obligations.Collector
	note(&c, "ns/one", "dag(a, b, hold: suspend)")
	note(&c, "ns/two", "dag(a -> b)")
	metrics := []string{"nodestatus_workflows", "nodestatus_workflows_without_obligation"}
	require.NoError(t, testutil.CollectAndCompare(&c, strings.NewReader(`
# HELP nodestatus_workflows Unfinished workflows by the phase that is stored.
# TYPE nodestatus_workflows gauge
nodestatus_workflows{phase="Running"} 2
# HELP nodestatus_workflows_without_obligation Unfinished workflows that wait for nothing: a bug in the library.
# TYPE nodestatus_workflows_without_obligation gauge
nodestatus_workflows_without_obligation 0
`), metrics...))
	waits := func(kind string) string {
		text, err := testutil.CollectAndFormat(&c, expfmt.TypeTextPlain, "nodestatus_obligations")
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(text), `nodestatus_obligations{kind="`+kind+`"} `)
		value, _, _ := strings.Cut(rest, "\n")
		return value
	}
	require.Equal(t, "3", waits("start"), "pods that are to be made: a and b of one, a of two")
	require.Equal(t, "1", waits("resume"))
	c.Forget("ns/one")
	require.Equal(t, "1", waits("start"))
	require.Equal(t, "0", waits("resume"), "all kinds are shown, so that alerts see zeros")
}
