package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// wideMaker draws small specifications in which constructs cross. Each seed has a few favourites, which it uses often, so
// that two constructs meet in a specification of few nodes.
type wideMaker struct {
	*rand.Rand
	spec   *nodegraph.Spec
	next   int
	often  map[string]bool // favourites
	inside int             // composites around the template that is being made
	// handlers is how many hooks the template that is being made is inside of.
	handlers int
}

// wideFeatures are what a seed may favour.
var wideFeatures = []string{
	"lock", "retry", "hook", "exit", "daemon", "loop", "set", "timeout", "pending", "deadline", "suspend", "memoize", "parallelism",
	"failfast", "continue", "when", "depends", "target", "served", "restarts", "inline", "broken", "onexit", "wfhook", "wflock",
	"shared", "steps", "composite",
}

// wideSpec draws the specification of one of several workflows that share locks.
func wideSpec(r *rand.Rand, name string) *nodegraph.Spec {
	m := &wideMaker{Rand: r, often: make(map[string]bool), spec: &nodegraph.Spec{Name: name, Namespace: "default", AnyNames: true, TimeoutsByHost: true}}
	for range 2 + m.IntN(4) {
		m.often[wideFeatures[m.IntN(len(wideFeatures))]] = true
	}
	m.spec.Entrypoint = m.template(1 + m.IntN(2)).Name
	m.workflowSettings()
	for k, t := range m.spec.Templates {
		if t.Kind != nodegraph.KindPod {
			t.Daemon = k%2 == 0 // which means nothing there
		}
	}
	return m.spec
}

// workflowSettings draws what the workflow has as a whole.
func (m *wideMaker) workflowSettings() {
	s := m.spec
	if m.likes("onexit", 6) {
		s.OnExit = m.handler().Name
	}
	if m.likes("parallelism", 10) {
		s.Parallelism = 1 + m.IntN(2)
	}
	if m.likes("wflock", 12) {
		s.Locks = m.locks()
	}
	if m.likes("deadline", 12) {
		s.ActiveDeadline = time.Duration(10+10*m.IntN(4)) * time.Second
	}
	if m.likes("restarts", 12) {
		s.PodRestarts = 1 + m.IntN(2)
	}
	if m.likes("wfhook", 12) {
		s.Hooks = []nodegraph.Hook{{Name: "w", Template: m.handler().Name, Expression: m.statusTest("workflow.status")}}
	}
	s.Suspended = m.IntN(40) == 0
	if m.IntN(20) == 0 {
		d := []time.Duration{0, 10 * time.Second, time.Hour}
		s.TTL = nodegraph.TTL{Completion: &d[m.IntN(3)], Success: &d[m.IntN(3)], Failure: &d[m.IntN(3)]}
	}
}

// likes is true once in n times, and every other time for a favourite.
func (m *wideMaker) likes(feature string, n int) bool {
	if m.often[feature] {
		n = 2
	}
	return m.IntN(n) == 0
}

func (m *wideMaker) name(prefix string) string {
	m.next++
	return fmt.Sprintf("%s%d", prefix, m.next)
}

// template draws a template with up to depth composites inside one another, and adds it to the specification.
func (m *wideMaker) template(depth int) *nodegraph.Template {
	if n := len(m.spec.Templates); n > 0 && m.likes("shared", 10) {
		return m.spec.Templates[m.IntN(n)]
	}
	t := m.unnamed(depth)
	t.Name = m.name("t")
	if t.Err != "" {
		t.Err = missing(t.Name)
	}
	m.spec.Templates = append(m.spec.Templates, t)
	return t
}

// missing is what Argo says of a template that has nothing to run.
func missing(name string) string { return fmt.Sprintf("Template '%s' missing specification", name) }

// unnamed draws a template that was not added to the specification.
func (m *wideMaker) unnamed(depth int) *nodegraph.Template {
	t := &nodegraph.Template{}
	switch {
	case depth == 0 || len(m.spec.Templates) > mostTemplates || m.inside > 0 && m.IntN(2) == 0 && !m.often["composite"]:
		m.leaf(t)
	case m.likes("steps", 3):
		m.inside++
		m.steps(t, depth)
		m.inside--
	default:
		m.inside++
		m.dag(t, depth)
		m.inside--
	}
	m.settings(t)
	return t
}

func (m *wideMaker) steps(t *nodegraph.Template, depth int) {
	t.Kind = nodegraph.KindSteps
	var names []string
	for range 1 + m.IntN(3) {
		var group []nodegraph.Task
		for range 1 + m.IntN(2) {
			names = append(names, m.name("s"))
			group = append(group, m.task(depth-1, "steps", names))
		}
		t.Steps = append(t.Steps, group)
	}
	t.FailFast = m.likes("failfast", 12)
}

func (m *wideMaker) dag(t *nodegraph.Template, depth int) {
	t.Kind = nodegraph.KindDAG
	var names []string
	for range 1 + m.IntN(3) {
		earlier := slices.Clone(names)
		names = append(names, m.name("a"))
		task := m.task(depth-1, "tasks", names)
		m.order(&task, earlier)
		t.Tasks = append(t.Tasks, task)
	}
	if m.IntN(5) == 0 {
		m.Shuffle(len(t.Tasks), func(i, j int) { t.Tasks[i], t.Tasks[j] = t.Tasks[j], t.Tasks[i] })
	}
	t.NoFailFast = m.likes("failfast", 4)
	t.FailFast = m.likes("failfast", 12)
	if m.likes("target", 10) {
		t.Targets = []string{names[m.IntN(len(names))]}
	}
}

// order makes the task come after some of the earlier ones.
func (m *wideMaker) order(task *nodegraph.Task, earlier []string) {
	if len(earlier) == 0 || m.IntN(3) == 0 {
		return
	}
	some := func() string { return earlier[m.IntN(len(earlier))] }
	if !m.likes("depends", 3) {
		task.Dependencies = []string{some()}
		return
	}
	results := []string{"", ".Succeeded", ".Failed", ".Errored", ".Skipped", ".Omitted", ".Daemoned", ".AnySucceeded", ".AllFailed"}
	literal := func() string { return []string{"", "", "!"}[m.IntN(3)] + some() + results[m.IntN(len(results))] }
	task.Depends = literal()
	if m.IntN(3) == 0 {
		task.Depends += []string{" && ", " || "}[m.IntN(2)] + literal()
	}
}

// task draws a task or step with the last of names, whose hooks and conditions may name the others.
func (m *wideMaker) task(depth int, group string, names []string) nodegraph.Task {
	task := nodegraph.Task{Name: names[len(names)-1]}
	if m.likes("inline", 15) {
		task.Inline = m.unnamed(depth)
		task.Inline.Name = task.Name
		if task.Inline.Err != "" {
			task.Inline.Err = missing(task.Name)
		}
	} else {
		task.Template = m.template(depth).Name
	}
	other := names[m.IntN(len(names))]
	if m.likes("when", 8) {
		conditions := []string{"1 == 2", "1 == 2", "a == a", "x ==", "{{" + group + "." + other + ".status}} == Succeeded", "{{inputs.parameters.x}} == 1"}
		task.When = conditions[m.IntN(len(conditions))]
	}
	if m.likes("loop", 8) {
		task.Loop = m.loop()
	}
	if m.likes("continue", 8) {
		task.ContinueOn = nodegraph.ContinueOn{Failed: m.IntN(2) == 0, Error: m.IntN(2) == 0}
	}
	task.Hooks = m.hooks(group, names)
	return task
}

func (m *wideMaker) loop() *nodegraph.Loop {
	if m.IntN(4) == 0 {
		return &nodegraph.Loop{Unresolved: "{{inputs.parameters.list}}"}
	}
	items := []nodegraph.Item{{Text: "i"}, {Text: "j"}}
	if m.IntN(6) == 0 {
		items[0] = nodegraph.Item{Text: "k:v", Fields: map[string]string{"k": "v"}}
	}
	return &nodegraph.Loop{Items: items[:[]int{0, 1, 1, 2, 2}[m.IntN(5)]]}
}

// hooks draws the hooks of a task or step, in the order of their names as a reader of the object finds them.
func (m *wideMaker) hooks(group string, names []string) []nodegraph.Hook {
	var hooks []nodegraph.Hook
	if m.handlers > 1 || len(m.spec.Templates) > mostTemplates {
		return nil
	}
	status := func() string {
		if m.IntN(3) == 0 {
			return "workflow.status"
		}
		name := names[len(names)-1]
		if m.IntN(3) == 0 {
			name = names[m.IntN(len(names))]
		}
		if m.IntN(30) == 0 {
			name = "nobody"
		}
		return fmt.Sprintf("%s[%q].status", group, name)
	}
	if m.likes("exit", 8) {
		h := nodegraph.Hook{Name: nodegraph.ExitHook, Template: m.handler().Name}
		if m.IntN(3) == 0 {
			h.Expression = m.statusTest(status())
		}
		hooks = append(hooks, h)
	}
	if m.likes("hook", 8) {
		hooks = append(hooks, nodegraph.Hook{Name: "h", Template: m.handler().Name, Expression: m.statusTest(status())})
		if m.IntN(4) == 0 {
			hooks = append(hooks, nodegraph.Hook{Name: "i", Template: m.handler().Name, Expression: m.statusTest(status())})
		}
	}
	return hooks
}

// statusTest compares a status with a phase.
func (m *wideMaker) statusTest(status string) string {
	phases := []string{"Running", "Running", "Succeeded", "Failed", "Error", "Skipped", "Omitted", "Pending"}
	if strings.HasPrefix(status, "workflow") {
		phases = []string{"Running", "Running", "Succeeded", "Failed", "Error", "Pending"}
	}
	return fmt.Sprintf("%s == %q", status, phases[m.IntN(len(phases))])
}

// mostTemplates is how many templates a specification has before it gets no further hooks: small ones find more.
const mostTemplates = 10

// handler draws the template of a hook or exit handler: a leaf, or a composite of leaves.
func (m *wideMaker) handler() *nodegraph.Template {
	m.handlers++
	defer func() { m.handlers-- }()
	if m.handlers == 1 && m.likes("composite", 5) {
		return m.template(1)
	}
	return m.template(0)
}

func (m *wideMaker) leaf(t *nodegraph.Template) {
	t.Kind = nodegraph.KindPod
	switch {
	case m.likes("suspend", 12):
		t.Kind = nodegraph.KindSuspend
		t.Suspend = time.Duration(m.IntN(2)*5) * time.Second
		return
	case m.likes("served", 12):
		t.Kind = []nodegraph.Kind{nodegraph.KindHTTP, nodegraph.KindPlugin}[m.IntN(2)]
		return
	case m.likes("broken", 30):
		t.Err = "."
		return
	}
	t.Daemon = m.likes("daemon", 8)
	if m.likes("set", 4) {
		t.Containers = []nodegraph.ContainerSpec{{Name: "x"}, {Name: "y"}}[:1+m.IntN(2)]
		if len(t.Containers) > 1 && m.IntN(2) == 0 {
			t.Containers[1].Dependencies = []string{"x"}
		}
	}
}

// settings draws what templates of any kind may have.
func (m *wideMaker) settings(t *nodegraph.Template) {
	if m.likes("retry", 5) {
		t.Retry = m.retry()
	}
	if m.likes("lock", 8) {
		t.Locks = m.locks()
	}
	if m.likes("memoize", 14) {
		t.Memoize = "key"
	}
	if m.likes("timeout", 14) {
		t.Timeout = time.Duration(5+5*m.IntN(2)) * time.Second
	}
	if m.likes("pending", 14) {
		t.PendingTimeout = time.Duration(5+5*m.IntN(2)) * time.Second
	}
	if t.Kind.Composite() && m.likes("parallelism", 10) {
		t.Parallelism = 1 + m.IntN(2)
	}
}

// retryExpressions are expressions of retries as people write them.
var retryExpressions = []string{
	`lastRetry.status == "Error"`, `asInt(retries) < 1`, `lastRetry.message matches "deleted|memory"`, `asInt(lastRetry.exitCode) != 1`,
	`asInt(lastRetry.duration) < 100`,
}

func (m *wideMaker) retry() *retry.Strategy {
	s := &retry.Strategy{}
	if m.IntN(12) > 0 {
		limit := m.IntN(3)
		s.Limit = &limit
	}
	s.Policy = []retry.Policy{"", "", retry.PolicyAlways, retry.PolicyAlways, retry.PolicyOnError, retry.PolicyOnFailure, retry.PolicyOnTransientError}[m.IntN(7)]
	if m.IntN(3) == 0 || s.Limit == nil { // without a wait an attempt that fails at once is made again for ever in one call
		s.Backoff = &retry.Backoff{Duration: time.Duration(1+9*m.IntN(2)) * time.Second, Factor: m.IntN(3)}
		if m.IntN(4) == 0 {
			s.Backoff.Cap = 15 * time.Second
		}
		if m.IntN(4) == 0 || s.Limit == nil {
			s.Backoff.MaxDuration = time.Duration(20+20*m.IntN(2)) * time.Second
		}
		if m.IntN(10) == 0 {
			s.Backoff.Jitter = 0.5
		}
	}
	if m.IntN(6) == 0 {
		s.Expression, _ = retry.Compile(retryExpressions[m.IntN(len(retryExpressions))]) // of our own: compiles
	}
	s.IgnoreDisruptions = m.IntN(25) == 0
	if m.IntN(25) == 0 {
		s.Rules = m.rules()
	}
	return s
}

// rules draws a rule of each kind of test that a rule can have.
func (m *wideMaker) rules() []retry.FailureRule {
	rule := []retry.FailureRule{{In: []int{1}}, {NotIn: []int{0, 1}}, {Reasons: []string{"Evicted"}}, {Conditions: []string{"DisruptionTarget"}}}[m.IntN(4)]
	rule.Action = []retry.RuleAction{retry.ActionIgnore, retry.ActionCount, retry.ActionStop}[m.IntN(3)]
	return []retry.FailureRule{rule}
}

// locks draws one or two locks of few, semaphores first as a reader of the object finds them.
func (m *wideMaker) locks() []nodegraph.Lock {
	sets := [][]nodegraph.Lock{{lockM}, {lockM}, {lockJ}, {lockM, lockJ}, {lockS}, {lockS, lockM}, {lockOne}}
	return slices.Clone(sets[m.IntN(len(sets))])
}

// The locks that workflows share: two mutexes, a semaphore with two places and one with one.
var (
	lockM   = nodegraph.Lock{Key: "default/Mutex/m", Limit: 1}
	lockJ   = nodegraph.Lock{Key: "default/Mutex/j", Limit: 1}
	lockS   = nodegraph.Lock{Key: "default/ConfigMap/s/two", Limit: 2}
	lockOne = nodegraph.Lock{Key: "default/ConfigMap/s/one", Limit: 1}
)
