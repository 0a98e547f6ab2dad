package whatif_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/whatif"
	"github.com/nodestatus/nodestatus/retry"
)

// sameAsInRounds compares what becomes of a workflow whose pods are lost apart with what becomes of it when all pods make their steps
// together. The order of equal losses and which of them the verdict names are the same, too.
func sameAsInRounds(t *testing.T, in whatif.Input) {
	t.Helper()
	apart, err := whatif.Run(in)
	require.NoError(t, err)
	rounds, err := whatif.RunInRounds(in)
	require.NoError(t, err)
	if diff := cmp.Diff(rounds, apart); diff != "" {
		t.Errorf("in rounds (-), each pod apart (+):\n%s", diff)
	}
}

// What becomes of a workflow does not depend on how far the other pods have come when one is lost, where pods do not contend.
func TestApartAsInRounds(t *testing.T) {
	limited := func(spec *nodegraph.Spec) {
		spec.Parallelism = 2
		template(spec, spec.Entrypoint).Parallelism = 1
	}
	backoff := func(spec *nodegraph.Spec) {
		for _, t := range spec.Templates {
			if t.Retry != nil {
				t.Retry.Backoff = &retry.Backoff{Duration: 10, Factor: 2}
			}
		}
	}
	deadlines := func(spec *nodegraph.Spec) {
		spec.ActiveDeadline = time.Hour
		for _, t := range spec.Templates {
			if t.Kind == nodegraph.KindPod {
				t.Timeout, t.PendingTimeout = time.Minute, time.Second
			}
		}
	}
	for _, text := range []string{
		"pod", "pod(x -> y)", "retry(2, pod)", "steps(a | b, c | d)", "dag(a -> b, a -> c, b -> d, c -> d)", "dag(a -> b exit pod, c) exit pod",
		"dag(a: retry(1, pod) -> b, c: retry(2, dag(x -> y, z)) -> d)", "dag(l over [i, j, k] -> m)", "dag(a -> b, o depends \"a.Failed\", p depends \"b.Failed || o\")",
		"steps(a: retry(1, pod(x -> y, x -> z)), b | c over [1, 2] | d: suspend | e)", "dag(a: suspend -> b, c)", "retry(1, dag(a -> b, c: retry(1, pod)))",
		"dag(a continueOnFailed -> b, c continueOnError -> d)", "dag(s when \"1 == 2\" -> t, u when \"1 == 1\" -> v)", "steps(a exit pod, b | c)",
	} {
		for name, change := range map[string]func(*nodegraph.Spec){"": func(*nodegraph.Spec) {}, "limited": limited, "backoff": backoff, "deadlines": deadlines} {
			t.Run(text+" "+name, func(t *testing.T) {
				in := whatif.Input{Spec: drawn(t, text, change), Start: start}
				assert.True(t, whatif.Apart(in), "pods do not contend")
				sameAsInRounds(t, in)
			})
		}
	}
}

// So it is in every workflow that was recorded, from its begin and from every frame.
func TestRecordingsApartAsInRounds(t *testing.T) {
	files, err := filepath.Glob(recordings + "argo-*/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	apart := 0
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, recordings), func(t *testing.T) {
			recording := read(t, file)
			spec, err := recording.Spec()
			require.NoError(t, err)
			inputs := []whatif.Input{{Spec: spec, Start: start}, {Spec: spec, Start: start, AsArgo: true}}
			for _, frame := range recording.Frames {
				inputs = append(inputs, whatif.Input{Spec: spec, Snapshot: frame.Recorded})
			}
			for _, in := range inputs {
				if whatif.Apart(in) {
					apart++
					sameAsInRounds(t, in)
				}
			}
		})
	}
	assert.Greater(t, apart, 100, "workflows whose pods do not contend")
}

// slowlyRetried gives every template a timeout, and those that are retried a backoff.
func slowlyRetried(spec *nodegraph.Spec) {
	for _, t := range spec.Templates {
		if t.Kind == nodegraph.KindPod {
			t.Timeout = time.Hour
		}
		if t.Retry != nil {
			t.Retry.Backoff = &retry.Backoff{Duration: time.Minute}
		}
	}
}

// Pods contend where a limit, a lock, a daemon, a time or an expression about others may decide what becomes of them.
func TestContention(t *testing.T) {
	for why, c := range map[string]struct {
		text   string
		change func(*nodegraph.Spec)
	}{
		"daemon":      {text: "dag(a: daemon -> b)"},
		"lock":        {text: "dag(a: mutex(m, pod), b)"},
		"agent":       {text: "dag(a: http, b)"},
		"failFast":    {text: "dag(a, b)", change: func(s *nodegraph.Spec) { template(s, s.Entrypoint).FailFast = true }},
		"deadline":    {text: "dag(a: suspend(10s), b)", change: func(s *nodegraph.Spec) { s.ActiveDeadline = 10 }},
		"lock of all": {text: "dag(a, b)", change: func(s *nodegraph.Spec) { s.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}} }},
		"duration":    {text: "dag(a: suspend(10s), b)"},
		"timeout":     {text: "dag(a: retry(1, pod), b)", change: slowlyRetried},
		"hook's expression": {text: "dag(a, b)", change: func(s *nodegraph.Spec) {
			s.Hooks = []nodegraph.Hook{{Name: "h", Template: s.Entrypoint, Expression: "true"}}
		}},
	} {
		change := func(s *nodegraph.Spec) {}
		if c.change != nil {
			change = c.change
		}
		assert.False(t, whatif.Apart(whatif.Input{Spec: drawn(t, c.text, change), Start: start}), why)
	}
}

// A search that is stopped says what it knows by then.
func TestApartStopped(t *testing.T) {
	in := whatif.Input{Spec: drawn(t, "dag(a -> b, c, d)"), Start: start}
	all := ran(t, in)
	for n := 1; n < len(all.Losses); n++ {
		left := n
		in.Stop = func() bool { left--; return left <= 0 }
		part := ran(t, in)
		require.True(t, part.Partial, "stopped after %d losses", n)
		require.Len(t, part.Losses, n, "stopped after %d losses", n)
		for _, l := range part.Losses {
			known := slices.ContainsFunc(all.Losses, func(o whatif.Loss) bool { return cmp.Equal(o, l) })
			require.True(t, known, "after %d losses: %v", n, l)
		}
	}
}

// BenchmarkRun loses every pod of workflows with so many pods.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{100, 1000} {
		for name, pod := range map[string]string{"once": "pod", "retried": "retry(2, pod)"} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				builder := nodegraph.NewBuilder("wf")
				task := builder.Pod("work")
				if pod != "pod" {
					task.Retry = retry.Times(2)
				}
				dag := builder.DAG("main")
				for k := range n {
					if k < 10 {
						dag.Task(fmt.Sprint("t", k), "work")
					} else {
						dag.Task(fmt.Sprint("t", k), "work", nodegraph.After(fmt.Sprint("t", k-10), fmt.Sprint("t", k-k%10-10)))
					}
				}
				spec, err := builder.Spec()
				require.NoError(b, err)
				for b.Loop() {
					ran(b, whatif.Input{Spec: spec, Start: start})
				}
			})
		}
	}
}
