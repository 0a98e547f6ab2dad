package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// holding writes a workflow that holds a mutex with its first node and waits for another with its second one, or does not wait, or
// has ended.
func holding(name, holds, waits, holder string) string {
	sync := ""
	if holds != "" {
		sync = fmt.Sprintf(`"holding":[{"mutex":"n/Mutex/%s","holder":"n/%s/%s-1"}]`, holds, name, name)
	}
	phase, b := "Failed", ""
	if waits != "" {
		phase = "Running"
		if sync != "" {
			sync += ","
		}
		sync += fmt.Sprintf(`"waiting":[{"mutex":"n/Mutex/%s","holder":"%s"}]`, waits, holder)
		b = fmt.Sprintf(`,"%[3]s":{"id":"%[3]s","name":"%[1]s.b","type":"Pod","phase":"Pending","startedAt":"2026-03-10T11:55:00Z","message":"Waiting for n/Mutex/%[2]s lock. Lock status: 0/1",
			"synchronizationStatus":{"waiting":"n/Mutex/%[2]s"}}`, name, waits, nodegraph.NodeID(name, name+".b"))
	}
	return fmt.Sprintf(`{"kind":"Workflow","metadata":{"name":"%[1]s","namespace":"n"},"spec":{"entrypoint":"m","templates":[
		{"name":"m","dag":{"tasks":[{"name":"b","template":"w"}]}},{"name":"w","container":{},"synchronization":{"mutexes":[{"name":"m%[2]s"}]}}]},
		"status":{"phase":"%[3]s","startedAt":"2026-03-10T11:50:00Z","nodes":{"%[1]s":{"id":"%[1]s","name":"%[1]s","type":"DAG","phase":"%[3]s","startedAt":"2026-03-10T11:50:00Z"}%[4]s},
		"synchronization":{"mutex":{%[5]s}}}}`, name, waits, phase, b, strings.ReplaceAll(sync, name+"-1", name))
}

// Workflows of a fleet say how the one stands that holds what they wait for. Those that wait for each other never go on; one that
// waits for what has ended is overdue.
func TestFleet(t *testing.T) {
	cases := []struct {
		why  string
		all  []string
		want []string
	}{
		{"a circle", []string{holding("a", "x", "y", "n/b"), holding("b", "y", "x", "n/a")},
			[]string{"a stuck deadlock: n/a -> n/b -> n/a; 1 workflow waits for it: n/b", "b stuck deadlock: n/a -> n/b -> n/a; 1 workflow waits for it: n/a"}},
		{"a chain", []string{holding("a", "x", "y", "n/b"), holding("b", "y", "z", "n/else")},
			[]string{"a waiting waits for n/Mutex/y, held by n/b (waiting)", "b waiting waits for n/Mutex/z, held by n/else (not among these)"}},
		{"its holder has ended", []string{holding("a", "x", "y", "n/b"), holding("b", "", "", "")},
			[]string{"a overdue waits for n/Mutex/y, held by n/b (complete)", "b complete "}},
		{"of a workflow that was listed twice the last counts", []string{holding("a", "x", "y", "n/b"), holding("a", "", "", "")}, []string{"a complete "}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			var fleet diagnose.Fleet
			for _, text := range c.all {
				_, in := storedIn(t, []byte(text), nil, noon)
				report, err := diagnose.Diagnose(in)
				require.NoError(t, err)
				fleet.Add(in, report)
			}
			var got []string
			for _, r := range fleet.Rows() {
				got = append(got, r.Name+" "+string(r.Verdict)+" "+r.Cause)
				assert.Equal(t, r.Verdict.Bad(), len(r.Commands) > 0, "%s: what to type", r.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}
