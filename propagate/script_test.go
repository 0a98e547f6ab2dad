package propagate_test

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/retry"
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
	host  bool // the events say what becomes of locks, not the table
	shown strings.Builder
}

func (s *script) run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "workflow":
		return s.workflow(d)
	case "events":
		return s.events(d)
	case "restart":
		return s.restart()
	case "restored":
		return s.restored()
	case "explain":
		return s.explain(strings.TrimSpace(d.Input))
	case "tree":
		return s.tree()
	case "fact":
		return s.fact(strings.TrimSpace(d.Input))
	}
	d.Fatalf(s.t, "unknown command %q", d.Cmd)
	return ""
}

// workflow starts the engine of the workflow drawn in the input.
func (s *script) workflow(d *datadriven.TestData) string {
	spec, err := nodegraph.Parse(d.Input)
	require.NoError(s.t, err, d.Pos)
	s.host, s.locks = false, propagate.LockTable{}
	for _, arg := range d.CmdArgs {
		s.setting(spec, arg)
	}
	s.spec = spec
	s.e, err = propagate.New(spec)
	require.NoError(s.t, err, d.Pos)
	return s.apply()
}

// setting changes what the line that draws a workflow does not say. What is about templates is about all of them.
func (s *script) setting(spec *nodegraph.Spec, arg datadriven.CmdArg) {
	value := strings.Join(arg.Vals, ",")
	length := func() time.Duration {
		d, err := time.ParseDuration(value)
		require.NoError(s.t, err, arg.Key)
		return d
	}
	number := func() int {
		n, err := strconv.Atoi(value)
		require.NoError(s.t, err, arg.Key)
		return n
	}
	switch arg.Key {
	case "parallelism":
		spec.Parallelism = number()
	case "mutex": // of the workflow
		spec.Locks = append(spec.Locks, nodegraph.Lock{Key: "default/Mutex/" + value, Limit: 1})
	case "deadline":
		spec.ActiveDeadline = length()
	case "restarts":
		spec.PodRestarts = number()
	case "suspended":
		spec.Suspended = true
	case "workflow-hook":
		spec.Hooks = append(spec.Hooks, nodegraph.Hook{Name: "running", Template: "pod", Expression: `workflow.status == "Running"`})
	case "host-locks":
		s.host = true
	default:
		for _, template := range spec.Templates {
			switch arg.Key {
			case "failfast":
				template.FailFast = template.Kind.Composite()
			case "nofailfast":
				template.NoFailFast = template.Kind == nodegraph.KindDAG
			case "disruptions":
				if template.Retry != nil {
					template.Retry.IgnoreDisruptions = true
				}
			case "backoff":
				if template.Retry != nil {
					template.Retry.Backoff = &retry.Backoff{Duration: length(), MaxDuration: 10 * length()}
				}
			case "hook": // of the task of this name, while it and the workflow run
				for k := range template.Tasks {
					if task := &template.Tasks[k]; task.Name == value {
						task.Hooks = append(task.Hooks, nodegraph.Hook{Name: "running", Template: "pod",
							Expression: `workflow.status == "Running" && tasks.` + value + `.status == "Running"`})
					}
				}
			case "members":
				template.Parallelism = number()
			case "daemon-sets":
				template.Daemon = len(template.Containers) > 0
			case "memoize":
				if template.Kind == nodegraph.KindPod {
					template.Memoize = value
				}
			case "timeout": // which Argo leaves to the kubelet
				template.Timeout, spec.TimeoutsByHost = length(), true
			case "pending-timeout":
				template.PendingTimeout = length()
			default:
				s.t.Fatalf("unknown setting: %s", arg.Key)
			}
		}
	}
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

// parseEvent reads the call of a constructor: its name and arguments, then fields of the event such as uid=U, attempt=N,
// created=N and finished=N in seconds, exit=N, reason=R, conditions=A,B and unready.
func parseEvent(t *testing.T, line string) propagate.Event {
	var args []string
	var fields propagate.Event
	unready := false
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, line)
		return n
	}
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "uid":
			fields.Pod.UID = value
		case "attempt":
			fields.Pod.Attempt = number(value)
		case "created":
			fields.Pod.Created = epoch.Add(time.Duration(number(value)) * time.Second)
		case "finished":
			fields.Finished = epoch.Add(time.Duration(number(value)) * time.Second)
		case "exit":
			fields.ExitCode, fields.HasExit = number(value), true
		case "reason":
			fields.Reason = value
		case "conditions":
			fields.Conditions = strings.Split(value, ",")
		case "unready":
			unready = true
		default:
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
		ev = propagate.PodPending(at(1), strings.Join(args[2:], " "))
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
	case "ContainerPending":
		ev = propagate.ContainerPending(at(1), at(2))
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
		ev = propagate.Resolved(at(1), at(2) == "true", strings.Join(args[3:], " "))
	case "Memoized":
		ev = propagate.Memoized(at(1), at(2) == "true")
	case "Unanswerable":
		ev = propagate.Unanswerable(at(1), strings.Join(args[2:], " "))
	case "LockGranted":
		ev = propagate.LockGranted(strings.Join(args[1:], ""))
	case "LockQueued":
		ev = propagate.LockQueued(strings.Join(args[2:], ""), at(1), "waits for "+at(1))
	case "Suspended":
		ev = propagate.Suspended(at(1) == "true")
	case "Expanded":
		var items []nodegraph.Item
		for _, text := range args[2:] {
			items = append(items, nodegraph.Item{Text: text})
		}
		ev = propagate.Expanded(at(1), items...)
	case "NodeSucceeded":
		ev = propagate.NodeEnded(at(1), nodegraph.PhaseSucceeded, "")
	case "AgentEnded":
		ev = propagate.AgentEnded(strings.Join(append([]string{"the agent's pod was deleted"}, args[1:]...), " "))
	case "ResultPending":
		ev = propagate.ResultPending(at(1))
	case "ResultSynced":
		ev = propagate.ResultSynced(at(1))
	case "Shutdown":
		ev = propagate.Shutdown(at(1))
	case "ManualRetry":
		ev = propagate.ManualRetry(args[1:]...)
	default:
		t.Fatalf("unknown event: %s", line)
	}
	ev.Pod, ev.Finished, ev.Conditions, ev.Ready = fields.Pod, fields.Finished, fields.Conditions, ev.Ready && !unready
	if fields.HasExit {
		ev.ExitCode, ev.HasExit = fields.ExitCode, true
	}
	if fields.Reason != "" {
		ev.Reason = fields.Reason
	}
	return ev
}

// apply tells the engine, answers what it asks about locks, and shows everything.
func (s *script) apply(events ...propagate.Event) string {
	s.shown.Reset()
	if err := propagate.Drive(s, "", events...); err != nil {
		return "error: " + err.Error() + "\n"
	}
	if s.shown.Len() == 0 {
		return "(nothing changed)\n"
	}
	for _, o := range s.e.Obligations() {
		fmt.Fprintln(&s.shown, "waits for", o)
	}
	return s.shown.String()
}

// Call tells the engine, and shows what comes of it.
func (s *script) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	r, err := s.e.Apply(s.now, events...)
	if err != nil {
		return r, errors.New(err.Error()) // what comes too late is shown, too
	}
	require.NoError(s.t, sound(s.e))
	for _, c := range r.Changes {
		fmt.Fprintf(&s.shown, "%v  (%s)\n", c, s.reason(c.Node))
	}
	for _, a := range r.Actions {
		fmt.Fprintln(&s.shown, "->", a)
	}
	return r, nil
}

// Do answers an action about locks.
func (s *script) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	if s.host {
		return nil, nil
	}
	return s.locks.Answer(workflow, a), nil
}

// restart saves the engine, loads it, and must find nothing different.
func (s *script) restart() string {
	before := s.tree()
	loaded, unknown, err := propagate.FromState(s.spec, s.e.Save())
	require.NoError(s.t, err)
	require.Empty(s.t, unknown)
	require.NoError(s.t, loaded.Check())
	s.e = loaded
	require.Equal(s.t, before, s.tree())
	return "(nothing changed)\n"
}

// restored stores the engine in Argo's terms, restores it from there, and shows what there is.
func (s *script) restored() string {
	e, unknown, err := propagate.FromSnapshot(s.spec, s.e.Snapshot())
	require.NoError(s.t, err)
	require.Empty(s.t, unknown)
	require.NoError(s.t, e.Check())
	s.e = e
	return s.tree()
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

// factLabels are what scripts call fields of a fact whose names are longer.
var factLabels = map[string]string{"RecreateSerial": "Remade", "CacheHit": "Hit", "SeenEnded": "Seen"}

// fact shows what is known of a node: the fields that say something.
func (s *script) fact(name string) string {
	i := nodegraph.Root
	if name != "workflow" {
		i = s.e.Graph().Find(name)
	}
	require.NotEqual(s.t, nodegraph.None, i, name)
	fact := reflect.ValueOf(s.e.Fact(i))
	var fields []string
	for k := range fact.NumField() {
		if f := fact.Field(k); !f.IsZero() {
			text := fmt.Sprint(f.Interface())
			if at, ok := f.Interface().(time.Time); ok {
				text = at.Format("15:04:05")
			}
			name := fact.Type().Field(k).Name
			fields = append(fields, cmp.Or(factLabels[name], name)+": "+text)
		}
	}
	return strings.Join(fields, ", ") + "\n"
}

func (s *script) name(i nodegraph.Index) string {
	return cmp.Or(s.e.Graph().Node(i).Name(), "workflow")
}

// reason is the rule that decided about a node, the step of package retry, and the node that decided it.
func (s *script) reason(i nodegraph.Index) string {
	v := s.e.Verdict(i)
	text := v.Rule.String()
	if v.Rule == rule.RuleRetry {
		text += " " + v.Check.String()
	}
	if v.By != nodegraph.None {
		text += " " + s.name(v.By)
	}
	return text
}

// tree lists every node that exists, sorted by name.
func (s *script) tree() string {
	var lines []string
	for i := range nodegraph.Index(s.e.Graph().Len()) {
		if v := s.e.Verdict(i); s.e.Exists(i) || i == nodegraph.Root {
			lines = append(lines, fmt.Sprintf("%s %s %s %q  (%s)", s.name(i), s.e.Kind(i), v.Phase, v.Message, s.reason(i)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}
