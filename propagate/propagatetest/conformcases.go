package propagatetest

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A Case is one or more workflows that share their locks, and what happens to them. Whatever it does not say goes well: pods run
// and succeed, whoever waits for a user is let go on when nothing else is left to happen.
type Case struct {
	Name      string            // for messages
	Workflows []*nodegraph.Spec // each has a name of its own
	Fails     []string          // nodes whose pods fail
	Vanishes  []string          // pods that are gone then, by phase and node: "Running wf.a"; the first of a node alone
	Stays     []string          // pods that come so far and stay so
	Stop      string            // the strategy of a shutdown of the first workflow, once a pod of it runs; empty for none
}

// drawn makes a case of workflows that are drawn in one line each: see [nodegraph.Parse]. It panics if one can't be read.
func drawn(name string, texts ...string) Case {
	c := Case{Name: name}
	for _, text := range texts {
		spec, err := nodegraph.Parse(text)
		if err != nil {
			panic(err)
		}
		c.Workflows = append(c.Workflows, spec)
	}
	return c
}

// with changes a case.
func (c Case) with(change func(c *Case)) Case {
	change(&c)
	return c
}

// template returns the template of the first workflow that a task called so runs.
func (c *Case) template(name string) *nodegraph.Template {
	for _, t := range c.Workflows[0].Templates {
		if t.Name == name {
			return t
		}
	}
	panic("no template is called " + name)
}

// Cases are what a [Conformance] plays where nothing else is said. Together they need every action. A host without some feature leaves
// out its cases: "an HTTP node", "a condition", "a loop", "a cache" and "a cache behind a lock". A host of a resource of its own that
// these can't be made of has cases of its own.
func Cases() []Case {
	return append(podCases(), append(lockCases(), questionCases()...)...)
}

// podCases are about pods, and about what ends them.
func podCases() []Case {
	return []Case{
		drawn("pods", "w0: dag(a -> b)"),
		drawn("a container set", "w0: dag(a: pod(x -> y) -> b)"),
		drawn("a pod vanishes before it runs", "w0: dag(a -> b)").with(func(c *Case) { c.Vanishes = []string{"Pending w0.a"} }),
		drawn("a pod vanishes while it runs", "w0: dag(a -> b)").with(func(c *Case) { c.Vanishes = []string{"Running w0.a"} }),
		drawn("a pod vanishes and is tried again", "w0: dag(a: retry(1, pod) -> b)").with(func(c *Case) { c.Vanishes = []string{"Running w0.a(0)"} }),
		drawn("a pod fails and is tried again later", "w0: dag(a: retry(2, pod) -> b)").with(func(c *Case) {
			c.Fails = []string{"w0.a(0)", "w0.a(1)"}
			c.template("a").Retry.Backoff = &retry.Backoff{Duration: 10 * time.Second}
		}),
		drawn("a daemon", "w0: dag(a: daemon -> b)"),
		drawn("a daemon inside, before what waits", "w0: dag(in: dag(d: daemon -> e) -> z: suspend)"),
		drawn("fail fast", "w0: dag(a, b, c)").with(func(c *Case) {
			c.template("main").FailFast = true
			c.Fails, c.Stays = []string{"w0.a"}, []string{"Running w0.b", "Running w0.c"}
			c.Workflows[0].ActiveDeadline = time.Minute
		}),
		drawn("fail fast inside, beside what waits", "w0: dag(in: dag(a, b), z: suspend)").with(func(c *Case) {
			c.template("in").FailFast = true
			c.Fails, c.Stays = []string{"w0.in.a"}, []string{"Running w0.in.b"}
			c.Workflows[0].ActiveDeadline = time.Minute
		}),
		drawn("a deadline", "w0: dag(a, b: suspend)").with(func(c *Case) {
			c.Workflows[0].ActiveDeadline, c.Stays = time.Minute, []string{"Running w0.a"}
		}),
		drawn("a timeout beside what waits", "w0: dag(a, b: suspend)").with(func(c *Case) {
			c.template("pod").Timeout, c.Stays = 20*time.Second, []string{"Pending w0.a"}
		}),
		drawn("a shutdown", "w0: dag(a -> d, b, s: suspend)").with(func(c *Case) { c.Stop = "Stop" }),
		drawn("a shutdown with an exit handler that waits", "w0: dag(a -> b) exit suspend").with(func(c *Case) {
			c.Stop, c.Stays = "Stop", []string{"Running w0.a"}
		}),
		drawn("a termination", "w0: dag(a -> b) exit pod").with(func(c *Case) { c.Stop, c.Stays = "Terminate", []string{"Running w0.a"} }),
		drawn("an exit hook", "w0: dag(a exit pod)"),
		drawn("a duration", "w0: dag(a: suspend(30s) -> b)"),
	}
}

// lockCases are about locks and parallelism.
func lockCases() []Case {
	return []Case{
		drawn("a lock", "w0: dag(a: mutex(m, pod), b: mutex(m, pod))", "w1: dag(x: mutex(m, pod) -> y)"),
		drawn("a lock of the workflows", "w0: dag(a)", "w1: dag(x)").with(func(c *Case) {
			for _, s := range c.Workflows {
				s.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}}
			}
		}),
		drawn("a lock of a DAG", "w0: dag(a: mutex(m, dag(i)) -> b)", "w1: dag(x: mutex(m, dag(i)) -> y: mutex(m, pod))"),
		drawn("a lock of what is tried again", "w0: dag(a: mutex(m, retry(1, pod)))", "w1: dag(x: mutex(m, pod))").with(func(c *Case) {
			c.Vanishes = []string{"Running w0.a(0)"}
		}),
		drawn("a shutdown of one that holds a lock", "w0: dag(a: mutex(m, pod))", "w1: dag(x: mutex(m, pod))").with(func(c *Case) {
			c.Stop, c.Stays = "Stop", []string{"Running w0.a"}
		}),
		drawn("parallelism", "w0: dag(a: mutex(m, pod), b, c: mutex(m, pod))").with(func(c *Case) { c.Workflows[0].Parallelism = 1 }),
	}
}

// questionCases are about what only a host knows, and about what agents serve.
func questionCases() []Case {
	return []Case{
		drawn("a condition", `w0: dag(a when "{{x}} == 1")`),
		drawn("a loop", `w0: dag(a over "{{x}}")`),
		drawn("a cache", "w0: dag(a -> b)").with(func(c *Case) { c.template("pod").Memoize = "key" }),
		drawn("a cache behind a lock", "w0: dag(a: mutex(m, pod), b)", "w1: dag(x: mutex(m, pod))").with(func(c *Case) {
			c.template("a").Memoize = "key"
		}),
		drawn("an HTTP node", "w0: dag(a: http -> b)"),
	}
}
