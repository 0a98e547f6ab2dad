package propagate_test

import (
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/explore"
	"github.com/nodestatus/nodestatus/retry"
)

// A family is a lot of small workflows that have something in common, and what may happen to them.
type family struct {
	name    string
	bound   int
	cluster explore.Cluster
	cases   []drawing
}

// A drawing is one case: one workflow or several that share their locks, and what the text of a graph can't say.
type drawing struct {
	graphs []string
	twists []twist
	facts  []propagate.Event // if set, these come in any order, and nothing else happens

	manifest string // in place of graphs: the Workflow object, to which the record is written, and from which it is read
}

// A twist changes what was read from the text of the graphs.
type twist struct {
	text   string
	change func(spec *nodegraph.Spec)
}

func drawn1(graph string, twists ...twist) drawing {
	return drawing{graphs: []string{graph}, twists: twists}
}

// told is a case in which these facts come in any order.
func told(d drawing, facts ...propagate.Event) drawing {
	d.facts = facts
	return d
}

func drawnTogether(graphs ...string) drawing { return drawing{graphs: graphs} }

// String is the case in one line.
func (d drawing) String() string {
	text := strings.Join(d.graphs, "  &  ")
	if d.manifest != "" {
		text = "manifest " + strings.Fields(d.manifest)[1]
	}
	for _, tw := range d.twists {
		text += ", " + tw.text
	}
	return text
}

// specs reads the case.
func (d drawing) specs() ([]*nodegraph.Spec, error) {
	if d.manifest != "" {
		w, err := argo.Read([]byte(d.manifest))
		if err != nil {
			return nil, err
		}
		return []*nodegraph.Spec{w.Spec}, nil
	}
	var specs []*nodegraph.Spec
	for _, graph := range d.graphs {
		spec, err := nodegraph.Parse(graph)
		if err != nil {
			return nil, err
		}
		for _, tw := range d.twists {
			tw.change(spec)
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// written is a record that is written to the Workflow object and read from it. What the user asks for stands in its spec.
func (d drawing) written(_ int, s nodegraph.Snapshot) (nodegraph.Snapshot, error) {
	w, err := argo.Read([]byte(d.manifest))
	if err != nil {
		return s, err
	}
	if err := w.SetStatus(s); err != nil {
		return s, err
	}
	object, err := w.Encode()
	if err != nil {
		return s, err
	}
	read, err := argo.Read(object)
	if err != nil {
		return s, err
	}
	read.Snapshot.Shutdown, read.Snapshot.Suspended = s.Shutdown, s.Suspended
	return read.Snapshot, nil
}

// templates changes all templates of a kind.
func templates(text string, kind nodegraph.Kind, change func(*nodegraph.Template)) twist {
	return twist{text, func(spec *nodegraph.Spec) {
		for _, t := range spec.Templates {
			if t.Kind == kind {
				change(t)
			}
		}
	}}
}

// tasks changes the task or step of a name.
func tasks(text, name string, change func(*nodegraph.Task)) twist {
	return twist{text, func(spec *nodegraph.Spec) {
		for _, t := range spec.Templates {
			for k := range t.Tasks {
				if t.Tasks[k].Name == name {
					change(&t.Tasks[k])
				}
			}
			for _, group := range t.Steps {
				for k := range group {
					if group[k].Name == name {
						change(&group[k])
					}
				}
			}
		}
	}}
}

func hook(name, expression string) twist {
	return tasks("hook of "+name+" when "+expression, name, func(t *nodegraph.Task) {
		t.Hooks = append(t.Hooks, nodegraph.Hook{Name: "h", Template: "hooked", Expression: expression})
	})
}

// The twists.
var (
	wholeM  = twist{"mutex m of the workflow", func(s *nodegraph.Spec) { s.Locks = []nodegraph.Lock{lock(mutexM, 1)} }}
	wide1   = twist{"parallelism 1", func(s *nodegraph.Spec) { s.Parallelism = 1 }}
	inside1 = templates("parallelism 1 of each DAG", nodegraph.KindDAG, func(t *nodegraph.Template) { t.Parallelism = 1 })
	inside2 = templates("parallelism 2 of each DAG", nodegraph.KindDAG, func(t *nodegraph.Template) { t.Parallelism = 2 })
	stepped = templates("parallelism 1 of the Steps", nodegraph.KindSteps, func(t *nodegraph.Template) { t.Parallelism = 1 })
	backoff = twist{"backoff 10s", func(s *nodegraph.Spec) {
		for _, t := range s.Templates {
			if t.Retry != nil {
				t.Retry.Backoff = &retry.Backoff{Duration: 10 * time.Second}
			}
		}
	}}
	backoff45 = twist{"policy OnFailure, backoff 45s", func(s *nodegraph.Spec) {
		for _, t := range s.Templates {
			if t.Retry != nil {
				t.Retry.Policy, t.Retry.Backoff = "", &retry.Backoff{Duration: 45 * time.Second}
			}
		}
	}}
	brokenPod = templates("pods can't run", nodegraph.KindPod, func(t *nodegraph.Template) { t.Err = "no such template" })
	deadline  = twist{"deadline 20s", func(s *nodegraph.Spec) { s.ActiveDeadline = 20 * time.Second }}
	ranked    = twist{"the larger one first", func(s *nodegraph.Spec) { s.Priority, s.Created = int32(len(s.Templates)), epoch }}
	restarts  = twist{"podRestarts 1", func(s *nodegraph.Spec) { s.PodRestarts = 1 }}
	failFast  = templates("failFast of the DAG", nodegraph.KindDAG, func(t *nodegraph.Template) { t.FailFast = true })
	failFastS = templates("failFast of the Steps", nodegraph.KindSteps, func(t *nodegraph.Template) { t.FailFast = true })
	timeout   = templates("timeout 5s of pods", nodegraph.KindPod, func(t *nodegraph.Template) { t.Timeout = 5 * time.Second })
	pending   = templates("pendingTimeout 5s of pods", nodegraph.KindPod, func(t *nodegraph.Template) { t.PendingTimeout = 5 * time.Second })
	timeoutH  = templates("timeout 5s of HTTP", nodegraph.KindHTTP, func(t *nodegraph.Template) { t.Timeout = 5 * time.Second })
	memoize   = templates("pods memoized", nodegraph.KindPod, func(t *nodegraph.Template) { t.Memoize = "key" })
	openField = templates("a timeout of pods that the host knows", nodegraph.KindPod, func(t *nodegraph.Template) {
		t.Unresolved = []nodegraph.Unresolved{{Field: "timeout", Text: "{{x}}"}}
	})
	daemonSet = templates("daemons have a container x", nodegraph.KindPod, func(t *nodegraph.Template) {
		if t.Daemon {
			t.Containers = []nodegraph.ContainerSpec{{Name: "x"}}
		}
	})
	lockedHook = twist{"hooks need mutex m", hookedBy(nodegraph.Template{Locks: []nodegraph.Lock{lock(mutexM, 1)}})}
	plainHook  = twist{"hooks are pods", hookedBy(nodegraph.Template{})}
	brokenHook = twist{"hooks can't run", hookedBy(nodegraph.Template{Err: "no such template"})}
	flowHook   = twist{`workflow hook when workflow.status == "Running"`, func(s *nodegraph.Spec) {
		s.Hooks = []nodegraph.Hook{{Name: "h", Template: "hooked", Expression: `workflow.status == "Running"`}}
	}}
	exitBroken = tasks("exit hook of a that can't run", "a", func(t *nodegraph.Task) {
		t.Hooks = append(t.Hooks, nodegraph.Hook{Name: nodegraph.ExitHook, Template: "hooked"})
	})
)

// hookedBy adds the template of hooks.
func hookedBy(t nodegraph.Template) func(*nodegraph.Spec) {
	return func(s *nodegraph.Spec) {
		hooked := t
		hooked.Name, hooked.Kind = "hooked", nodegraph.KindPod
		s.Templates = append(s.Templates, &hooked)
	}
}

const (
	whileRunning = `workflow.status == "Running"`
	onceFailed   = `workflow.status == "Failed"`
)

// families are all that are explored with a cluster.
var families = []family{
	{"daemons and locks", 7, explore.Cluster{Fail: true, Lose: true, Harm: 2, Shutdown: []string{"Stop"}}, []drawing{
		drawn1("dag(a: mutex(m, daemon) -> b: mutex(m, pod))"),
		drawn1("dag(a: daemon -> b: mutex(m, pod), c: mutex(m, pod))"),
		drawn1("steps(a: mutex(m, daemon) | b: mutex(m, pod))"),
		drawn1("dag(a: retry(1, mutex(m, daemon)) -> b)"),
		drawnTogether("dag(a: mutex(m, daemon) -> b)", "mutex(m, pod)"),
	}},
	{"daemons", 7, explore.Cluster{Fail: true, Lose: true, Runs: true, Harm: 2, Crash: true}, []drawing{
		drawn1("dag(a: daemon -> b)"),
		drawn1("dag(a: daemon, b)"),
		drawn1("dag(a: daemon -> b)", wide1),
		drawn1("dag(a: daemon -> b)", inside1),
		drawn1("steps(a: daemon | b)"),
		drawn1("steps(a: daemon | b)", daemonSet),
		drawn1("steps(a: daemon | b)", stepped),
		drawn1(`dag(a: daemon, b depends "a.Errored") exit pod`, daemonSet),
		drawn1(`dag(a: dag(d: daemon -> b) -> c: daemon -> e)`),
		drawn1("dag(a: daemon -> b)", memoize),
		drawn1("dag(a: retry(1, daemon) -> b)"),
		drawn1("dag(a: daemon over [i, j] -> b)"),
		drawn1(`steps(a: daemon | b)`, hook("b", `steps.a.status == "Succeeded"`), plainHook, failFastS),
	}},
	{"locks on ancestors", 7, explore.Cluster{Fail: true, Harm: 2, Shutdown: []string{"Stop", "Terminate"}}, []drawing{
		drawn1("mutex(m, dag(a: mutex(n, pod), b: mutex(n, pod)))"),
		drawn1("dag(a: mutex(m, dag(x -> y)), b: mutex(m, pod))"),
		drawn1("dag(a: mutex(m, steps(x | y)), b: mutex(m, steps(x)))"),
		drawn1("mutex(m, dag(a: mutex(m, pod)))"),
		drawn1("dag(a: mutex(m, retry(1, dag(x))), b: mutex(m, pod))"),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, suspend), c: mutex(m, http))"),
	}},
	{"locks of workflows and nodes", 8, explore.Cluster{Fail: true, Harm: 2, Shutdown: []string{"Stop"}, Crash: true}, []drawing{
		drawn1("dag(a: mutex(n, pod), b: mutex(n, pod))", wholeM),
		drawn1("dag(a: mutex(m, pod), b)", wholeM),
		drawn1("mutex(m, pod)", deadline),
		{graphs: []string{"dag(a)", "dag(a)"}, twists: []twist{wholeM}},
		{graphs: []string{"dag(a: mutex(n, pod))", "dag(a: mutex(n, pod))"}, twists: []twist{wholeM}},
		{graphs: []string{"mutex(m, pod)", "dag(a: mutex(m, pod))"}, twists: []twist{ranked}},
	}},
	{"crossing locks", 9, explore.Cluster{Crash: true, Fail: true, Harm: 2}, []drawing{
		drawnTogether("mutex(m, dag(a: mutex(n, pod)))", "mutex(n, dag(a: mutex(m, pod)))"),
		drawnTogether("mutex(m, mutex(n, pod))", "mutex(n, mutex(m, pod))"),
		drawnTogether("dag(a: mutex(m, pod) -> b: mutex(n, pod))", "dag(a: mutex(n, pod) -> b: mutex(m, pod))"),
		drawnTogether("mutex(m, dag(a: mutex(n, pod)))", "mutex(m, mutex(n, pod))"),
		drawnTogether("mutex(m, pod)", "mutex(m, mutex(n, pod))", "mutex(n, pod)"),
	}},
	{"deadlines and locks", 5, explore.Cluster{Fail: true, Harm: 2, Shutdown: []string{"Stop"}, Record: true}, []drawing{
		drawn1("mutex(m, pod)", deadline),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod))", deadline),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod))", pending),
		drawn1("mutex(m, dag(a exit pod)) exit pod", deadline),
		drawn1("dag(a: mutex(m, http), b: mutex(m, pod))", deadline),
		drawn1("dag(a, b)", deadline, wide1),
		drawn1("dag(a, b)", deadline, inside1),
	}},
	{"deadlines of two workflows", 6, explore.Cluster{Harm: 1, Shutdown: []string{"Stop"}, Record: true}, []drawing{
		{graphs: []string{"mutex(m, pod)", "mutex(m, suspend)"}, twists: []twist{deadline}},
		{graphs: []string{"mutex(m, dag(a exit pod)) exit pod", "mutex(m, suspend)"}, twists: []twist{deadline}},
	}},
	{"timeouts", 7, explore.Cluster{Crash: true, Record: true, Fail: true, Harm: 3}, []drawing{
		drawn1(`dag(a: dag(p: http, q depends "p"), z)`, timeoutH),
		drawn1("retry(1, pod)", timeout),
		drawn1("dag(a -> b)", timeout),
		drawn1("dag(a: retry(1, pod) -> b)", timeout, backoff),
		drawn1("retry(1, dag(a))", backoff45, brokenPod, deadline),
		drawn1("dag(a: suspend(5s) -> b)", deadline),
		drawn1("dag(a: suspend(5s), b)", pending),
	}},
	{"hooks", 7, explore.Cluster{Fail: true, Runs: true, Harm: 2, Shutdown: []string{"Stop", "Terminate"}}, []drawing{
		drawn1("dag(a exit pod -> b)"),
		drawn1("steps(a exit pod | b)"),
		drawn1("dag(a over [i] exit pod -> b)"),
		drawn1("dag(a over [i] -> b)", exitBroken, brokenHook),
		drawn1("dag(a over [i])", exitBroken, brokenHook),
		drawn1("dag(a -> b)", hook("a", `tasks.a.status == "Running"`), plainHook),
		drawn1("dag(a -> b)", hook("b", `tasks.a.status == "Succeeded"`), plainHook),
		drawn1("dag(a -> b)", hook("a", whileRunning), plainHook),
		drawn1("dag(a -> b)", hook("b", onceFailed), plainHook),
		drawn1("dag(a, b)", flowHook, plainHook),
		drawn1("dag(a) exit pod", flowHook, plainHook),
		drawn1(`dag(a, b when "x == y")`, hook("b", whileRunning), plainHook),
		drawn1(`dag(a, b when "x ==")`, hook("b", whileRunning), plainHook),
		drawn1(`dag(a, b over [])`, hook("b", whileRunning), plainHook),
		drawn1(`dag(a, b depends "a.Failed")`, hook("b", whileRunning), plainHook),
		drawn1("dag(a: retry(1, pod) exit pod -> b)"),
		drawn1("dag(a: dag(x exit pod) exit pod)"),
		drawn1("pod exit dag(x exit pod -> y)"),
	}},
	{"hooks that wait", 7, explore.Cluster{Runs: true, Fail: true, Harm: 2, Suspend: true, Crash: true, Record: true}, []drawing{
		drawn1("dag(a -> b)", hook("a", `tasks.a.status == "Running"`), lockedHook),
		drawn1("dag(a -> b)", hook("a", `tasks.a.status == "Running"`), plainHook, wide1),
		drawn1("dag(a -> b)", hook("a", `tasks.a.status == "Running"`), plainHook, inside1),
		drawn1("dag(a exit pod -> b)", wide1),
		drawn1("dag(a over [i] exit pod -> b)"),
	}},
	{"skipped and omitted targets", 7, explore.Cluster{Shutdown: []string{"Stop"}, Fail: true, Lose: true, Harm: 2}, []drawing{
		drawn1(`dag(a -> b)`),
		drawn1(`dag(a continueOnFailed -> b)`),
		drawn1(`dag(a continueOnFailed -> b when "x == y")`),
		drawn1(`dag(a continueOnFailed -> b continueOnFailed when "x == y")`),
		drawn1(`dag(a -> b when "{{x}}" -> c)`),
		drawn1(`dag(a, b depends "a.Failed" -> c)`),
		drawn1(`dag(a, b depends "a" -> c, d depends "a.Failed")`),
		drawn1(`dag(a: suspend -> b over "{{x}}" -> c)`),
		drawn1(`steps(a continueOnFailed | b when "{{x}}" | c)`),
		drawn1(`steps(a, b continueOnError | c)`),
		drawn1(`dag(a: steps(x | y) -> b, c depends "a.Failed")`),
	}},
	{"container sets that are lost", 8, explore.Cluster{Fail: true, Lose: true, Evict: true, Runs: true, Harm: 2}, []drawing{
		drawn1("dag(a: pod(main) -> b)"),
		drawn1("dag(a: pod(x -> main) -> b)"),
		drawn1("dag(a: retry(0, pod(main)) -> b)"),
		drawn1("dag(a: retry(1, pod(x, main)) -> b)"),
		drawn1("dag(a: pod(main) over [i] -> b)"),
		drawn1("steps(a: pod(main) | b)"),
		drawn1("dag(a: dag(x: pod(main)) -> b)"),
	}},
	{"retries around others", 7, explore.Cluster{Fail: true, Lose: true, Harm: 2}, []drawing{
		drawn1("retry(1, dag(a -> b))"),
		drawn1("retry(1, steps(a | b))"),
		drawn1("dag(a: retry(1, pod(x, y)) -> b)"),
		drawn1("dag(a: retry(1, daemon) -> b)"),
		drawn1("retry(1, dag(a: retry(1, pod), b))"),
		drawn1("dag(a: retry(1, dag(d: daemon -> x)) -> b)"),
	}},
	{"parallelism", 8, explore.Cluster{Crash: true, Fail: true, Harm: 3}, []drawing{
		drawn1("dag(a: retry(1, pod), b)", wide1),
		drawn1("dag(a: retry(1, pod), b)", inside1),
		drawn1("dag(a: retry(1, pod), b)", inside1, backoff),
		drawn1("dag(a: retry(1, pod), b)", wide1, backoff),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod), c)", wide1),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod), c)", inside1),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod), c)", inside2),
		drawn1("dag(s: suspend -> a, b: mutex(m, pod), c: mutex(m, pod))", inside1),
		drawn1("dag(a: dag(x, y), b)", inside1),
		drawn1("steps(a, b: mutex(m, pod), c: mutex(m, pod))", stepped),
	}},
	{"fail fast", 7, explore.Cluster{Fail: true, Lose: true, Harm: 2, Runs: true}, []drawing{
		drawn1("dag(a, b)", failFast),
		drawn1("dag(a, b -> c)", failFast),
		drawn1("dag(a: retry(1, pod), b: mutex(m, pod))", failFast),
		drawn1("steps(a, b | c)", failFastS),
		drawn1("dag(a: dag(x, y), b)", failFast),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod))", failFast, inside1),
		drawn1("dag(a: daemon, b -> c)", failFast),
	}},
	{"memoize", 7, explore.Cluster{Fail: true, Harm: 2, Shutdown: []string{"Stop"}, Suspend: true, Crash: true}, []drawing{
		drawn1("dag(a: mutex(m, pod) -> b)", memoize),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod))", memoize),
		drawn1("dag(a: retry(1, pod))", memoize),
		drawn1("dag(a: pod(x) -> b)", memoize, inside1),
	}},
	{"served nodes", 7, explore.Cluster{Fail: true, Agent: true, Harm: 2, Crash: true, Shutdown: []string{"Stop"}}, []drawing{
		drawn1("dag(a: http -> b)"),
		drawn1("dag(a: mutex(m, http))"),
		drawn1("dag(a: mutex(m, http), b: mutex(m, plugin))"),
		drawn1("dag(a: retry(1, http) -> b: plugin)"),
		drawn1("dag(a: http exit http)"),
	}},
	{"questions", 7, explore.Cluster{Fail: true, Harm: 2, Shutdown: []string{"Stop"}, Suspend: true, Crash: true}, []drawing{
		drawn1(`dag(a, b when "{{x}}")`),
		drawn1(`dag(a over "{{x}}" -> b)`),
		drawn1(`steps(a over "{{x}}" | b)`),
		drawn1(`dag(a when "{{x}}" over "{{y}}")`),
		drawn1(`dag(a: dag(x when "{{x}}") -> b)`, deadline),
		drawn1("dag(a: retry(1, pod) -> b)", openField),
		drawn1("pod exit pod", openField),
	}},
	{"exit handlers", 8, explore.Cluster{Fail: true, Lose: true, Harm: 2, Shutdown: []string{"Stop", "Terminate"}, Crash: true}, []drawing{
		drawn1("dag(a) exit dag(x -> y)"),
		drawn1("pod exit steps(x | y)"),
		drawn1("pod exit dag(x: daemon -> y)"),
		drawn1("pod exit retry(1, pod)"),
		drawn1("pod exit mutex(m, pod)", deadline),
	}},
	{"newer pods", 6, explore.Cluster{Fail: true, Newer: true, Harm: 2}, []drawing{
		drawn1("dag(a: mutex(m, pod), b)"),
		drawn1("dag(a -> b)"),
		drawn1("dag(a: retry(1, pod), b)"),
		drawn1("dag(a: pod(x), b: suspend)"),
		drawn1("dag(a: daemon -> b)"),
	}},
	{"pods made again", 7, explore.Cluster{Runs: true, Fail: true, Evict: true, Lose: true, Harm: 2, Record: true}, []drawing{
		drawn1("pod", restarts),
		drawn1("dag(a, b)", restarts),
		drawn1("retry(1, pod)", restarts),
	}},
	{"late word of pods", 6, explore.Cluster{}, []drawing{
		told(drawn1("dag(a, b)", restarts), said(1, propagate.PodRunning("wf.b")), said(1, propagate.PodEvicted("wf.b", "")), said(2, propagate.PodSucceeded("wf.b"))),
		told(drawn1("dag(a: retry(1, pod), b)"), said(1, propagate.PodRunning("wf.a(0)")), said(1, propagate.PodDeleted("wf.a(0)")),
			said(1, propagate.PodFailed("wf.a(0)", "")), said(2, propagate.PodSucceeded("wf.a(1)"))),
	}},
	{"late word before a lock", 6, explore.Cluster{}, []drawing{
		told(drawn1("dag(test -> ship: mutex(m, pod), other)"), said(1, propagate.PodSucceeded("wf.test")), said(2, propagate.PodFailed("wf.test", "")),
			said(3, propagate.PodSucceeded("wf.test")), said(1, propagate.PodSucceeded("wf.ship"))),
		told(drawn1("dag(test -> ship, other)"), said(1, propagate.PodSucceeded("wf.test")), said(2, propagate.PodFailed("wf.test", "")),
			said(3, propagate.PodSucceeded("wf.test")), said(1, propagate.PodSucceeded("wf.ship"))),
		told(drawn1(`dag(d: daemon, b depends "d.Errored", c)`, daemonSet), said(1, propagate.PodRunning("wf.d")), said(1, propagate.ContainerEnded("wf.d", "x", 1, "")),
			said(1, propagate.PodFailed("wf.d", "")), said(1, propagate.PodSucceeded("wf.c"))),
	}},
	{"pods made late, results late", 7, explore.Cluster{Slow: true, Late: true, Lose: true, Harm: 3, Crash: true}, []drawing{
		drawn1("pod"),
		drawn1("dag(a -> b)"),
		drawn1("dag(a: retry(1, pod))"),
	}},
	{"manual retry", 10, explore.Cluster{Crash: true, Fail: true, Retry: true, Harm: 3}, []drawing{
		drawn1("pod"),
		drawn1("dag(a -> b)"),
		drawn1("dag(a, b)"),
		drawn1("steps(a | b)"),
		drawn1("retry(1, pod)"),
		drawn1("dag(a: mutex(m, pod) -> b)"),
		drawn1("dag(a: mutex(m, dag(x -> y)))"),
		drawn1("dag(a: pod(x -> y) -> b)"),
		drawn1("dag(a: daemon -> b)"),
		drawn1("dag(a exit pod -> b)"),
		drawn1("dag(a) exit pod"),
		drawn1("dag(a: http -> b)"),
		drawn1("dag(a over [i, j] -> b)"),
		drawn1(`dag(a -> b when "{{x}}")`),
		drawn1("dag(a -> b)", memoize),
		drawn1("dag(a -> b)", wholeM),
	}},
	{"restarts from the record", 6, explore.Cluster{Runs: true, Fail: true, Lose: true, Harm: 2, Record: true}, []drawing{
		drawn1("dag(a -> b)"),
		drawn1("steps(a | b)"),
		drawn1("dag(a: retry(1, pod) -> b)"),
		drawn1("dag(a: pod(x -> y) -> b)"),
		drawn1("dag(d: daemon, b)"),
		drawn1("dag(a over [i, j] -> b)"),
		drawn1("dag(a: mutex(m, pod), b: mutex(m, pod))"),
		drawn1("dag(a: http -> b: suspend)"),
	}},
	{"restarts from the object", 5, explore.Cluster{Runs: true, Fail: true, Lose: true, Harm: 2, Record: true, Shutdown: []string{"Stop"}}, []drawing{
		{manifest: `# chain
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf, namespace: default}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: pod, hooks: {exit: {template: pod}}}
      - {name: b, template: pod, dependencies: [a]}
  - {name: pod, container: {image: x}}
`},
		{manifest: `# set
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf, namespace: default}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: a, template: set}
    - - {name: b, template: pod, withItems: [i, j]}
  - name: set
    retryStrategy: {limit: 1}
    containerSet: {containers: [{name: x, image: x}, {name: main, image: x, dependencies: [x]}]}
  - {name: pod, container: {image: x}}
`},
		{manifest: `# values
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf, namespace: default}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: tried, withItems: [0, 1], arguments: {parameters: [{name: limit, value: "{{item}}"}]}}
  - {name: tried, inputs: {parameters: [{name: limit}]}, retryStrategy: {limit: "{{inputs.parameters.limit}}"}, container: {image: x}}
`},
	}},
}
