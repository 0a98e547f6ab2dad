package propagate_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// misuses has a test for each line of the section Misuse of the package documentation, by the words that the line begins with.
var misuses = map[string]func(*testing.T){
	"an engine is copied":               copiedEngine,
	"an engine was not made by New":     zeroEngine,
	"two goroutines use an engine":      engineInUse,
	"nodes are added to the graph":      changedGraph,
	"the specification is changed":      changedSpec,
	"the specification is nil":          nilSpec,
	"a name can't be a node's":          badName,
	"a condition does not parse":        badCondition,
	"an index of no node":               badIndex,
	"a name that no node has":           refusal("dag(a)", propagate.PodRunning("wf.b"), propagate.ErrUnknownNode, "wf.a"),
	"an event of another kind of node":  refusal("dag(a: retry(1, pod))", propagate.PodRunning("wf.a"), propagate.ErrWrongKind, "its attempts are wf.a(0)"),
	"an event of a node not started":    refusal("dag(a -> b)", propagate.PodRunning("wf.b"), propagate.ErrNotStarted, "planned"),
	"an event of a complete workflow":   completeWorkflow,
	"a container that is no node":       refusal("dag(a: pod(x))", propagate.ContainerRunning("wf.a", "y"), propagate.ErrUnknownNode, "its containers are x"),
	"an exit code without HasExit":      refusal("dag(a)", propagate.Event{Type: propagate.EventPodEnded, Node: "wf.a", Phase: nodegraph.PhaseFailed, ExitCode: 1}, propagate.ErrInvalid, "WithExit"),
	"one event of a batch is wrong":     badBatch,
	"an event comes late or twice":      lateEvents,
	"two ends are told of one pod":      twoEnds,
	"an answer to no question":          answerToNoQuestion,
	"the time is zero":                  zeroTime,
	"the time goes back":                timeGoesBack,
	"the result to fill in is nil":      nilResult,
	"a result of ApplyTo is kept":       keptResult,
	"slices of an event are used again": reusedSlices,
	"a phase that no pod has":           badPhase,
	"a pod is listed twice":             listedTwice,
	"a list of pods is old":             oldList,
	"a list of pods is not complete":    incompleteList,
	"a pod that nobody asked for":       unknownPod,
	"a pod is made without its lock":    podWithoutLock,
	"a pod is not made":                 owed("dag(a)", "wf.a: start", "Recreate wf.a"),
	"an error of Do is passed over":     errorOfDo,
	"a question is not answered":        owed(`dag(a when "{{x}}")`, "wf.a: condition", `Resolve wf.a "{{x}}"`),
	"a wake-up is missed":               missedWakeUp,
	"a pod runs past its timeout":       pastTimeout,
	"a release is forgotten":            forgottenRelease,
	"a holder is named by name":         holderByName,
	"a holder asks for other locks":     otherLocks,
	"a LockTable is nil":                nilLockTable,
}

// No misuse is silent. A line of the documentation without a test fails, and so does a test without a line.
func TestMisuse(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "// # Misuse\n")
	require.True(t, found)
	documented := make(map[string]bool)
	for _, row := range regexp.MustCompile(`(?m)^//\t(.+?)\s{2,}(.+)$`).FindAllStringSubmatch(section, -1) {
		require.False(t, documented[row[1]], "%q is there twice", row[1])
		documented[row[1]] = true
		test := misuses[row[1]]
		if test == nil {
			t.Errorf("%q has no test", row[1])
			continue
		}
		t.Run(row[1], test)
	}
	for name := range misuses {
		require.True(t, documented[name], "%q is not in the documentation", name)
	}
}

// refusal tests that an event is refused, and that the refusal says what there is.
func refusal(text string, ev propagate.Event, want error, hint string) func(*testing.T) {
	return func(t *testing.T) {
		err := refused(t, drawn(t, text), ev)
		require.ErrorIs(t, err, want)
		require.Contains(t, err.Hint, hint)
	}
}

// owed tests that what the host did not do is what the workflow waits for, and is asked for again after a restart.
func owed(text, waits, again string) func(*testing.T) {
	return func(t *testing.T) {
		e := drawn(t, text)
		require.Empty(t, actionsOf(at(t, e, time.Hour)), "it is asked for once")
		require.Equal(t, []string{waits}, waitsFor(e))
		for _, e := range []*propagate.Engine{reloaded(t, e), restored(t, e)} {
			r, err := e.SyncPods(epoch.Add(time.Hour), nil)
			require.NoError(t, err)
			require.Equal(t, []string{again}, actionsOf(r))
		}
	}
}

// unusable tests that no call of an engine is taken, and why.
func unusable(t *testing.T, e *propagate.Engine, want string) {
	t.Helper()
	calls := map[string]func() error{
		"Apply":       func() error { _, err := e.Apply(epoch); return err },
		"ApplyTo":     func() error { return e.ApplyTo(new(propagate.Result), epoch) },
		"SyncPods":    func() error { _, err := e.SyncPods(epoch, nil); return err },
		"SyncChanged": func() error { _, err := e.SyncChanged(epoch, nil, nil); return err },
		"Check":       e.Check,
	}
	for name, call := range calls {
		require.Equal(t, want, misuse(t, call()), name)
	}
}

// misuse is what an error says of how an engine is used.
func misuse(t *testing.T, err error) string {
	t.Helper()
	var use *propagate.UseError
	require.ErrorAs(t, err, &use)
	return use.Error()
}

func copiedEngine(t *testing.T) {
	e := drawn(t, "dag(a)")
	locker := reflect.TypeFor[sync.Locker]()
	first := reflect.TypeFor[propagate.Engine]().Field(0).Type
	require.True(t, reflect.PointerTo(first).Implements(locker), "go vet reports copies of what has a Locker")
	clone := reflect.New(reflect.TypeFor[propagate.Engine]()) // go vet does not see this one
	clone.Elem().Set(reflect.ValueOf(e).Elem())
	unusable(t, clone.Interface().(*propagate.Engine), "propagate: engine: it is a copy of another")
	tell(t, e, propagate.PodSucceeded("wf.a"))
	require.True(t, e.Complete())
}

func zeroEngine(t *testing.T) {
	e := new(propagate.Engine)
	unusable(t, e, "propagate: engine: it was not made by New, FromState or FromSnapshot")
	unusable(t, nil, "propagate: engine: it was not made by New, FromState or FromSnapshot")
	require.Panics(t, func() { e.Complete() })
	require.Panics(t, func() { e.Phase(nodegraph.Entry) })
	require.Panics(t, func() { e.Obligations() })
}

func engineInUse(t *testing.T) {
	e := drawn(t, "dag(a)")
	leave := e.Enter()
	unusable(t, e, "propagate: engine: it is in use by another goroutine, or a call of it has panicked")
	leave()
	tell(t, e, propagate.PodSucceeded("wf.a"))
	require.True(t, e.Complete())
}

func changedGraph(t *testing.T) {
	e := drawn(t, "dag(a: retry(3, pod))")
	_, err := e.Graph().AddAttempt(e.Graph().Find("wf.a"))
	require.NoError(t, err)
	unusable(t, e, "propagate: graph: somebody else has added nodes")
}

func changedSpec(t *testing.T) {
	for name, change := range map[string]func(*nodegraph.Template){
		"another kind": func(x *nodegraph.Template) { x.Kind = nodegraph.KindSuspend },
		"other containers": func(x *nodegraph.Template) {
			x.Containers = append(x.Containers, nodegraph.ContainerSpec{Name: "y"})
		},
		"no retries": func(x *nodegraph.Template) { x.Retry = nil },
	} {
		e := drawn(t, "dag(a: retry(3, pod))")
		for _, x := range e.Graph().Spec().Templates {
			if x.Retry != nil {
				change(x)
			}
		}
		var spec *nodegraph.SpecError
		require.ErrorAs(t, e.Check(), &spec, name)
		if name == "no retries" {
			continue // that makes no other nodes
		}
		_, err := e.Apply(epoch, propagate.PodFailed("wf.a(0)", ""))
		require.NoError(t, err)
		require.Contains(t, looks(e, "wf.a")["wf.a"], "the template was changed after the graph was made", name)
		require.True(t, e.Complete())
	}
}

func nilSpec(t *testing.T) {
	for _, spec := range []*nodegraph.Spec{nil, {}, {Name: "wf"}, {Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{nil}},
		{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{{}}}, {Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{{Name: "main"}}}} {
		_, err := propagate.New(spec)
		var fault *nodegraph.SpecError
		require.ErrorAs(t, err, &fault)
	}
}

func badName(t *testing.T) {
	for _, name := range []string{"a(0)", "a.b", "a\n", strings.Repeat("a", 300)} {
		_, err := propagate.New(&nodegraph.Spec{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{
			{Name: "x", Kind: nodegraph.KindPod}, {Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: name, Template: "x"}}}}})
		var fault *nodegraph.SpecError
		require.ErrorAs(t, err, &fault, "%q", name)
	}
}

func badCondition(t *testing.T) {
	e := drawn(t, `dag(a when "x ==", hold: suspend)`)
	require.Len(t, e.Graph().Spec().Warnings(), 1)
	require.Contains(t, looks(e, "wf.a")["wf.a"], "Error: Invalid 'when' expression 'x =='")
}

func badIndex(t *testing.T) {
	e := drawn(t, "dag(a)")
	for _, i := range []nodegraph.Index{e.Graph().Find("typo"), -2, nodegraph.Index(e.Graph().Len())} {
		for name, read := range map[string]func(){
			"Phase": func() { e.Phase(i) }, "Fact": func() { e.Fact(i) }, "Verdict": func() { e.Verdict(i) },
			"Explain": func() { e.Explain(i) }, "Exists": func() { e.Exists(i) },
		} {
			func() {
				defer func() { require.Contains(t, recover(), "Graph.Find returns nodegraph.None", name) }()
				read()
			}()
		}
		require.Panics(t, func() { e.Kind(i) })
		require.Panics(t, func() { e.Graph().Node(i) })
	}
}

func completeWorkflow(t *testing.T) {
	e := drawn(t, "dag(a)")
	tell(t, e, propagate.PodSucceeded("wf.a"))
	for _, ev := range []propagate.Event{propagate.PodDeleted("wf.a"), propagate.Shutdown("Stop"), propagate.PodDeleted("nobody")} {
		require.ErrorIs(t, refused(t, e, ev), propagate.ErrComplete)
	}
	require.Equal(t, []string{`Terminate wf.a "its node has ended"`}, actionsOf(listed(t, e, podOf("wf.a", "another", "Running"))))
}

func badBatch(t *testing.T) {
	e := drawn(t, "dag(a, b)")
	err := refused(t, e, propagate.PodSucceeded("wf.a"), propagate.PodRunning("wf.typo"))
	require.Equal(t, 1, err.Index)
	require.Equal(t, []string{"wf.a: start", "wf.b: start"}, waitsFor(e), "the good event was not taken either")
}

func lateEvents(t *testing.T) {
	e := drawn(t, "dag(a: retry(3, pod), hold: suspend)")
	tell(t, e, propagate.PodRunning("wf.a(0)"), propagate.PodFailed("wf.a(0)", "x"))
	want := looks(e, "wf.a", "wf.a(0)", "wf.a(1)")
	for _, ev := range []propagate.Event{propagate.PodPending("wf.a(0)", ""), propagate.PodRunning("wf.a(0)"), propagate.PodFailed("wf.a(0)", "x"), propagate.PodDeleted("wf.a(0)")} {
		require.Empty(t, tell(t, e, ev, ev).Actions)
		require.Empty(t, cmp.Diff(want, looks(e, "wf.a", "wf.a(0)", "wf.a(1)")))
	}
}

func twoEnds(t *testing.T) {
	ends := []propagate.Event{propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.a", "x")}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		e := drawn(t, "dag(a, hold: suspend)")
		for _, k := range order {
			tell(t, e, ends[k])
		}
		expect(t, e, "wf.a", nodegraph.PhaseFailed)
	}
}

func answerToNoQuestion(t *testing.T) {
	e := drawn(t, `dag(a when "{{x}}", b over [i], c)`)
	require.ErrorIs(t, refused(t, e, propagate.Memoized("wf.c", true)), propagate.ErrWrongKind)
	require.ErrorIs(t, refused(t, e, propagate.Expanded("wf.b")), propagate.ErrWrongKind)
	tell(t, e, propagate.Resolved("wf.a", false, ""))
	tell(t, e, propagate.Resolved("wf.a", true, ""))
	expect(t, e, "wf.a", nodegraph.PhaseSkipped)
}

func zeroTime(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a)")
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	_, err = e.Apply(time.Time{})
	require.Equal(t, "propagate: now: it is zero, and nothing starts at no time", misuse(t, err))
	_, err = e.SyncPods(time.Time{}, nil)
	require.Equal(t, "propagate: now: it is zero, and nothing starts at no time", misuse(t, err))
	tell(t, e)
	require.Equal(t, []string{"wf.a: start"}, waitsFor(e))
}

func timeGoesBack(t *testing.T) {
	e := drawn(t, "dag(a: suspend(10m), b: suspend)")
	at(t, e, time.Minute)
	require.Empty(t, at(t, e, -time.Hour).Changes)
	require.Equal(t, epoch.Add(time.Minute), e.Now())
	at(t, e, 240*time.Hour)
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	at(t, e, 2*time.Minute)
	require.Equal(t, epoch.Add(240*time.Hour), e.Now())
}

func nilResult(t *testing.T) {
	e := drawn(t, "dag(a)")
	require.Equal(t, "propagate: result: it is nil, and is to be filled in", misuse(t, e.ApplyTo(nil, epoch)))
}

func keptResult(t *testing.T) {
	e := drawn(t, "dag(a -> b, hold: suspend)")
	var r propagate.Result
	require.NoError(t, e.ApplyTo(&r, epoch, propagate.PodDeleted("wf.a")))
	kept := r.Actions
	require.Equal(t, "Recreate wf.a", kept[0].String())
	require.NoError(t, e.ApplyTo(&r, epoch, propagate.PodSucceeded("wf.a")))
	require.Equal(t, "Start Pod wf.b", kept[0].String(), "it was overwritten")
	first := tell(t, e, propagate.PodDeleted("wf.b"))
	tell(t, e, propagate.PodFailed("wf.b", ""))
	require.Equal(t, "Recreate wf.b", first.Actions[0].String(), "that of Apply was not")
}

func reusedSlices(t *testing.T) {
	e := drawn(t, `dag(a over "{{x}}", hold: suspend)`)
	items := []nodegraph.Item{{Text: "i"}}
	tell(t, e, propagate.Expanded("wf.a", items...))
	items[0].Text = "j"
	require.Equal(t, "i", e.Graph().Item(e.Graph().Find("wf.a(0:i)")).Text)
}

func badPhase(t *testing.T) {
	e := drawn(t, "dag(a, b)")
	for _, phase := range []propagate.PodPhase{"", "running", "RUNNING", "Bogus"} {
		_, err := e.SyncPods(epoch, []propagate.PodStatus{podOf("wf.a", "1", "Succeeded"), podOf("wf.b", "2", phase)})
		var refused *propagate.EventError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, []string{"wf.a: start", "wf.b: start"}, waitsFor(e))
	}
	listed(t, e, podOf("wf.a", "1", "Succeeded"), podOf("wf.b", "2", "Unknown"))
	require.Equal(t, "Error: Unexpected pod phase for pod-of-wf.b: Unknown", looks(e, "wf.b")["wf.b"])
}

func listedTwice(t *testing.T) {
	pending, done := podOf("wf.a", "1", "Pending"), podOf("wf.a", "1", "Succeeded", terminated("main", 0))
	for _, list := range [][]propagate.PodStatus{{pending, done}, {done, pending}} {
		e := drawn(t, "dag(a, hold: suspend)")
		listed(t, e, list...)
		expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
	}
}

func oldList(t *testing.T) {
	e := drawn(t, "dag(a -> b)")
	runs := podOf("wf.a", "1", "Running", running("main"))
	listed(t, e, runs)
	listed(t, e, podOf("wf.a", "1", "Succeeded", terminated("main", 0)))
	require.Empty(t, listed(t, e, runs).Changes)
	expect(t, e, "wf.a", nodegraph.PhaseSucceeded)
}

func incompleteList(t *testing.T) {
	e := drawn(t, "dag(a -> b, hold: suspend)")
	listed(t, e, podOf("wf.a", "1", "Running", running("main")))
	listed(t, e)
	require.Equal(t, "Error: pod deleted", looks(e, "wf.a")["wf.a"])

	e = drawn(t, "dag(a -> b, hold: suspend)") // the other intake does not take an absence for a loss
	_, err := e.SyncChanged(epoch, []propagate.PodStatus{podOf("wf.a", "1", "Running", running("main"))}, nil)
	require.NoError(t, err)
	_, err = e.SyncChanged(epoch, nil, nil)
	require.NoError(t, err)
	expect(t, e, "wf.a", nodegraph.PhaseRunning)
}

func unknownPod(t *testing.T) {
	e := drawn(t, "dag(a -> b)")
	r := listed(t, e, podOf("wf.b", "1", "Running"), podOf("wf.typo", "2", "Running"))
	require.Equal(t, []string{"wf.b", "wf.typo"}, r.Unknown)
}

func podWithoutLock(t *testing.T) {
	e := drawn(t, "dag(a: mutex(m, pod))")
	tell(t, e, propagate.LockQueued("wf.a", mutexM, "later"))
	for _, ev := range []propagate.Event{propagate.PodPending("wf.a", ""), propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.a", "")} {
		require.ErrorIs(t, refused(t, e, ev.WithPod("1", epoch)), propagate.ErrWaitsForLock)
	}
	require.Equal(t, []string{"wf.a"}, listed(t, e, podOf("wf.a", "1", "Running")).Unknown)
	require.Equal(t, []string{"wf.a: lock"}, waitsFor(e))
}

func missedWakeUp(t *testing.T) {
	e := drawn(t, "dag(a: suspend(10m))")
	waits := e.Obligations()
	require.Equal(t, "wf.a: timer", waits[0].String())
	require.Equal(t, epoch.Add(10*time.Minute), waits[0].Until)
	at(t, e, time.Hour)
	require.True(t, e.Complete())
}

func pastTimeout(t *testing.T) {
	e := timedOutAfter(t, "dag(a)", false)
	tell(t, e, propagate.PodRunning("wf.a"))
	require.Equal(t, []string{`Terminate wf.a "timeout"`, "Complete"}, actionsOf(at(t, e, time.Minute)))
}

// errorOfDo: an engine that goes on does not ask again for what failed, and one that is made anew does.
func errorOfDo(t *testing.T) {
	host, lines := noting("wf: dag(a)")
	host.fails = "wf: Start Pod wf.a"
	require.EqualError(t, propagate.Drive(host, "wf"), "it fails")
	host.fails = ""
	require.NoError(t, propagate.Drive(host, "wf"))
	require.Equal(t, []string{"wf: Start DAG wf"}, *lines, "it is not asked for again")
	require.Equal(t, "[wf.a: start]", fmt.Sprint(host.engines["wf"].Obligations()))

	host.engines["wf"] = reloaded(t, host.engines["wf"])
	require.NoError(t, propagate.Drive(host, "wf"))
	require.Equal(t, []string{"wf: Start DAG wf", "wf: Recreate wf.a"}, *lines)
}

// lockedOnce runs a workflow to its end whose node a holds a mutex. The host names the holder as it likes, and gives nothing back.
func lockedOnce(t *testing.T, node func(propagate.Action) string) (*propagate.LockTable, *propagate.Engine) {
	l := new(propagate.LockTable)
	spec, err := nodegraph.Parse("dag(a: mutex(m, pod))")
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	for _, a := range tell(t, e).Actions {
		if a.Type == propagate.ActionAcquire {
			granted, _, _ := l.Acquire(propagate.Holder{Workflow: "w", Node: node(a)}, a.Locks)
			require.True(t, granted)
			tell(t, e, propagate.LockGranted(node(a)))
		}
	}
	return l, e
}

func forgottenRelease(t *testing.T) {
	l, e := lockedOnce(t, func(a propagate.Action) string { return a.ID })
	require.Empty(t, l.Audit("w", e))
	tell(t, e, propagate.PodSucceeded("wf.a"))
	require.Len(t, l.Audit("w", e), 1)
	require.Contains(t, l.Audit("w", e)[0], "the release was forgotten")
	granted, key, _ := l.Acquire(propagate.Holder{Workflow: "other"}, []nodegraph.Lock{{Key: mutexM}})
	require.Equal(t, [2]any{false, mutexM}, [2]any{granted, key})
}

func holderByName(t *testing.T) {
	l, e := lockedOnce(t, func(a propagate.Action) string { return a.Name })
	require.Contains(t, l.Audit("w", e)[1], "the holder is named by the name of its node")
}

func otherLocks(t *testing.T) {
	l, e := lockedOnce(t, func(a propagate.Action) string { return a.ID })
	h := l.Holders(mutexM)[0]
	l.Release(h)
	other := []nodegraph.Lock{{Key: "default/Mutex/other"}}
	l.Acquire(h, other)
	granted, _, _ := l.Acquire(h, []nodegraph.Lock{{Key: mutexM}})
	require.True(t, granted)
	require.Empty(t, l.Holders(mutexM), "it has what it asked for first")
	require.Len(t, l.Audit("w", e), 2)
}

func nilLockTable(t *testing.T) {
	var l *propagate.LockTable
	h := propagate.Holder{Workflow: "w"}
	for name, use := range map[string]func(){
		"Acquire": func() { l.Acquire(h, nil) }, "Release": func() { l.Release(h) }, "Free": func() { l.Free(h) }, "SetLimit": func() { l.SetLimit("m", 1) }, "Grant": func() { l.Grant() },
		"Holders": func() { l.Holders("") }, "Waiters": func() { l.Waiters("") }, "Forget": func() { l.Forget("w") }, "Adopt": func() { l.Adopt("w", nil) },
		"Rank": func() { l.Rank("w", nil) }, "Deadlocks": func() { l.Deadlocks() }, "Clone": func() { l.Clone() }, "Audit": func() { l.Audit("w", nil) },
	} {
		func() {
			defer func() { require.Contains(t, recover(), "the LockTable is nil", name) }()
			use()
		}()
	}
	require.Empty(t, new(propagate.LockTable).Grant())
}
