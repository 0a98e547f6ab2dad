package reconcile_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

var (
	rewrite   = flag.Bool("rewrite", false, "rewrite the table in RELIABILITY.md")
	everyPair = flag.Int("pairs", 7, "let two hosts die at every pair of actions of so many; all: 1")
)

// A crashCase is a cluster with workflows, and what happens in it before everything goes its way.
type crashCase struct {
	name  string
	mains []string       // of each workflow its entrypoint
	spec  map[string]any // more fields of the specification of each
	fails []string       // nodes whose pods fail
	stuck []string       // nodes whose pods stay as they are: the first word is the phase
	steps []func(c *cluster)
}

var crashCases = []crashCase{
	{name: "pods", mains: []string{dagOf("a pod", "b pod a")}},
	{name: "a pod vanishes before it ran", mains: []string{dagOf("a pod", "b pod a")}, steps: []func(*cluster){vanishes("w0.a")}},
	{name: "a pod vanishes while it runs", mains: []string{dagOf("a pod", "b pod a")}, steps: []func(*cluster){goesOn, vanishes("w0.a")}},
	{name: "a container set", mains: []string{dagOf("a set", "b pod a")}},
	{name: "an HTTP node", mains: []string{dagOf("a http", "b pod a")}},
	{name: "a lock", mains: []string{dagOf("a locked", "b locked"), dagOf("x locked", "y pod x")}},
	{name: "a lock of the workflows", mains: []string{dagOf("a pod"), dagOf("x pod")}, spec: map[string]any{
		"synchronization": map[string]any{"mutexes": []any{map[string]any{"name": "m"}}},
	}},
	{name: "a lock of a DAG", mains: []string{dagOf("a within", "b pod a"), dagOf("x within", "y locked x")}},
	{name: "a shutdown", mains: []string{dagOf("a pod", "b locked", "c locked", "d pod a")}, steps: []func(*cluster){goesOn, stops("Stop")}},
	{name: "a shutdown with an exit handler that waits", mains: []string{dagOf("a pod", "b gate a")}, spec: map[string]any{"onExit": "gate"},
		stuck: []string{"Running w0.a"}, steps: []func(*cluster){goesOn, stops("Stop")}},
	{name: "a deadline", mains: []string{dagOf("a pod", "b gate")}, spec: map[string]any{"activeDeadlineSeconds": 60}, stuck: []string{"Running w0.a"}},
	{name: "a timeout beside what waits", mains: []string{dagOf("a timed", "b gate")}, stuck: []string{"Pending w0.a"}},
	{name: "a daemon", mains: []string{dagOf("a daemon", "b pod a")}},
	{name: "a daemon inside, before what waits", mains: []string{dagOf("in inner", "z gate in")}},
	{name: "fail fast", mains: []string{`"failFast": true, ` + dagOf("a pod", "b pod", "c pod a")}, fails: []string{"w0.a"}, stuck: []string{"Running w0.b"}},
	{name: "fail fast inside", mains: []string{dagOf("in hasty", "z gate")}, spec: map[string]any{"activeDeadlineSeconds": 60},
		fails: []string{"w0.in.a"}, stuck: []string{"Running w0.in.b"}},
	{name: "another attempt", mains: []string{dagOf("a again", "b pod a")}, fails: []string{"w0.a(0)"}},
	{name: "an exit hook", mains: []string{`"dag": {"tasks": [{"name": "a", "template": "pod", "hooks": {"exit": {"template": "pod"}}}]}`}},
	{name: "a condition", mains: []string{`"dag": {"tasks": [{"name": "a", "template": "pod", "when": "{{x}} == 1"}]}`}},
	{name: "a loop", mains: []string{`"dag": {"tasks": [{"name": "a", "template": "pod", "withParam": "{{x}}"}]}`}},
	{name: "a cache", mains: []string{dagOf("a cached", "b pod a")}},
	{name: "a cache behind a lock", mains: []string{dagOf("a lockedcached", "b pod a"), dagOf("x lockedcached")}},
	{name: "parallelism", mains: []string{dagOf("a locked", "b pod", "c locked b")}, spec: map[string]any{"parallelism": 1}},
	{name: "a duration", mains: []string{dagOf("a sleep", "b pod a")}},
}

// goesOn lets the cluster go one step further.
func goesOn(c *cluster) { c.goOn() }

// stops writes a shutdown into the first workflow.
func stops(strategy string) func(c *cluster) {
	return func(c *cluster) { c.objects["w0"] = withField(c.t, c.objects["w0"], "shutdown", strategy) }
}

// vanishes deletes the pod of a node behind everybody's back.
func vanishes(node string) func(c *cluster) {
	return func(c *cluster) {
		for _, p := range c.pods {
			p.gone = p.gone || p.status.Name == node
		}
	}
}

// run plays a case to its end, with a host that dies where it is told to.
func (cc *crashCase) run(t *testing.T, makes func(*cluster) host, crash ...crashPoint) *cluster {
	c := &cluster{
		t: t, now: epoch, objects: make(map[string][]byte), states: make(map[string][]byte), served: make(map[string]bool),
		ended: make(map[string]bool), fails: cc.fails, stuck: cc.stuck, crash: crash, makes: makes,
	}
	for k, main := range cc.mains {
		name := fmt.Sprint("w", k)
		c.names = append(c.names, name)
		c.objects[name] = objectOf(name, main)
		for field, value := range cc.spec {
			c.objects[name] = withField(t, c.objects[name], field, value)
		}
	}
	c.host = makes(c)
	c.settle()
	for _, step := range cc.steps {
		step(c)
		c.settle()
	}
	for range 50 {
		if !c.goOn() {
			return c
		}
		c.settle()
	}
	t.Fatal("it never ends")
	return nil
}

// outcome is how a case ended: what is on record or in the engines, how many pods each node had and which of them live still, and
// of which workflows the host has said that they ended.
func (c *cluster) outcome() map[string]string {
	end := make(map[string]string)
	for _, name := range c.names {
		end[name] = fmt.Sprintf("said to have ended: %v", c.ended[name])
		if h, keeps := c.host.(*stateHost); keeps {
			for node, looks := range looks(h.engines[name]) {
				end[name+" "+node] = looks
			}
			require.Empty(c.t, slices.Concat(h.locks.Holders("ns/Mutex/m"), h.locks.Waiters("ns/Mutex/m")))
			continue
		}
		w, err := argo.Read(c.objects[name])
		require.NoError(c.t, err)
		end[name+" (workflow)"] = w.Snapshot.Phase.String() + " " + w.Snapshot.Message
		for _, n := range w.Snapshot.Nodes {
			end[name+" "+n.Name] = fmt.Sprint(n.Kind, " ", n.Phase, " ", n.Message)
		}
	}
	made, alive := make(map[string]int), make(map[string]int)
	for _, p := range c.pods {
		made[p.status.Name]++
		if !p.gone && p.status.Phase != "Succeeded" && p.status.Phase != "Failed" {
			alive[p.status.Name]++
		}
	}
	for name, n := range made {
		end["pods of "+name] = fmt.Sprintf("%d made, %d alive", n, alive[name])
	}
	return end
}

// crashRow says of each type of action why it is neither lost nor done twice. An action without a row fails the test.
var crashRow = map[string]string{ // by name: "Wait" may be none yet
	"Start":     "Recreate asks again while no pod is listed, or nothing is reported; the pod's name is the node's, so that there is one",
	"Recreate":  "the same",
	"Wait":      "nothing is to be done: that the node waits is stored",
	"Terminate": "asked again while the pod is listed alive",
	"Acquire":   "what is not stored was not granted: the table of locks is made anew from what is",
	"Release":   "whoever is stored as ended holds nothing when the table of locks is made anew",
	"Resolve":   "asked again until the answer is stored",
	"Expand":    "asked again until the answer is stored",
	"Lookup":    "asked again until the answer is stored",
	"Wake":      "the first call after a restart says the next time again",
	"Complete":  "the object says it, and Engine.Complete: a host looks there after a restart",
}

// actionTypes are all types of actions: past the last there is no name.
func actionTypes() (types []propagate.ActionType) {
	defer func() { _ = recover() }()
	for a := propagate.ActionType(0); !strings.HasPrefix(a.String(), "ActionType("); a++ {
		types = append(types, a)
	}
	return types
}

// crashHosts are the hosts that die.
var crashHosts = []struct {
	name  string
	makes func(*cluster) host
}{{"object", newObjectHost}, {"state", newStateHost}}

// A tally counts by what a host keeps, the type of the action, and whether it died after it, how often it died there, and how
// often the next host was asked for the same.
type tally map[string]repeats

type repeats struct{ died, again int }

// String says whether an action is asked for again.
func (n repeats) String() string {
	switch {
	case n.died == 0:
		return "-"
	case n.again == n.died:
		return "again"
	case n.again == 0:
		return "not again"
	}
	return "if it is owed"
}

// The host dies before and after it carries out each action of each case, whether it keeps the objects alone or saves its
// engines. Nothing is lost then, and nothing is done twice: all ends as if it had lived. The table of that is in RELIABILITY.md;
// -rewrite rewrites it, -v prints it.
func TestTheHostDiesAtEveryAction(t *testing.T) {
	counts := make(tally)
	for _, h := range crashHosts {
		for k := range crashCases {
			cc := &crashCases[k]
			lived := cc.run(t, h.makes)
			for at, a := range lived.asked {
				for _, after := range []bool{false, true} {
					died := cc.run(t, h.makes, crashPoint{at, after})
					require.Equal(t, 1, died.deaths)
					diff := cmp.Diff(lived.outcome(), died.outcome())
					assert.Empty(t, diff, "%s, host that keeps the %s, dies at %q, after it was done: %v", cc.name, h.name, a.text, after)
					counts.add(fmt.Sprint(h.name, " ", a.what, " ", after), died, a)
				}
			}
		}
	}
	table := counts.table(t)
	t.Log("\n" + table)
	checkTable(t, "../RELIABILITY.md", "crashes", table)
}

// A host that takes the place of one that died may die as well, at any action of its own.
func TestTheNextHostDiesToo(t *testing.T) {
	pairs := 0
	for _, h := range crashHosts {
		for k := range crashCases {
			cc := &crashCases[k]
			lived := cc.run(t, h.makes)
			for at := range lived.asked {
				first := crashPoint{at, at%2 == 0}
				next := len(cc.run(t, h.makes, first).asked)
				for then := at + 1; then < next; then++ {
					if pairs++; pairs%*everyPair != 0 {
						continue
					}
					second := crashPoint{then, pairs/2%2 == 0}
					died := cc.run(t, h.makes, first, second)
					require.Equal(t, 2, died.deaths)
					assert.Empty(t, cmp.Diff(lived.outcome(), died.outcome()), "%s, host that keeps the %s: %v, %v", cc.name, h.name, first, second)
				}
			}
		}
	}
}

// add counts whether the second host was asked for what the first died at.
func (c tally) add(key string, died *cluster, a asked) {
	if a.nothing {
		return
	}
	n := c[key]
	n.died++
	if slices.ContainsFunc(died.asked, func(b asked) bool { return b.life == 1 && b.subject == a.subject && sameWish(a.what, b.what) }) {
		n.again++
	}
	c[key] = n
}

// sameWish reports whether one action asks for what another does.
func sameWish(a, b propagate.ActionType) bool {
	return a == b || a == propagate.ActionStart && b == propagate.ActionRecreate
}

// table shows the counts in Markdown, a row for each type of action.
func (c tally) table(t *testing.T) string {
	lines := []string{
		"| | object: before | object: after | state: before | state: after | why nothing is lost, and nothing done twice |",
		"| --- | --- | --- | --- | --- | --- |",
	}
	for _, what := range actionTypes() {
		why := crashRow[what.String()]
		assert.NotEmpty(t, why, "%s has no row", what)
		line, seen := "| "+what.String()+" |", 0
		for _, h := range crashHosts {
			for _, after := range []bool{false, true} {
				n := c[fmt.Sprint(h.name, " ", what, " ", after)]
				seen += n.died
				line += " " + n.String() + " |"
			}
		}
		assert.NotZero(t, seen, "no host dies at %s: there is no case for it", what)
		lines = append(lines, line+" "+why+" |")
	}
	return strings.Join(lines, "\n")
}

// checkTable compares the part of a document between two marks with what it should be, or rewrites it.
func checkTable(t *testing.T, file, mark, want string) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", mark), fmt.Sprintf("\n<!-- end %s -->", mark)
	from, to := strings.Index(string(text), begin), strings.Index(string(text), end)
	require.True(t, from >= 0 && to > from, "%s has no part called %s", file, mark)
	from += len(begin)
	if *rewrite {
		require.NoError(t, os.WriteFile(file, slices.Concat(text[:from], []byte(want), text[to:]), 0o644))
		return
	}
	assert.Empty(t, cmp.Diff(want, string(text[from:to])), "%s: the table of %s is not as it is; -rewrite rewrites it", file, mark)
}
