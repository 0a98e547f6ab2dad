package propagatetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// specMaker draws random specifications that use everything a specification can say.
type specMaker struct {
	*rand.Rand
	spec *nodegraph.Spec
	next int
	free bool // templates are shared, tasks declared in any order, and some DAGs wide
	wide int  // how many tasks a DAG may have
}

// RandomSpec draws a specification that may use all that a specification can say. Its size grows with size: 40 are some twenty
// nodes.
func RandomSpec(r *rand.Rand, size int) *nodegraph.Spec { return randomSpec(r, size, true) }

// randomSpec draws a specification whose size grows with budget.
func randomSpec(r *rand.Rand, budget int, free bool) *nodegraph.Spec {
	m := &specMaker{Rand: r, spec: &nodegraph.Spec{Name: "wf", Namespace: "default"}, free: free, wide: 4}
	if free && m.chance(4) {
		m.wide = 12
	}
	m.spec.Entrypoint = m.template(3, budget).Name
	if m.chance(4) {
		m.spec.OnExit = m.leaf().Name
	}
	if m.chance(8) {
		m.spec.Parallelism = 1 + m.IntN(3)
	}
	if m.chance(8) {
		m.spec.Locks = []nodegraph.Lock{{Key: "default/Mutex/whole", Limit: 1}}
	}
	if m.chance(10) {
		m.spec.ActiveDeadline = time.Duration(20+m.IntN(100)) * time.Second
	}
	if m.chance(6) {
		m.spec.PodRestarts = m.IntN(3)
	}
	if m.spec.PodRestarts > 0 { // no draw of its own
		m.spec.TransientErrors = "boom|low on resource"
	}
	if m.chance(12) {
		m.spec.Hooks = []nodegraph.Hook{{Name: "running", Template: m.leaf().Name, Expression: `workflow.status == "Running"`}}
	}
	return m.spec
}

// chance is true once in n times.
func (m *specMaker) chance(n int) bool { return m.IntN(n) == 0 }

func (m *specMaker) name(prefix string) string {
	m.next++
	return fmt.Sprintf("%s%d", prefix, m.next)
}

func (m *specMaker) template(depth, budget int) *nodegraph.Template {
	if n := len(m.spec.Templates); m.free && n > 0 && m.chance(6) {
		return m.spec.Templates[m.IntN(n)] // what another uses too
	}
	if depth == 0 || budget <= 1 || m.chance(4) {
		return m.leaf()
	}
	t := &nodegraph.Template{Name: m.name("t"), Kind: nodegraph.KindDAG}
	if m.chance(3) {
		t.Kind = nodegraph.KindSteps
		for range 1 + m.IntN(3) {
			var group []nodegraph.Task
			for range 1 + m.IntN(3) {
				group = append(group, m.task(depth-1, budget/3))
			}
			t.Steps = append(t.Steps, group)
		}
	} else {
		for range 1 + m.IntN(m.wide) {
			task := m.task(depth-1, budget/3)
			m.order(t, &task)
			t.Tasks = append(t.Tasks, task)
		}
		if m.free && m.chance(3) { // declared in any order
			m.Shuffle(len(t.Tasks), func(i, j int) { t.Tasks[i], t.Tasks[j] = t.Tasks[j], t.Tasks[i] })
		}
		t.NoFailFast = m.chance(2)
		if m.chance(8) {
			t.Targets = []string{t.Tasks[m.IntN(len(t.Tasks))].Name}
		}
	}
	if m.chance(8) {
		t.Parallelism = 1 + m.IntN(2)
	}
	t.FailFast = m.chance(10)
	return m.common(t)
}

// order makes task come after some of those that t has.
func (m *specMaker) order(t *nodegraph.Template, task *nodegraph.Task) {
	if len(t.Tasks) == 0 || m.chance(3) {
		return
	}
	some := func() string { return t.Tasks[m.IntN(len(t.Tasks))].Name }
	if n := len(task.Hooks); n > 0 && task.Hooks[n-1].Name == "h" && m.chance(2) {
		status := []string{"Succeeded", "Failed", "Error", "Skipped", "Running"}[m.IntN(5)]
		task.Hooks[n-1].Expression = fmt.Sprintf("tasks[%q].status == %q", some(), status)
	}
	if m.chance(2) {
		task.Dependencies = []string{some()}
		if other := some(); other != task.Dependencies[0] {
			task.Dependencies = append(task.Dependencies, other)
		}
		return
	}
	literal := func() string {
		results := []string{"", "", ".Succeeded", ".Failed", ".Errored", ".Skipped", ".Omitted", ".Daemoned", ".AnySucceeded", ".AllFailed"}
		return []string{"", "", "!"}[m.IntN(3)] + some() + results[m.IntN(len(results))]
	}
	parts := []string{literal()}
	for range m.IntN(3) {
		parts = append(parts, []string{"&&", "||"}[m.IntN(2)], literal())
	}
	task.Depends = strings.Join(parts, " ")
}

func (m *specMaker) task(depth, budget int) nodegraph.Task {
	task := nodegraph.Task{Name: m.name("n"), Template: m.template(depth, budget).Name}
	switch m.IntN(12) {
	case 0:
		task.When = "1 == 2"
	case 1:
		task.When = "{{tasks.x.outputs.result}} == 1"
	case 2:
		task.When = "a == a"
	}
	switch m.IntN(10) {
	case 0, 1:
		task.Loop = &nodegraph.Loop{Items: []nodegraph.Item{{Text: "x"}, {Text: "y"}}[:m.IntN(3)]}
	case 2:
		task.Loop = &nodegraph.Loop{Unresolved: "{{inputs.parameters.list}}"}
	}
	task.ContinueOn = nodegraph.ContinueOn{Failed: m.chance(6), Error: m.chance(6)}
	if m.chance(8) {
		task.Hooks = append(task.Hooks, nodegraph.Hook{Name: nodegraph.ExitHook, Template: m.leaf().Name})
	}
	if m.chance(15) {
		task.Hooks = append(task.Hooks, nodegraph.Hook{Name: "h", Template: m.leaf().Name,
			Expression: fmt.Sprintf("tasks[%q].status == \"Running\"", task.Name)})
	}
	return task
}

func (m *specMaker) leaf() *nodegraph.Template {
	t := &nodegraph.Template{Name: m.name("t"), Kind: nodegraph.KindPod}
	switch m.IntN(10) {
	case 0:
		t.Kind = nodegraph.KindSuspend
		t.Suspend = time.Duration(m.IntN(2)*5) * time.Second
	case 1:
		t.Kind = []nodegraph.Kind{nodegraph.KindHTTP, nodegraph.KindPlugin}[m.IntN(2)]
	case 2:
		t.Daemon = true
	case 3, 4, 5, 6:
		for k := range 1 + m.IntN(4) {
			c := nodegraph.ContainerSpec{Name: fmt.Sprintf("c%d", k)}
			for d := range k {
				if m.chance(2) {
					c.Dependencies = append(c.Dependencies, fmt.Sprintf("c%d", d))
				}
			}
			t.Containers = append(t.Containers, c)
		}
		m.Shuffle(len(t.Containers), func(a, b int) { t.Containers[a], t.Containers[b] = t.Containers[b], t.Containers[a] })
	}
	if t.Kind == nodegraph.KindPod && !t.Daemon && len(t.Containers) == 0 {
		t.MainContainer = "app"
	}
	return m.common(t)
}

// common adds what templates of any kind may have, and the template to the specification.
func (m *specMaker) common(t *nodegraph.Template) *nodegraph.Template {
	if m.chance(3) {
		limit := m.IntN(3)
		t.Retry = &retry.Strategy{Limit: &limit, Policy: []retry.Policy{"", retry.PolicyAlways, retry.PolicyOnError}[m.IntN(3)]}
		if m.chance(3) {
			t.Retry.Backoff = &retry.Backoff{Duration: time.Second, Factor: m.IntN(3)}
		}
		t.Retry.IgnoreDisruptions = m.chance(8)
	}
	if m.chance(8) && !t.Kind.Composite() { // what holds a lock never waits for something inside it that wants the same
		t.Locks = m.locks()
	}
	if m.chance(12) {
		t.Memoize = "key"
	}
	if m.chance(15) {
		t.PendingTimeout = 30 * time.Second
	}
	m.spec.Templates = append(m.spec.Templates, t)
	return t
}

func (m *specMaker) locks() []nodegraph.Lock {
	list := []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}, {Key: "default/ConfigMap/s/k", Limit: 2}}
	return list[m.IntN(2):][:1]
}
