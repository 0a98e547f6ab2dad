package nodegraph_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// What decides which nodes there are decides the fingerprint. What may change while the workflow runs does not.
func TestFingerprint(t *testing.T) {
	const text = "dag(a: retry(2, pod(x -> y)) -> b over [i, j], c: mutex(m, pod) -> d: steps(e, f | g))"
	parse := func() *nodegraph.Spec {
		s, err := nodegraph.Parse(text)
		require.NoError(t, err)
		return s
	}
	task := func(s *nodegraph.Spec, name string) *nodegraph.Task {
		for _, template := range s.Templates {
			for k := range template.Tasks {
				if template.Tasks[k].Name == name {
					return &template.Tasks[k]
				}
			}
		}
		require.FailNow(t, "no such task", name)
		return nil
	}
	limit := 7
	want := parse().Fingerprint()
	require.Len(t, want, 16)
	for what, change := range map[string]func(*nodegraph.Spec){
		"suspension":         func(s *nodegraph.Spec) { s.Suspended = true },
		"parallelism":        func(s *nodegraph.Spec) { s.Parallelism = 3 },
		"deadline":           func(s *nodegraph.Spec) { s.ActiveDeadline = time.Hour },
		"priority":           func(s *nodegraph.Spec) { s.Priority = 3 },
		"order of templates": func(s *nodegraph.Spec) { slices.Reverse(s.Templates) },
		"timeouts": func(s *nodegraph.Spec) {
			for _, template := range s.Templates {
				template.Timeout, template.Parallelism = time.Hour, 2
				if template.Retry != nil {
					template.Retry = &retry.Strategy{Limit: &limit}
				}
			}
		},
	} {
		s := parse()
		change(s)
		require.Equal(t, want, s.Fingerprint(), what)
	}
	for what, change := range map[string]func(*nodegraph.Spec){
		"name":         func(s *nodegraph.Spec) { s.Name = "other" },
		"exit handler": func(s *nodegraph.Spec) { s.OnExit = s.Entrypoint },
		"task renamed": func(s *nodegraph.Spec) { task(s, "a").Name = "aa" },
		"template":     func(s *nodegraph.Spec) { task(s, "a").Template = task(s, "c").Template },
		"depends":      func(s *nodegraph.Spec) { task(s, "b").Depends = "a.Failed" },
		"condition":    func(s *nodegraph.Spec) { task(s, "c").When = "1 == 2" },
		"items":        func(s *nodegraph.Spec) { task(s, "b").Loop.Items[1].Text = "k" },
		"hook": func(s *nodegraph.Spec) {
			task(s, "a").Hooks = []nodegraph.Hook{{Name: "exit", Template: s.Entrypoint}}
		},
		"lock": func(s *nodegraph.Spec) { s.Locks = []nodegraph.Lock{{Key: "default/Mutex/w"}} },
		"no retry": func(s *nodegraph.Spec) {
			for _, template := range s.Templates {
				template.Retry = nil
			}
		},
	} {
		s := parse()
		change(s)
		require.NotEqual(t, want, s.Fingerprint(), what)
	}
}
