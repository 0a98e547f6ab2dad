package propagate_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// The scripts under testdata/scripts draw a workflow in one line, tell the engine what happens, and show after each
// event what changed, what the host must do and what the workflow waits for. go test ./propagate -run Scripts -rewrite
// rewrites them; read the difference.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "../testdata/scripts", func(t *testing.T, path string) {
		s := &script{t: t, now: epoch}
		datadriven.RunTest(t, path, func(_ *testing.T, d *datadriven.TestData) string { return s.run(d) })
	})
}

// script is one engine that a script drives.
type script struct {
	t     *testing.T
	e     *propagate.Engine
	spec  *nodegraph.Spec
	now   time.Time
	locks propagate.LockTable
}

func (s *script) run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "workflow":
		return s.workflow(d)
	case "events":
		return s.events(d)
	case "restart":
		return s.restart()
	case "explain":
		return s.explain(strings.TrimSpace(d.Input))
	case "tree":
		return s.tree()
	}
	d.Fatalf(s.t, "unknown command %q", d.Cmd)
	return ""
}

// workflow starts the engine of the workflow drawn in the input.
func (s *script) workflow(d *datadriven.TestData) string {
	spec, err := nodegraph.Parse(d.Input)
	require.NoError(s.t, err, d.Pos)
	if d.HasArg("parallelism") {
		d.ScanArgs(s.t, "parallelism", &spec.Parallelism)
	}
	s.spec = spec
	s.e, err = propagate.New(spec)
	require.NoError(s.t, err, d.Pos)
	return s.apply()
}

// events tells the engine one batch: a line for each event, and "+5s" where time passes before it.
func (s *script) events(d *datadriven.TestData) string {
	var batch []propagate.Event
	for line := range strings.Lines(d.Input) {
		line = strings.TrimSpace(line)
		if wait, ok := strings.CutPrefix(line, "+"); ok {
			length, err := time.ParseDuration(wait)
			require.NoError(s.t, err, d.Pos)
			s.now = s.now.Add(length)
			continue
		}
		batch = append(batch, parseEvent(s.t, line))
	}
	return s.apply(batch...)
}

// parseEvent reads the call of a constructor: its name and arguments, then uid=U and attempt=N.
func parseEvent(t *testing.T, line string) propagate.Event {
	var args []string
	var pod propagate.Incarnation
	for _, word := range strings.Fields(line) {
		if uid, ok := strings.CutPrefix(word, "uid="); ok {
			pod.UID = uid
		} else if n, ok := strings.CutPrefix(word, "attempt="); ok {
			attempt, err := strconv.Atoi(n)
			require.NoError(t, err, line)
			pod.Attempt = attempt
		} else {
			args = append(args, word)
		}
	}
	at := func(k int) string {
		require.Greater(t, len(args), k, line)
		return args[k]
	}
	var ev propagate.Event
	switch args[0] {
	case "PodPending":
		ev = propagate.PodPending(at(1), "")
	case "PodRunning":
		ev = propagate.PodRunning(at(1))
	case "PodSucceeded":
		ev = propagate.PodSucceeded(at(1))
	case "PodFailed":
		ev = propagate.PodFailed(at(1), "main: Error (exit code 1)")
	case "PodEvicted":
		ev = propagate.PodEvicted(at(1), "The node was low on resource: memory.")
	case "PodDeleted":
		ev = propagate.PodDeleted(at(1))
	case "ContainerRunning":
		ev = propagate.ContainerRunning(at(1), at(2))
	case "ContainerEnded":
		code, err := strconv.Atoi(at(3))
		require.NoError(t, err, line)
		ev = propagate.ContainerEnded(at(1), at(2), code, "")
	case "ContainerRetried":
		ev = propagate.ContainerRetried(at(1), at(2))
	case "Resumed":
		ev = propagate.Resumed(at(1))
	case "Resolved":
		ev = propagate.Resolved(at(1), at(2) == "true", "")
	case "Expanded":
		var items []nodegraph.Item
		for _, text := range args[2:] {
			items = append(items, nodegraph.Item{Text: text})
		}
		ev = propagate.Expanded(at(1), items...)
	case "NodeSucceeded":
		ev = propagate.NodeEnded(at(1), nodegraph.Succeeded, "")
	case "AgentEnded":
		ev = propagate.AgentEnded("the agent's pod was deleted")
	case "ResultPending":
		ev = propagate.ResultPending(at(1))
	case "ResultSynced":
		ev = propagate.ResultSynced(at(1))
	case "Shutdown":
		ev = propagate.Shutdown(at(1))
	case "ManualRetry":
		ev = propagate.ManualRetry()
	default:
		t.Fatalf("unknown event: %s", line)
	}
	ev.Pod = pod
	return ev
}

// apply tells the engine, answers what it asks about locks, and shows everything.
func (s *script) apply(events ...propagate.Event) string {
	var b strings.Builder
	for queue := [][]propagate.Event{events}; len(queue) > 0; queue = queue[1:] {
		r, err := s.e.Apply(s.now, queue[0]...)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		require.NoError(s.t, s.e.Check())
		for _, c := range r.Changes {
			fmt.Fprintln(&b, c)
		}
		for _, a := range r.Actions {
			fmt.Fprintln(&b, "->", a)
			queue = append(queue, s.answer(&a)...)
		}
	}
	if b.Len() == 0 {
		return "(nothing changed)\n"
	}
	for _, o := range s.e.Obligations() {
		fmt.Fprintln(&b, "waits for", o)
	}
	return b.String()
}

// answer answers an action about locks.
func (s *script) answer(a *propagate.Action) [][]propagate.Event {
	switch a.Type {
	case propagate.ActionAcquire:
		if granted, key, message := s.locks.Acquire(propagate.Holder{Node: a.ID}, a.Locks); !granted {
			return [][]propagate.Event{{propagate.LockQueued(a.ID, key, message)}}
		}
		return [][]propagate.Event{{propagate.LockGranted(a.ID)}}
	case propagate.ActionRelease:
		var batches [][]propagate.Event
		for _, h := range s.locks.Release(propagate.Holder{Node: a.ID}) {
			batches = append(batches, []propagate.Event{propagate.LockGranted(h.Node)})
		}
		return batches
	}
	return nil
}

// restart saves the engine, loads it, and must find nothing different.
func (s *script) restart() string {
	before := s.tree()
	loaded, unknown, err := propagate.Load(s.spec, s.e.Save())
	require.NoError(s.t, err)
	require.Empty(s.t, unknown)
	require.NoError(s.t, loaded.Check())
	s.e = loaded
	require.Equal(s.t, before, s.tree())
	return "(nothing changed)\n"
}

func (s *script) explain(name string) string {
	var b strings.Builder
	i := s.e.Graph().Find(name)
	require.NotEqual(s.t, nodegraph.None, i, name)
	for _, r := range s.e.Explain(i) {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// tree lists every node that exists, sorted by name.
func (s *script) tree() string {
	var lines []string
	for i := nodegraph.Entry; int(i) < s.e.Graph().Len(); i++ {
		if v := s.e.Verdict(i); s.e.Exists(i) {
			lines = append(lines, fmt.Sprintf("%s %s %s %q", s.e.Graph().Node(i).Name(), s.e.Kind(i), v.Phase, v.Message))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}
