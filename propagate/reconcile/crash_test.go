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

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

var everyPair = flag.Int("pairs", 29, "let two hosts die at every pair of actions of so many; all: 1")

// rewriting reports whether -rewrite is set, as for scripts: the table in RELIABILITY.md is written anew.
func rewriting() bool { return flag.Lookup("rewrite").Value.(flag.Getter).Get().(bool) }

// A plan is what all hosts of one run are asked to carry out, and where they die.
type plan struct {
	asked []asked
	crash []crashPoint
	ended map[string]bool // workflows of whose end a host has said something
}

// asked is an action that a host was asked to carry out, by the host that lived then.
type asked struct {
	life    int
	subject string // the workflow and the node
	text    string
	what    propagate.ActionType
	nothing bool // is to be done for it: it is the start of a composite or a Suspend
}

// A crashPoint is where the host dies: at an action, by its place among all that are carried out.
type crashPoint struct {
	at    int
	after bool // it has been carried out
}

// carryOut has the host carry out an action, unless it dies before, or dies then.
func (p *plan) carryOut(c *propagatetest.Cluster, workflow string, a *propagate.Action, do func()) {
	at := len(p.asked)
	idle := a.Type == propagate.ActionStart && (a.Kind.Composite() || a.Kind == nodegraph.KindSuspend)
	p.asked = append(p.asked, asked{c.Deaths(), workflow + " " + a.ID, a.String(), a.Type, idle})
	if slices.Contains(p.crash, crashPoint{at, false}) {
		c.Die()
	}
	do()
	if slices.Contains(p.crash, crashPoint{at, true}) {
		c.Die()
	}
}

// A run is a case that was played to its end.
type run struct {
	*plan
	*propagatetest.Cluster
}

// played plays a case to its end, with a host that dies where it is told to.
func played(t *testing.T, c propagatetest.Case, makes hostMaker, crash ...crashPoint) run {
	t.Helper()
	p := &plan{crash: crash, ended: make(map[string]bool)}
	r := run{p, propagatetest.Conformance{New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) { return makes(t, c, p) }}.Play(c)}
	require.Empty(t, r.Faults(), "%s, a host that dies at %v", c.Name, crash)
	require.Equal(t, len(crash), r.Deaths())
	for _, name := range r.Workflows() {
		require.True(t, p.ended[name], "%s, a host that dies at %v: nobody has said that %s has ended", c.Name, crash, name)
	}
	return r
}

// A hostMaker starts a host. What it was asked to carry out is in the plan.
type hostMaker func(t *testing.T, c *propagatetest.Cluster, p *plan) (propagatetest.Controller, error)

// All hosts do all that they are asked, wherever they are killed.
func TestHostsConform(t *testing.T) {
	for _, h := range allHosts {
		t.Run(h.name, func(t *testing.T) {
			propagatetest.Conformance{New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
				return h.makes(t, c, &plan{ended: make(map[string]bool)})
			}}.Run(t)
		})
	}
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
	makes hostMaker
}{{"object", newObjectHost}, {"state", newStateHost}}

// allHosts are these, and one that loses more than its object when it dies, and does not need it.
var allHosts = append(slices.Clip(crashHosts), struct {
	name  string
	makes hostMaker
}{"object, and what it has read,", newKeepingHost})

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
	for _, h := range allHosts {
		for _, c := range propagatetest.Cases() {
			lived := played(t, c, h.makes)
			for at, a := range lived.asked {
				for _, after := range []bool{false, true} {
					died := played(t, c, h.makes, crashPoint{at, after})
					diff := cmp.Diff(lived.Outcome(), died.Outcome())
					assert.Empty(t, diff, "%s, host that keeps the %s, dies at %q, after it was done: %v", c.Name, h.name, a.text, after)
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
	for _, h := range allHosts {
		for _, c := range propagatetest.Cases() {
			lived := played(t, c, h.makes)
			for at := range lived.asked {
				first := crashPoint{at, at%2 == 0}
				next := len(played(t, c, h.makes, first).asked)
				for then := at + 1; then < next; then++ {
					if pairs++; pairs%*everyPair != 0 {
						continue
					}
					second := crashPoint{then, pairs/2%2 == 0}
					died := played(t, c, h.makes, first, second)
					assert.Empty(t, cmp.Diff(lived.Outcome(), died.Outcome()), "%s, host that keeps the %s: %v, %v", c.Name, h.name, first, second)
				}
			}
		}
	}
}

// add counts whether the second host was asked for what the first died at.
func (c tally) add(key string, died run, a asked) {
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
	if rewriting() {
		require.NoError(t, os.WriteFile(file, slices.Concat(text[:from], []byte(want), text[to:]), 0o644))
		return
	}
	assert.Empty(t, cmp.Diff(want, string(text[from:to])), "%s: the table of %s is not as it is; -rewrite rewrites it", file, mark)
}
