package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

// What is inside groups and Retries holds the locks of its template, or the Retry does; no answer about locks is for another.
func TestWhoHoldsLocks(t *testing.T) {
	for _, c := range []struct {
		text, node string
		holds      bool
	}{
		{"dag(a: mutex(m, pod))", "wf.a", true},
		{"dag(a: mutex(m, dag(b)))", "wf.a", true},
		{"dag(a: mutex(m, steps(b)))", "wf.a", true},
		{"dag(a: mutex(m, steps(b)))", "wf.a[0]", false},
		{"dag(a: mutex(m, pod) over [i, j])", "wf.a", false},
		{"dag(a: mutex(m, pod) over [i, j])", "wf.a(0:i)", true},
		{"dag(a: mutex(m, retry(1, pod)))", "wf.a", true},
		{"dag(a: mutex(m, retry(1, pod)))", "wf.a(0)", false},
		{"dag(a: mutex(m, pod(main)))", "wf.a.main", false},
	} {
		e := (&scene{text: c.text}).play(t)
		if c.node == "wf.a[0]" || c.node == "wf.a(0)" || c.node == "wf.a.main" {
			_, err := e.Apply(epoch, propagate.LockGranted("wf.a"))
			require.NoError(t, err)
		}
		_, err := e.Apply(epoch, propagate.LockGranted(c.node))
		if c.holds {
			require.NoError(t, err, "%s in %s", c.node, c.text)
		} else {
			require.ErrorIs(t, err, propagate.ErrWrongKind, "%s in %s", c.node, c.text)
		}
	}
}
