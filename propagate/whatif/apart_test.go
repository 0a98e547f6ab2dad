package whatif_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
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
		"dag(a: mutex(m, pod), b: mutex(m, retry(1, pod)), c: mutex(m, dag(x -> y)) -> d)", "steps(a: mutex(s, retry(1, dag(x, y))) | b: mutex(m, pod))",
		"dag(d: daemon -> a: retry(1, pod), b)", "dag(h: http, a: retry(1, pod) -> p: plugin -> b)", "dag(a: suspend(10s), b: retry(1, pod) -> c: suspend(1h) -> e)",
		"pod", "pod(x -> y)", "retry(2, pod)", "steps(a | b, c | d)", "dag(a -> b, a -> c, b -> d, c -> d)", "dag(a -> b exit pod, c) exit pod",
		"dag(a: retry(1, pod) -> b, c: retry(2, dag(x -> y, z)) -> d)", "dag(l over [i, j, k] -> m)", "dag(a -> b, o depends \"a.Failed\", p depends \"b.Failed || o\")",
		"steps(a: retry(1, pod(x -> y, x -> z)), b | c over [1, 2] | d: suspend | e)", "dag(a: suspend -> b, c)", "retry(1, dag(a -> b, c: retry(1, pod)))",
		"dag(a continueOnFailed -> b, c continueOnError -> d)", "dag(s when \"1 == 2\" -> t, u when \"1 == 1\" -> v)", "steps(a exit pod, b | c)",
	} {
		for name, change := range map[string]func(*nodegraph.Spec){"": func(*nodegraph.Spec) {}, "limited": limited, "backoff": backoff, "deadlines": deadlines} {
			t.Run(text+" "+name, func(t *testing.T) {
				in := whatif.Input{Spec: drawn(t, text, change), Start: start}
				byChance := name == "limited" && strings.Contains(text, "daemon") || name == "deadlines" && strings.Contains(text, "suspend(")
				assert.Equal(t, !byChance, whatif.Apart(in), "pods are lost apart")
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

// Pods are not lost apart where the order in which they make their steps may decide what becomes of them.
func TestContention(t *testing.T) {
	failsFast := func(s *nodegraph.Spec) { template(s, s.Entrypoint).FailFast = true }
	for why, c := range map[string]struct {
		text   string
		change func(*nodegraph.Spec)
	}{
		"a daemon keeps its place":           {"dag(a: daemon -> b)", func(s *nodegraph.Spec) { s.Parallelism = 2 }},
		"the deadline passes":                {"dag(a: suspend(10s), b)", func(s *nodegraph.Spec) { s.ActiveDeadline = time.Hour }},
		"a timeout may pass":                 {"dag(a: suspend(10s), b: retry(1, pod))", slowlyRetried},
		"a strategy asks how long it took":   {"dag(a: suspend(10s), b: retry(1, pod))", func(s *nodegraph.Spec) { template(s, "b").Retry.Backoff = &retry.Backoff{MaxDuration: time.Hour} }},
		"it fails fast, and fails by itself": {"dag(a when \"nonsense ==\", b -> c)", failsFast},
	} {
		assert.False(t, whatif.Apart(whatif.Input{Spec: drawn(t, c.text, c.change), Start: start}), why)
	}
}

// What becomes of random workflows does not depend on it, either: with locks, daemons, the agent, hooks and all else. Where a
// template fails fast the same losses are fatal, and no less starts.
func TestRandomApartAsInRounds(t *testing.T) {
	compared := 0
	for seed := range uint64(300) {
		spec := propagatetest.RandomSpec(rand.New(rand.NewPCG(seed, 1)), 40)
		in := whatif.Input{Spec: spec, Start: start, MaxSimulations: 500}
		if !whatif.Apart(in) {
			continue
		}
		if compared++; !slices.ContainsFunc(spec.Templates, func(t *nodegraph.Template) bool { return t.FailFast }) {
			sameAsInRounds(t, in)
		} else {
			endsAsInRounds(t, in)
		}
		require.False(t, t.Failed(), "seed %d", seed)
	}
	assert.Greater(t, compared, 100, "workflows whose pods are lost apart")
}

// endsAsInRounds compares how a workflow ends whose pods are lost apart with how it ends when all pods make their steps together.
func endsAsInRounds(t *testing.T, in whatif.Input) {
	t.Helper()
	rounds, err := whatif.RunInRounds(in)
	require.NoError(t, err)
	other := make(map[string]*whatif.Loss)
	for k := range rounds.Losses {
		other[fmt.Sprint(rounds.Losses[k].Lost)] = &rounds.Losses[k]
	}
	apart := ran(t, in)
	require.Len(t, apart.Losses, len(rounds.Losses))
	for k := range apart.Losses {
		l := &apart.Losses[k]
		o := other[fmt.Sprint(l.Lost)]
		require.NotNil(t, o, "%v is lost in rounds, too", l.Lost)
		assert.Equal(t, o.Phase, l.Phase, "phase with %v", l.Lost)
		assert.Equal(t, o.Waits, l.Waits, "what it waits for with %v", l.Lost)
		assert.Equal(t, o.Remade, l.Remade, "pods made again with %v", l.Lost)
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
		for _, c := range []struct {
			name   string
			change func(s *nodegraph.Spec, work, main *nodegraph.Template)
		}{
			{"once", func(*nodegraph.Spec, *nodegraph.Template, *nodegraph.Template) {}},
			{"retried", func(_ *nodegraph.Spec, work, _ *nodegraph.Template) { work.Retry = retry.Times(2) }},
			{"failing fast", func(_ *nodegraph.Spec, _, main *nodegraph.Template) { main.FailFast = true }},
			{"locked", func(_ *nodegraph.Spec, work, _ *nodegraph.Template) {
				work.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}}
			}},
			{"with a daemon", func(s *nodegraph.Spec, _, main *nodegraph.Template) {
				s.Templates = append(s.Templates, &nodegraph.Template{Name: "d", Kind: nodegraph.KindPod, Daemon: true})
				main.Tasks = append(main.Tasks, nodegraph.Task{Name: "d", Template: "d"})
			}},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				builder := nodegraph.NewBuilder("wf")
				builder.Pod("work")
				dag := builder.DAG("main")
				for k := range n {
					if k < 10 {
						dag.Task(fmt.Sprint("t", k), "work")
					} else {
						dag.Task(fmt.Sprint("t", k), "work", nodegraph.After(fmt.Sprint("t", k-10), fmt.Sprint("t", k-k%10-10)))
					}
				}
				spec, err := builder.Entry("main").Spec()
				require.NoError(b, err)
				c.change(spec, template(spec, "work"), template(spec, "main"))
				for b.Loop() {
					ran(b, whatif.Input{Spec: spec, Start: start})
				}
			})
		}
	}
}
