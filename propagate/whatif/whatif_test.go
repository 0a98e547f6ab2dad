package whatif_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/whatif"
	"github.com/nodestatus/nodestatus/retry"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// drawn is the specification drawn in a line of text, with changes.
func drawn(t testing.TB, text string, changes ...func(*nodegraph.Spec)) *nodegraph.Spec {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err, text)
	for _, change := range changes {
		change(spec)
	}
	return spec
}

func ran(t testing.TB, in whatif.Input) *whatif.Result {
	t.Helper()
	r, err := whatif.Run(in)
	require.NoError(t, err)
	return r
}

// rows puts losses into lines, the worst first, one for each pod and what becomes of it. The moments are p, pending, r,
// running, and x, about to report; D stands for a deletion only, E for an eviction only. Names come without the workflow's,
// and the entry node is left out: it ends as the workflow does. Of pairs only the moment of the second loss is shown.
func rows(losses []whatif.Loss) []string {
	type row struct{ pod, becomes string }
	var order []row
	moments := make(map[row]map[whatif.Moment]string)
	for k := range losses {
		l := &losses[k]
		var pods []string
		for _, p := range l.Lost {
			pods = append(pods, podName(p))
		}
		at := row{strings.Join(pods, ", "), becomes(l)}
		if moments[at] == nil {
			order, moments[at] = append(order, at), make(map[whatif.Moment]string)
		}
		last := l.Lost[len(l.Lost)-1]
		way := map[whatif.Way]string{whatif.Deleted: "D", whatif.Evicted: "E"}[last.How]
		if !strings.Contains(moments[at][last.When], way) {
			moments[at][last.When] += way
		}
	}
	lines := []string{}
	for _, at := range order {
		line := at.pod
		for _, m := range []whatif.Moment{whatif.Pending, whatif.Running, whatif.Reporting} {
			letter := map[whatif.Moment]string{whatif.Pending: " p", whatif.Running: " r", whatif.Reporting: " x"}[m]
			switch how := moments[at][m]; how {
			case "":
			case "DE", "ED":
				line += letter
			default:
				line += letter + how
			}
		}
		lines = append(lines, line+": "+at.becomes)
	}
	return lines
}

func podName(l whatif.Lost) string {
	name := short(l.Name)
	if l.Agent {
		name = "agent of " + name
	}
	if l.Pod > 1 {
		name += fmt.Sprintf(" #%d", l.Pod)
	}
	return name
}

func short(name string) string { return strings.TrimPrefix(name, "wf.") }

func becomes(l *whatif.Loss) string {
	text := "no"
	if l.Survived() {
		text = "yes"
	}
	for _, r := range l.Retries {
		left := fmt.Sprintf("%d left", r.Left)
		if r.Left == whatif.NoLimit {
			left = "no limit"
		}
		text += fmt.Sprintf("; %s +%d, %s", short(r.Name), r.Attempts, left)
	}
	if l.Remade > 0 {
		text += "; made again"
	}
	for _, p := range []struct {
		what string
		list []whatif.Node
	}{{"fails", l.Failed}, {"omits", l.Omitted}, {"never starts", l.NeverStarted}} {
		var names []string
		for _, n := range p.list {
			if n.Name != "wf" {
				names = append(names, short(n.Name))
			}
		}
		if len(names) > 0 {
			text += "; " + p.what + " " + strings.Join(names, " ")
		}
	}
	for _, n := range l.FailedFast {
		text += "; " + short(n.Name) + " starts nothing more"
	}
	return text
}

// template returns the template with this name.
func template(spec *nodegraph.Spec, name string) *nodegraph.Template {
	for _, t := range spec.Templates {
		if t.Name == name {
			return t
		}
	}
	panic("no template " + name)
}

// What becomes of small workflows. "no" is a workflow that fails; "a +1, 0 left" is a Retry that made one more attempt
// and has no other left.
func TestLosses(t *testing.T) {
	cases := []struct {
		why, text string
		change    func(*nodegraph.Spec)
		agent     bool
		want      []string
	}{
		{"without a retry every loss counts but one that came before the pod ran", "dag(a -> b)", nil, false, []string{
			"a pE r x: no; fails a; omits b",
			"b pE r x: no; fails b",
			"a pD: yes; made again",
			"b pD: yes; made again",
		}},
		{"a retry makes another attempt", "dag(a: retry(1, pod) -> b: retry(pod))", nil, false, []string{
			"a(0) pE r x: yes; a +1, 0 left",
			"b(0) pE r x: yes; b +1, no limit",
			"a(0) pD: yes; a +0, 1 left; made again",
			"b(0) pD: yes; b +0, no limit; made again",
		}},
		{"a retry whose policy is OnFailure does not look at deleted pods",
			"dag(a: retry(2, pod))", func(s *nodegraph.Spec) {
				template(s, "a").Retry.Policy = retry.PolicyOnFailure
			}, false, []string{
				"a(0) rD xD: no; a +0, 1 left; fails a a(0)",
				"a(0) pE rE xE: yes; a +1, 1 left",
				"a(0) pD: yes; a +0, 2 left; made again",
			}},
		{"one whose policy is OnError does not look at evicted ones", "dag(a: retry(2, pod))", func(s *nodegraph.Spec) {
			template(s, "a").Retry.Policy = retry.PolicyOnError
		}, false, []string{
			"a(0) pE rE xE: no; a +0, 1 left; fails a a(0)",
			"a(0) rD xD: yes; a +1, 1 left",
			"a(0) pD: yes; a +0, 2 left; made again",
		}},
		{"a limit of 0 leaves nothing", "retry(0, pod)", nil, false, []string{
			"wf(0) pE r x: no; wf +0, 0 left; fails wf(0)",
			"wf(0) pD: yes; wf +0, 0 left; made again",
		}},
		{"disruptions that are ignored do not count against the limit", "dag(a: retry(0, pod))", func(s *nodegraph.Spec) {
			template(s, "a").Retry.IgnoreDisruptions = true
		}, false, []string{
			"a(0) pE r x: yes; a +1, 0 left",
			"a(0) pD: yes; a +0, 0 left; made again",
		}},
		{"a rule stops the retry of evicted pods", "dag(a: retry(2, pod))", func(s *nodegraph.Spec) {
			template(s, "a").Retry.Rules = []retry.FailureRule{{Action: retry.ActionStop, Reasons: []string{"Evicted"}}}
		}, false, []string{
			"a(0) pE rE xE: no; a +0, 1 left; fails a a(0)",
			"a(0) rD xD: yes; a +1, 1 left",
			"a(0) pD: yes; a +0, 2 left; made again",
		}},
		{"pods that were evicted before they ran are made again if the workflow says so",
			"dag(a)", func(s *nodegraph.Spec) {
				s.PodRestarts = 1
			}, false, []string{
				"a r x: no; fails a",
				"a p: yes; made again",
			}},
		{"a pod of a set that is lost after its containers have ended has failed; what comes after it is omitted",
			"dag(a: pod(c -> d) -> b: retry(1, pod(c, d)))", nil, false, []string{
				"a pE r x: no; fails a; omits b",
				"b(0) pE r x: yes; b +1, 0 left",
				"b(0) pD: yes; b +0, 1 left; made again",
				"a pD: yes; made again",
			}},
		{"a retry around a DAG runs all of it again",
			"dag(a: retry(1, dag(x -> y)) -> b: retry(0, pod))", nil, false, []string{
				"b(0) pE r x: no; b +0, 0 left; fails b b(0)",
				"a(0).x pE r x: yes; a +1, 0 left",
				"a(0).y pE r x: yes; a +1, 0 left",
				"b(0) pD: yes; b +0, 0 left; made again",
				"a(0).x pD: yes; a +0, 1 left; made again",
				"a(0).y pD: yes; a +0, 1 left; made again",
			}},
		{"a retry inside a retry", "retry(1, dag(a: retry(1, pod)))", nil, false, []string{
			"wf(0).a(0) pE r x: yes; wf +0, 1 left; wf(0).a +1, 0 left",
			"wf(0).a(0) pD: yes; wf +0, 1 left; wf(0).a +0, 1 left; made again",
		}},
		{"a task that may fail stops nobody",
			"dag(a continueOnFailed continueOnError -> b: retry(1, pod))", nil, false, []string{
				"a pE r x: yes; fails a",
				"b(0) pE r x: yes; b +1, 0 left",
				"b(0) pD: yes; b +0, 1 left; made again",
				"a pD: yes; made again",
			}},
		{"only failures are gone on after, and a deleted pod is an error",
			"dag(a continueOnFailed -> b: retry(1, pod))", nil, false, []string{
				"a rD xD: no; fails a; omits b",
				"a pE rE xE: yes; fails a",
				"b(0) pE r x: yes; b +1, 0 left",
				"b(0) pD: yes; b +0, 1 left; made again",
				"a pD: yes; made again",
			}},
		{"a task that depends on the failure of another runs",
			`dag(a, b: retry(1, pod) depends "a.Failed", c: retry(1, pod) depends "a || b")`, nil, false, []string{
				"a rD xD: no; fails a; omits c",
				"a pE rE xE: yes; fails a",
				"c(0) pE r x: yes; c +1, 0 left",
				"c(0) pD: yes; c +0, 1 left; made again",
				"a pD: yes; made again",
			}},
		{"a daemon is needed until it is ready", "dag(d: daemon -> a: retry(1, pod))", nil, false, []string{
			"d pE: no; fails d; omits a",
			"d r x: yes; fails d",
			"a(0) pE r x: yes; a +1, 0 left",
			"a(0) pD: yes; a +0, 1 left; made again",
			"d pD: yes; made again",
		}},
		{"a daemon under a retry", "dag(d: retry(1, daemon) -> a: retry(1, pod))", nil, false, []string{
			"d(0) pE r x: yes; d +1, 0 left",
			"a(0) pE r x: yes; a +1, 0 left",
			"d(0) pD: yes; d +0, 1 left; made again",
			"a(0) pD: yes; a +0, 1 left; made again",
		}},
		{"the exit handler runs anyhow, and its loss counts", "dag(a) exit pod", nil, false, []string{
			"a pE r x: no; fails a",
			"onExit pE r x: no; fails onExit",
			"a pD: yes; made again",
			"onExit pD: yes; made again",
		}},
		{"the exit hook of a task runs anyhow, too", "dag(a exit pod -> b: retry(1, pod))", nil, false, []string{
			"a pE r x: no; fails a; omits b",
			"a.onExit pE r x: yes; fails a.onExit",
			"b(0) pE r x: yes; b +1, 0 left",
			"b(0) pD: yes; b +0, 1 left; made again",
			"a pD: yes; made again",
			"a.onExit pD: yes; made again",
		}},
		{"without failFast branches go on",
			"dag({a: retry(0, pod), c: retry(1, pod)} -> b: retry(1, pod))", func(s *nodegraph.Spec) {
				template(s, "main").NoFailFast = true
			}, false, []string{
				"a(0) pE r x: no; a +0, 0 left; fails a a(0); omits b",
				"c(0) pE r x: yes; c +1, 0 left",
				"b(0) pE r x: yes; b +1, 0 left",
				"a(0) pD: yes; a +0, 0 left; made again",
				"c(0) pD: yes; c +0, 1 left; made again",
				"b(0) pD: yes; b +0, 1 left; made again",
			}},
		{"a template that fails fast starts nothing more",
			"dag(a: retry(0, pod), c: retry(1, pod) -> d: retry(1, pod))", func(s *nodegraph.Spec) {
				template(s, "main").FailFast = true
			}, false, []string{
				"c(0) pE r x: no; c +0, 0 left; fails c c(0); omits d; wf starts nothing more",
				"a(0) pE r x: no; a +0, 0 left; fails a a(0); wf starts nothing more",
				"d(0) pE r x: no; d +0, 0 left; fails d d(0); wf starts nothing more",
				"a(0) pD: yes; a +0, 0 left; made again",
				"c(0) pD: yes; c +0, 1 left; made again",
				"d(0) pD: yes; d +0, 1 left; made again",
			}},
		{"one at a time: what failed makes room",
			"dag(a continueOnError continueOnFailed, b: retry(1, pod))", func(s *nodegraph.Spec) {
				s.Parallelism = 1
			}, false, []string{
				"a pE r x: yes; fails a",
				"b(0) pE r x: yes; b +1, 0 left",
				"b(0) pD: yes; b +0, 1 left; made again",
				"a pD: yes; made again",
			}},
		{"a lock is handed on by what failed, and kept by what is retried",
			"dag(a: mutex(m, pod) continueOnError continueOnFailed, b: mutex(m, retry(1, pod)))", nil, false, []string{
				"a pE r x: yes; fails a",
				"b(0) pE r x: yes; b +1, 0 left",
				"b(0) pD: yes; b +0, 1 left; made again",
				"a pD: yes; made again",
			}},
		{"groups after one that failed never start", "steps(a: retry(1, pod), b | c)", nil, false, []string{
			"wf[0].b pE r x: no; fails wf[0] wf[0].b; never starts wf[1]",
			"wf[1].c pE r x: no; fails wf[1] wf[1].c",
			"wf[0].a(0) pE r x: yes; wf[0].a +1, 0 left",
			"wf[0].a(0) pD: yes; wf[0].a +0, 1 left; made again",
			"wf[0].b pD: yes; made again",
			"wf[1].c pD: yes; made again",
		}},
		{"suspensions end, by people or by time",
			"dag(s: suspend -> t: suspend(1h) -> a: retry(1, pod))", nil, false, []string{
				"a(0) pE r x: yes; a +1, 0 left",
				"a(0) pD: yes; a +0, 1 left; made again",
			}},
		{"retries that wait", "retry(2, pod)", func(s *nodegraph.Spec) {
			template(s, "main").Retry.Backoff = &retry.Backoff{Duration: time.Hour, Factor: 2}
		}, false, []string{
			"wf(0) pE r x: yes; wf +1, 1 left",
			"wf(0) pD: yes; wf +0, 2 left; made again",
		}},
		{"the workflow's deadline ends a retry that waits for longer", "retry(2, pod)", func(s *nodegraph.Spec) {
			template(s, "main").Retry.Backoff = &retry.Backoff{Duration: time.Hour}
			s.ActiveDeadline = time.Minute
		}, false, []string{
			"wf(0) rD xD: no; wf +0, 1 left; fails wf(0)",
			"wf(0) pE rE xE: yes; wf +1, 1 left", // nobody knows when it ended, and nothing is waited for
			"wf(0) pD: yes; wf +0, 2 left; made again",
		}},
		{"the agent is a pod, and is lost with all that it serves",
			"dag(h: http, p: retry(1, plugin))", nil, true, []string{
				"agent of p(0) p r: no; p +1, 0 left; fails h",
				"agent of h p r x: no; fails h",
				"agent of p(0) x: yes; p +1, 0 left",
			}},
		{"nothing to lose", "dag(s: suspend)", nil, false, []string{}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			if c.change == nil {
				c.change = func(*nodegraph.Spec) {}
			}
			spec := drawn(t, c.text, c.change)
			r := ran(t, whatif.Input{Spec: spec})
			if diff := cmp.Diff(c.want, rows(r.Losses)); diff != "" {
				t.Errorf("losses of %s (-want +got):\n%s", c.text, diff)
			}
			if !c.agent { // what is lost with it depends on the order in which it serves
				compare(t, spec)
			}
		})
	}
}

// played is the snapshot of the drawn workflow after these events, each told a minute after the one before.
func played(t *testing.T, spec *nodegraph.Spec, events ...propagate.Event) nodegraph.Snapshot {
	t.Helper()
	e, err := propagate.New(spec)
	require.NoError(t, err)
	now := start
	_, err = e.Apply(now)
	require.NoError(t, err)
	for _, ev := range events {
		now = now.Add(time.Minute)
		_, err = e.Apply(now, ev)
		require.NoError(t, err, "%s", ev)
	}
	return e.Snapshot()
}

// Of a workflow under way only what is still to come can be lost, and the attempts that were made are gone.
func TestUnderWay(t *testing.T) {
	cases := []struct {
		why, text string
		events    []propagate.Event
		pods      int
		verdict   string
		want      []string
	}{
		{"a has ended, b runs", "dag(a -> b: retry(1, pod) -> c: retry(1, pod))",
			[]propagate.Event{propagate.PodSucceeded("wf.a"), propagate.PodRunning("wf.b(0)")}, 2,
			"survives the loss of any one pod: yes, because it succeeds after each of 10 losses: 9 retried, 1 with the pod made again",
			[]string{"b(0) r x: yes; b +1, 0 left", "c(0) pE r x: yes; c +1, 0 left", "c(0) pD: yes; c +0, 1 left; made again"}},
		{"the only further attempt was made", "retry(1, pod)",
			[]propagate.Event{propagate.PodRunning("wf(0)"), propagate.PodDeleted("wf(0)"), propagate.PodRunning("wf(1)")}, 1,
			`survives the loss of any one pod: no, because it ends as Error "No more retries left" with wf(1) deleted while running; 4 of 4 losses make it fail`,
			[]string{"wf(1) r x: no; wf +0, 0 left; fails wf(1)"}},
		{"a pod that is recorded as pending can be made again", "dag(a: retry(1, pod))",
			[]propagate.Event{propagate.PodPending("wf.a(0)", "ContainerCreating")}, 1,
			"survives the loss of any one pod: yes, because it succeeds after each of 6 losses: 5 retried, 1 with the pod made again",
			[]string{"a(0) pE r x: yes; a +1, 0 left", "a(0) pD: yes; a +0, 1 left; made again"}},
		{"what waits for a lock gets it from the pod that is lost",
			"dag({a: mutex(m, retry(1, pod)), b: mutex(m, retry(1, pod))})",
			[]propagate.Event{propagate.LockGranted("wf.a"), propagate.LockQueued("wf.b", "default/Mutex/m", "Waiting"), propagate.PodRunning("wf.a(0)")}, 2,
			"survives the loss of any one pod: yes, because it succeeds after each of 10 losses: 9 retried, 1 with the pod made again",
			[]string{"a(0) r x: yes; a +1, 0 left", "b(0) pE r x: yes; b +1, 0 left", "b(0) pD: yes; b +0, 1 left; made again"}},
		{"a container set of which one has ended", "dag(a: pod(c -> d))",
			[]propagate.Event{propagate.PodRunning("wf.a"), propagate.ContainerEnded("wf.a", "c", 0, "")}, 1,
			"survives the loss of any one pod: no, because it ends as Error with wf.a deleted while running; 4 of 4 losses make it fail",
			[]string{"a r x: no; fails a"}},
		{"a ready daemon",
			"dag(d: daemon -> a: retry(1, pod))", []propagate.Event{propagate.PodRunning("wf.d"), propagate.PodRunning("wf.a(0)")}, 2,
			"survives the loss of any one pod: yes, because it succeeds after each of 8 losses: 4 retried, 4 although nodes fail or never run",
			[]string{"d r x: yes; fails d", "a(0) r x: yes; a +1, 0 left"}},
		{"it failed", "pod", []propagate.Event{propagate.PodFailed("wf", "exit code 1")}, 0,
			`survives the loss of any one pod: no, because it is complete: Failed "exit code 1"`, []string{}},
		{"it succeeded", "pod", []propagate.Event{propagate.PodSucceeded("wf")}, 0,
			"survives the loss of any one pod: yes, because it is complete: Succeeded", []string{}},
		{"it was stopped", "dag(a -> b)", []propagate.Event{propagate.PodRunning("wf.a"), propagate.Shutdown("Stop")}, 0,
			`survives the loss of any one pod: no, because it is complete: Failed "Stopped with strategy 'Stop'"`, []string{}},
		{"it is suspended as a whole",
			"dag(a: retry(1, pod))", []propagate.Event{propagate.Suspended(true), propagate.PodRunning("wf.a(0)")}, 1,
			"survives the loss of any one pod: yes, because it succeeds after each of 4 losses: 4 retried",
			[]string{"a(0) r x: yes; a +1, 0 left"}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			spec := drawn(t, c.text)
			r := ran(t, whatif.Input{Spec: spec, Snapshot: played(t, spec, c.events...)})
			if diff := cmp.Diff(c.want, rows(r.Losses)); diff != "" {
				t.Errorf("losses of %s (-want +got):\n%s", c.text, diff)
			}
			assert.Equal(t, c.pods, r.Pods, "pods from now on")
			assert.Equal(t, c.verdict, r.Verdict.String())
		})
	}
}

// Two losses in one run: the second may hit the attempt, or the pod, that was made because of the first.
func TestAnyTwo(t *testing.T) {
	r := ran(t, whatif.Input{Spec: drawn(t, "retry(1, pod)"), Any: 2})
	assert.Equal(t, []string{
		"wf(0), wf(1) pE r x: no; wf +1, 0 left; fails wf(1)",
		"wf(0), wf(0) #2 pE r x: yes; wf +1, 0 left; made again",
		"wf(0), wf(1) pD: yes; wf +1, 0 left; made again",
		"wf(0) pE r x: yes; wf +1, 0 left",
		"wf(0), wf(0) #2 pD: yes; wf +0, 1 left; made again",
		"wf(0) pD: yes; wf +0, 1 left; made again",
	}, rows(r.Losses))
	assert.Equal(t, `survives the loss of any two pods: no, because it survives any one, but it ends as Failed "No more retries left" `+
		"with wf(0) evicted while pending and then wf(1) evicted while pending; 25 of 42 losses make it fail", r.Verdict.String())

	r = ran(t, whatif.Input{Spec: drawn(t, "dag(a: retry(2, pod) -> b: retry(2, pod))"), Any: 2})
	assert.True(t, r.Verdict.Survives, "two retries bear two losses: %s", r.Verdict)

	// A first loss that ends the workflow is followed by no second.
	r = ran(t, whatif.Input{Spec: drawn(t, "pod"), Any: 2})
	assert.Equal(t, []string{
		"wf, wf #2 pE r x: no; made again",
		"wf pE r x: no",
		"wf, wf #2 pD: yes; made again",
		"wf pD: yes; made again",
	}, rows(r.Losses))
}

// Pairs are single losses of a workflow that has had one: replayed from what the first has left, each pair ends as the
// brute force of the test says of its second loss.
func TestPairsOfIndependentTasks(t *testing.T) {
	r := ran(t, whatif.Input{Spec: drawn(t, "dag(a: retry(1, pod), b: retry(1, pod))"), Any: 2})
	pairs := 0
	for _, l := range r.Losses {
		if len(l.Lost) < 2 {
			continue
		}
		pairs++
		one, two := l.Lost[0], l.Lost[1]
		costs := func(p whatif.Lost) bool { return p.When != whatif.Pending || p.How == whatif.Evicted } // an attempt
		dead := one.Name[:4] == two.Name[:4] && costs(one) && costs(two)
		assert.Equal(t, !dead, l.Survived(), "%s, then %s: each task bears one loss that costs an attempt", one, two)
	}
	assert.Equal(t, r.Simulations-1-12, pairs, "the undisturbed run and twelve single losses come besides")
}

// Conditions and loops that only the host knows are answered, and the answers listed.
func TestAnswers(t *testing.T) {
	const text = `dag(a over "{{list}}" when "{{x}} == 1" -> b when "{{y}} == 1")`
	r := ran(t, whatif.Input{Spec: drawn(t, text)})
	assert.Equal(t, []whatif.Assumption{
		{Node: "wf.a", Text: "{{list}}", Items: 1},
		{Node: "wf.a(0:item)", Text: "{{x}} == 1", Items: -1, Holds: true},
		{Node: "wf.b", Text: "{{y}} == 1", Items: -1, Holds: true},
	}, r.Assumed)
	assert.Equal(t, 2, r.Pods)

	r = ran(t, whatif.Input{
		Spec: drawn(t, text), Conditions: map[string]bool{"wf.b": false},
		Items: map[string][]nodegraph.Item{"wf.a": {{Text: "x"}, {Text: "y"}, {Text: "z"}}},
	})
	assert.Equal(t, 3, r.Pods, "three items, and b is skipped")
	assert.Contains(t, r.Assumed, whatif.Assumption{Node: "wf.a", Text: "{{list}}", Items: 3, Stated: true})
	assert.Contains(t, r.Assumed, whatif.Assumption{Node: "wf.b", Text: "{{y}} == 1", Items: -1, Stated: true})

	r = ran(t, whatif.Input{Spec: drawn(t, text), Items: map[string][]nodegraph.Item{"wf.a": nil}})
	assert.Equal(t, 1, r.Pods, "no item: only b runs")
}

// Two DAGs that take two locks in different orders do so one after the other, as under Argo's controller.
func TestCrossedLocks(t *testing.T) {
	spec := drawn(t, "dag(p: mutex(m, dag(x: mutex(n, pod))), q: mutex(n, dag(y: mutex(m, pod))))")
	r, err := whatif.Run(whatif.Input{Spec: spec})
	require.NoError(t, err)
	assert.Equal(t, "Succeeded", r.Undisturbed.String())
}

// A workflow that comes to no good end undisturbed survives nothing.
func TestUndisturbedIsBad(t *testing.T) {
	cases := []struct {
		why, text string
		change    func(*nodegraph.Spec)
		losses    bool
		because   string
	}{
		{"it waits for a lock that it holds itself", "mutex(m, dag(a: mutex(m, pod)))", nil, false,
			"it does not succeed even undisturbed: never ends, waits for wf.a: lock for ever, since wf, which it is inside of, holds default/Mutex/m"},
		{"daemons use up parallelism", "steps(d: daemon | a)", func(s *nodegraph.Spec) { s.Parallelism = 1 }, false,
			"it does not succeed even undisturbed: never ends, waits for wf[1].a: parallelism for ever, since parallelism 1 is used up by what ends later: wf[0].d"},
		{"it retries for ever what can't succeed", "dag(a -> b: retry(dag(x -> c)))", func(s *nodegraph.Spec) {
			s.Templates = append(s.Templates, &nodegraph.Template{Name: "bad", Kind: nodegraph.KindPod, Err: "no image"})
			template(s, "b").Tasks[1].Template = "bad"
		}, false, "it does not succeed even undisturbed: never ends, waits for wf.b: an attempt that succeeds"},
		{"a task can't run", "dag(a, b)", func(s *nodegraph.Spec) {
			s.Templates = append(s.Templates, &nodegraph.Template{Name: "bad", Kind: nodegraph.KindPod, Err: "no image"})
			template(s, "main").Tasks[1].Template = "bad"
		}, true, "it does not succeed even undisturbed: Error"},
		{"its deadline comes before the suspension is over", "dag(s: suspend(1h) -> a)", func(s *nodegraph.Spec) {
			s.ActiveDeadline = time.Minute
		}, false, "it does not succeed even undisturbed: Failed"},
	}
	for _, c := range cases {
		if c.change == nil {
			c.change = func(*nodegraph.Spec) {}
		}
		r := ran(t, whatif.Input{Spec: drawn(t, c.text, c.change)})
		assert.False(t, r.Verdict.Survives, c.why)
		assert.Equal(t, c.because, r.Verdict.Because, c.why)
		assert.Equal(t, c.losses, len(r.Losses) > 0, "%s: are losses tried?", c.why)
	}
}

// What fails undisturbed is nobody's loss.
func TestOnlyDifferencesAreListed(t *testing.T) {
	spec := drawn(t, "dag(a continueOnError, b continueOnError continueOnFailed, c: retry(1, pod))", func(s *nodegraph.Spec) {
		s.Templates = append(s.Templates, &nodegraph.Template{Name: "bad", Kind: nodegraph.KindPod, Err: "no image"})
		template(s, "main").Tasks[0].Template = "bad"
	})
	r := ran(t, whatif.Input{Spec: spec})
	require.True(t, r.Undisturbed.Survived(), "a may fail: %s", r.Undisturbed)
	assert.Equal(t, []string{
		"b pE r x: yes; fails b", "c(0) pE r x: yes; c +1, 0 left", "c(0) pD: yes; c +0, 1 left; made again", "b pD: yes; made again",
	}, rows(r.Losses))
}

// More simulations than the caller allows are refused before they are made, and the error says how many it takes.
func TestTooManySimulations(t *testing.T) {
	spec := drawn(t, "dag(a: retry(1, pod) -> b: retry(1, pod))")
	made := 0
	progress := func(int, int) { made++ }
	_, err := whatif.Run(whatif.Input{Spec: spec, MaxSimulations: 12, Progress: progress})
	var limit *whatif.LimitError
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, whatif.LimitError{Max: 12, Needed: 13, Any: 1}, *limit)
	assert.EqualError(t, err, "whatif: losses of one pod need 13 simulations, more than the limit of 12")
	assert.Zero(t, made, "simulations made in vain")

	_, err = whatif.Run(whatif.Input{Spec: spec, Any: 2, MaxSimulations: 13, Progress: progress})
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, 2, limit.Any)
	assert.Equal(t, 12, made, "the single losses, from which follows how many pairs there are")
	needed := limit.Needed
	r := ran(t, whatif.Input{Spec: spec, Any: 2, MaxSimulations: needed})
	assert.Equal(t, needed, r.Simulations, "what the error says is what it takes")
}

// Progress is told after every simulation, and comes to its end.
func TestProgress(t *testing.T) {
	for _, lose := range []int{1, 2} {
		var told [][2]int
		progress := func(done, total int) { told = append(told, [2]int{done, total}) }
		spec := drawn(t, "dag(d: daemon -> a: retry(1, pod(c -> e)))")
		r := ran(t, whatif.Input{Spec: spec, Any: lose, Progress: progress})
		for k, p := range told {
			assert.Equal(t, k+2, p[0], "done, any %d", lose)
			assert.LessOrEqual(t, p[0], p[1], "done of all, any %d", lose)
		}
		assert.Equal(t, [2]int{r.Simulations, r.Simulations}, told[len(told)-1], "at the end, any %d", lose)
	}
}

// What can't be used is refused with an error that says what.
func TestBadInput(t *testing.T) {
	var wrongAny *whatif.AnyError
	for _, lose := range []int{-1, 3} {
		_, err := whatif.Run(whatif.Input{Spec: drawn(t, "pod"), Any: lose})
		require.ErrorAs(t, err, &wrongAny, "any %d", lose)
		assert.EqualError(t, err, fmt.Sprintf("whatif: any: %d: want 1 or 2", lose))
	}
	_, err := whatif.Run(whatif.Input{Spec: drawn(t, "dag(a -> b -> a)")})
	var cycle *nodegraph.CycleError
	assert.ErrorAs(t, err, &cycle, "tasks in a circle")
	_, err = whatif.Run(whatif.Input{Spec: drawn(t, "dag(a -> b -> a)"), Snapshot: nodegraph.Snapshot{Phase: nodegraph.PhaseRunning}})
	assert.ErrorAs(t, err, &cycle, "the same, of a workflow under way")
	_, err = whatif.Run(whatif.Input{
		Spec: drawn(t, `dag(a over "{{list}}")`), Items: map[string][]nodegraph.Item{"wf.a": {{Text: "x"}, {Text: "y"}}},
		Limits: nodegraph.Limits{Items: 1},
	})
	var limit *nodegraph.LimitError
	assert.ErrorAs(t, err, &limit, "more items than the limits allow")
}

// Losses are ordered by damage, what counts most first.
func TestCompare(t *testing.T) {
	good := whatif.Outcome{Phase: nodegraph.PhaseSucceeded}
	lost := make([]whatif.Lost, 2)
	order := []struct {
		why  string
		loss whatif.Loss
	}{
		{"never ends",
			whatif.Loss{Lost: lost[:1], Outcome: whatif.Outcome{Phase: nodegraph.PhaseRunning, Waits: []string{"wf.a: pod"}}}},
		{"fails, with two nodes",
			whatif.Loss{Lost: lost[:1], Outcome: whatif.Outcome{Phase: nodegraph.PhaseError}, Omitted: make([]whatif.Node, 2)}},
		{"fails, with one node",
			whatif.Loss{Lost: lost[:1], Outcome: whatif.Outcome{Phase: nodegraph.PhaseFailed}, Failed: make([]whatif.Node, 1)}},
		{"three nodes are lost to it", whatif.Loss{Lost: lost[:1], Outcome: good, NeverStarted: make([]whatif.Node, 3)}},
		{"two more attempts", whatif.Loss{Lost: lost[:1], Outcome: good, Retries: []whatif.Retry{{Attempts: 2, Left: 9}}}},
		{"one more attempt, none left",
			whatif.Loss{Lost: lost[:1], Outcome: good, Retries: []whatif.Retry{{Attempts: 1, Left: 0}}}},
		{"one more attempt, one left",
			whatif.Loss{Lost: lost[:1], Outcome: good, Retries: []whatif.Retry{{Attempts: 1, Left: 1}}}},
		{"one more attempt, no limit",
			whatif.Loss{Lost: lost[:1], Outcome: good, Retries: []whatif.Retry{{Attempts: 1, Left: whatif.NoLimit}}}},
		{"made again", whatif.Loss{Lost: lost[:1], Outcome: good, Remade: 1}},
		{"nothing comes of it", whatif.Loss{Lost: lost[:1], Outcome: good}},
		{"nothing comes of two", whatif.Loss{Lost: lost, Outcome: good}},
	}
	for a := range order {
		for b := range order {
			got := whatif.Compare(order[a].loss, order[b].loss)
			assert.Equal(t, a < b, got < 0, "%s before %s", order[a].why, order[b].why)
			assert.Equal(t, a == b, got == 0, "%s the same as %s", order[a].why, order[b].why)
		}
	}
}

// Whoever stops the search gets what is known by then, and no promise.
func TestStop(t *testing.T) {
	spec, err := nodegraph.Parse("wf: dag(a: retry(2, pod) -> b: retry(2, pod))")
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Retry != nil {
			template.Retry.Policy = retry.PolicyAlways
		}
	}
	all, err := whatif.Run(whatif.Input{Spec: spec})
	require.NoError(t, err)
	require.True(t, all.Verdict.Survives)
	calls := 0
	some, err := whatif.Run(whatif.Input{Spec: spec, Stop: func() bool { calls++; return calls == 3 }})
	require.NoError(t, err)
	assert.True(t, some.Partial)
	assert.Len(t, some.Losses, 3)
	assert.False(t, some.Verdict.Survives)
	assert.Contains(t, some.Verdict.Because, "the search was stopped after 3 losses")
	assert.False(t, all.Partial)
}

// By the rules of Argo's controller some workflows never end: with these losses, or undisturbed.
func TestAsArgo(t *testing.T) {
	for _, c := range []struct {
		text, waits string // what it waits for; empty if it ends
		how         []whatif.Way
		undisturbed bool // waits for it without a loss, too
		daemon      bool // the pod with containers is a daemon
	}{
		{text: "wf: dag(a: pod(x))", waits: "the containers of wf.a, which Argo leaves open (deviation 2)", how: []whatif.Way{whatif.Evicted}},
		{text: "wf: pod(x)"},
		{text: "wf: dag(a)"},
		{text: "wf: steps(a: pod(x))"},
		{text: "wf: dag(d: pod(x) -> a)", daemon: true, waits: "the containers of the daemon wf.d, which Argo leaves open (deviation 22)", undisturbed: true},
		{text: "wf: dag(d: daemon -> a)"},
	} {
		spec, err := nodegraph.Parse(c.text)
		require.NoError(t, err, c.text)
		for _, t := range spec.Templates {
			t.Daemon = t.Daemon || c.daemon && len(t.Containers) > 0
		}
		r, err := whatif.Run(whatif.Input{Spec: spec, AsArgo: true})
		require.NoError(t, err, c.text)
		if c.undisturbed {
			assert.Equal(t, []string{c.waits}, r.Undisturbed.Waits, c.text)
			continue
		}
		assert.Empty(t, r.Undisturbed.Waits, c.text)
		never := 0
		for _, l := range r.Losses {
			if len(l.Waits) > 0 {
				never++
				assert.Equal(t, []string{c.waits}, l.Waits, c.text)
				assert.Contains(t, c.how, l.Lost[0].How, c.text)
			}
		}
		assert.Equal(t, c.waits != "", never > 0, c.text)
	}
}

// A DAG that fails fast leaves a Retry open in Argo, and a DAG around it waits for that.
func TestAsArgoFailsFast(t *testing.T) {
	recording := read(t, recordings+"wide/failfast-retry-open.json.gz")
	spec, err := recording.Spec()
	require.NoError(t, err)
	for _, argo := range []bool{false, true} {
		r, err := whatif.Run(whatif.Input{Spec: spec, Start: start, AsArgo: argo})
		require.NoError(t, err)
		waits := 0
		for _, l := range r.Losses {
			if slices.ContainsFunc(l.Waits, func(w string) bool { return strings.Contains(w, "(deviation 14)") }) {
				waits++
			}
		}
		assert.Equal(t, argo, waits > 0, "losses after which it never ends: %d of %d", waits, len(r.Losses))
	}
}

// A condition about the status of an earlier task is evaluated, before the loss and after it: nothing is assumed of it.
func TestConditionsThatAreKnown(t *testing.T) {
	spec, err := nodegraph.Parse(`wf: dag(a continueOnFailed, ok depends "a.Succeeded || a.Failed || a.Errored" when "{{tasks.a.status}} == Succeeded")`)
	require.NoError(t, err)
	r, err := whatif.Run(whatif.Input{Spec: spec})
	require.NoError(t, err)
	assert.Empty(t, r.Assumed)
	assert.Equal(t, 2, r.Pods)
	skipped := 0
	for _, l := range r.Losses {
		for _, n := range l.Omitted {
			if n.Name == "wf.ok" {
				skipped++
			}
		}
	}
	assert.Positive(t, skipped, "it is skipped where a was lost")
}
