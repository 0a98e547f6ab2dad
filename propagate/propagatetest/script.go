package propagatetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Scripts runs golden scripts: files that tell an engine what happens. After each call they show what changed and why, what the
// host must do, and what the workflow waits for. They are in the form of github.com/cockroachdb/datadriven, so that go test
// -rewrite writes the answers; read the difference.
//
//	workflow [SETTING ...]   begins the workflow that the text after it describes
//	events                   tells a batch in one call: an event in each line, and +5s where time passes before it
//	restart                  saves the state and loads it, which must change nothing
//	restored                 stores the record and restores it, and shows all nodes
//	tree                     shows all nodes
//	explain                  says why a node has its phase
//	fact                     shows what is known of a node
//
// An event is the name of its function in package propagate, with the arguments, and then fields: uid=U, attempt=N, created=N and
// finished=N in seconds, exit=N, reason=R, conditions=A,B and unready. After each call [Check] holds. Locks are answered from a
// [propagate.LockTable], unless the setting host-locks leaves that to events. The other settings are
//
//	of the workflow: parallelism=N mutex=NAME deadline=D restarts=N suspended workflow-hook
//	of all its templates: failfast nofailfast disruptions backoff=D members=N daemon-sets memoize=KEY timeout=D pending-timeout=D
//	of one task: hook=TASK
type Scripts struct {
	// Graph makes the specification of the text after workflow; nil is [nodegraph.Parse]. Whoever has a resource of his own
	// writes that into his scripts, and gives its translation here.
	Graph func(text string) (*nodegraph.Spec, error)
}

// Run runs all scripts in a folder, each as a test of its own.
func (x Scripts) Run(t *testing.T, folder string) {
	t.Helper()
	datadriven.Walk(t, folder, func(t *testing.T, path string) {
		s := &script{Scripts: x, t: t, now: epoch}
		datadriven.RunTest(t, path, func(_ *testing.T, d *datadriven.TestData) string { return s.run(d) })
	})
}

func (x Scripts) graph(text string) (*nodegraph.Spec, error) {
	if x.Graph != nil {
		return x.Graph(text)
	}
	return nodegraph.Parse(text)
}

// A script is one engine that a script drives.
type script struct {
	Scripts
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
		return nodes(s.e)
	case "fact":
		return s.fact(strings.TrimSpace(d.Input))
	}
	d.Fatalf(s.t, "unknown command %q", d.Cmd)
	return ""
}

// workflow starts the engine of the workflow drawn in the input.
func (s *script) workflow(d *datadriven.TestData) string {
	spec, err := s.graph(d.Input)
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
	require.NoError(s.t, Check(s.e))
	for _, c := range r.Changes {
		fmt.Fprintf(&s.shown, "%v  (%s)\n", c, reason(s.e, c.Node))
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
	before := nodes(s.e)
	loaded, unknown, err := propagate.FromState(s.spec, s.e.Save())
	require.NoError(s.t, err)
	require.Empty(s.t, unknown)
	require.NoError(s.t, loaded.Check())
	s.e = loaded
	require.Equal(s.t, before, nodes(s.e), "after a restart")
	return "(nothing changed)\n"
}

// restored stores the engine in Argo's terms, restores it from there, and shows what there is.
func (s *script) restored() string {
	e, unknown, err := propagate.FromSnapshot(s.spec, s.e.Snapshot())
	require.NoError(s.t, err)
	require.Empty(s.t, unknown)
	require.NoError(s.t, e.Check())
	s.e = e
	return nodes(s.e)
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
