package propagate_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// kindOf says what node i is, without its name: its kind, or that it is a hook. HTTP and Plugin nodes are alike.
func kindOf(e *propagate.Engine, i nodegraph.Index) string {
	if i <= nodegraph.Root {
		return "workflow"
	}
	n := e.Graph().Node(i)
	switch {
	case n.Role == nodegraph.RoleHook:
		return "hook"
	case n.Kind == nodegraph.KindHTTP, n.Kind == nodegraph.KindPlugin:
		return "served"
	case n.Kind == nodegraph.KindPod && n.Template != nil && n.Template.Daemon:
		return "daemon"
	}
	return n.Kind.String()
}

// kindNamed is kindOf for a name.
func kindNamed(e *propagate.Engine, name string) string {
	if name == "" {
		return kindOf(e, nodegraph.Root)
	}
	return kindOf(e, e.Graph().Find(name))
}

// check tests all that must hold after a call.
func (w *world) check(f *flow, before map[nodegraph.Index]look, events []propagate.Event, result *propagate.Result) {
	defer func() {
		if p := recover(); p != nil {
			f.dead = true
			w.fault(f, "panic in a check", "%v", p)
		}
	}()
	var broken *propagate.InvariantError
	if err := f.Engine.Check(); errors.As(err, &broken) {
		w.fault(f, invariantKind(f.Engine, broken), "%v", err)
	}
	again := slices.ContainsFunc(events, func(ev propagate.Event) bool {
		return ev.Type == propagate.EventManualRetry || ev.Type == propagate.EventContainerRetried
	})
	if !again && f.superseded(before) {
		f.strayed = true // before the bounds are checked: from the call on that tells of it the second pod has no place
	}
	w.checkTruth(f, events, result)
	if !again {
		w.checkRewriting(f, before, events)
	}
	w.checkComplete(f, result)
	w.checkHits(f, events)
}

// checkHits: a node that was found in the cache has ended well.
func (w *world) checkHits(f *flow, events []propagate.Event) {
	for _, ev := range events {
		i := f.Engine.Graph().Find(ev.Node)
		if ev.Type != propagate.EventMemoized || !ev.Value || i <= nodegraph.Root || !f.Engine.Fact(i).CacheHit {
			continue
		}
		if phase, _ := f.Engine.Phase(i); phase != nodegraph.PhaseSucceeded {
			w.fault(f, "hit of the cache is no success of "+kindOf(f.Engine, i), "%s was found in the cache and is %v", ev.Node, phase)
		}
	}
}

// checkTruth asks the checker that shares nothing with the rules.
func (w *world) checkTruth(f *flow, events []propagate.Event, result *propagate.Result) {
	for _, ev := range events {
		if ev.Type == propagate.EventManualRetry {
			f.watch.ManualRetry()
			f.knows.forget(f.Engine)
		}
	}
	claims := make([]*truth.Claim, 0, len(w.flows))
	for _, other := range w.flows {
		if other.dead {
			continue
		}
		claim := truth.Of(other.Engine)
		other.knows.recall(claim)
		claims = append(claims, claim)
		if other == f {
			for _, v := range append(claim.Violations(), f.watch.Violations(claim, *result)...) {
				w.violation(f, &v)
			}
		}
	}
	var v *truth.Violation
	if err := truth.Holders(claims...); len(claims) > 1 && errors.As(err, &v) {
		w.fault(f, v.Line+" across workflows", "%v", err)
	}
}

// A memory is what an engine has said of nodes and forgets.
type memory struct {
	reopened map[string]bool // composites that a manual retry has opened again, which no record tells; by id
	ready    map[string]bool // daemons that were ready, and of which a newer pod was told since
}

// forget forgets, with a manual retry, what was reset, and what stays whole again.
func (m *memory) forget(e *propagate.Engine) {
	clear(m.reopened)
	maps.DeleteFunc(m.ready, func(id string, _ bool) bool {
		i := e.Graph().Find(id)
		return i == nodegraph.None || !e.Verdict(i).Fulfilled
	})
}

// recall adds what was said before to a claim. Bounds and truth are those of what was decided by then.
func (m *memory) recall(c *truth.Claim) {
	if m.reopened == nil {
		m.reopened, m.ready = make(map[string]bool), make(map[string]bool)
	}
	for i := nodegraph.Entry; int(i) < c.Graph.Len(); i++ {
		n, said := c.Graph.Node(i), &c.Nodes[i]
		id := n.ID()
		m.reopened[id] = (m.reopened[id] || said.Fact.Reopened) && !said.Phase.Settled()
		said.Fact.Reopened = m.reopened[id]
		if n.Kind == nodegraph.KindPod && n.Template.Daemon && said.Exists {
			m.ready[id] = m.ready[id] || said.Fact.Ready
			said.Fact.Ready = m.ready[id]
		}
	}
}

func (w *world) violation(f *flow, v *truth.Violation) {
	if f.strayed && (v.Line == "I9.1" || v.Line == "I9.2") {
		return // what lives again had given its place away
	}
	words := strings.ReplaceAll(wordsOf(f.Engine, v.Detail), "Error", "Failed")
	for strings.Contains(words, "is Omitted after … is Omitted") {
		words = strings.Replace(words, "is Omitted after … is Omitted", "is Omitted", 1)
	}
	w.fault(f, v.Line+" "+kindNamed(f.Engine, v.Node)+" "+words, "%v", v)
}

var (
	agreementPattern = regexp.MustCompile(`(?s)the engine says (\w*) "(.*)" \((.*)\), the reference (\w*) "(.*)" \((.*)\)$`)
	timePattern      = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	quotedPattern    = regexp.MustCompile(`"[^"]*"`)
	numberPattern    = regexp.MustCompile(`\d+`)
)

// invariantKind names what Check found.
func invariantKind(e *propagate.Engine, broken *propagate.InvariantError) string {
	kind := broken.Invariant + " " + kindNamed(e, broken.Node)
	if m := agreementPattern.FindStringSubmatch(broken.Detail); m != nil {
		return agreementKind(e, broken.Node, m)
	}
	if broken.Invariant == "progress" {
		if e.Complete() {
			return kind + " complete and waiting"
		}
		return kind + " waiting for nothing"
	}
	return kind
}

// agreementKind names how the engine and the reference differ: m are phase, message and rule of the one, then of the other.
func agreementKind(e *propagate.Engine, node string, m []string) string {
	kind := "agreement " + group(e, e.Graph().Find(node))
	if m[3] == "entry" || m[3] == "exit-handler" || m[6] == "entry" || m[6] == "exit-handler" {
		kind = "agreement workflow" // it has the name of its entry
	}
	switch {
	case m[1] != m[4]:
		return fmt.Sprintf("%s %s or %s", kind, m[1], m[4])
	case m[2] != m[5]:
		return kind + " message"
	case m[3] == "when-false" || m[3] == "omitted" || m[3] == "invalid" || m[3] == "no-items":
		return kind + " unseen part of what never ran"
	}
	return kind + " unseen part"
}

// group says of a node only whether it is a leaf or a composite.
func group(e *propagate.Engine, i nodegraph.Index) string {
	switch {
	case i <= nodegraph.Root:
		return "workflow"
	case e.Graph().Node(i).Kind.Composite():
		return "composite"
	}
	return "leaf"
}

// wordsOf is a text without the names of nodes, without quotations and with numbers alike.
func wordsOf(e *propagate.Engine, text string) string {
	text = quotedPattern.ReplaceAllString(timePattern.ReplaceAllString(text, "…"), "…")
	words := strings.Fields(text)
	for k, word := range words {
		bare := strings.Trim(word, ",.:;")
		if i := e.Graph().Find(bare); i > nodegraph.Root {
			words[k] = strings.Replace(word, bare, "…", 1)
		} else if strings.Contains(bare, "/") {
			words[k] = "…"
		}
	}
	text = numberPattern.ReplaceAllString(strings.Join(words, " "), "n")
	if r := []rune(text); len(r) > 90 {
		text = string(r[:90])
	}
	return strings.TrimRight(text, " ,.:;")
}

// look is how a node that had ended looked.
type look struct {
	phase nodegraph.Phase
	rule  rule.Rule
	run   fact.Run
}

// look returns how the nodes look that have ended for good.
func (f *flow) look() map[nodegraph.Index]look {
	ended := make(map[nodegraph.Index]look)
	for i := range nodegraph.Index(f.Engine.Graph().Len()) {
		if phase, _ := f.Engine.Phase(i); !phase.Settled() {
			continue
		}
		if v := f.Engine.Verdict(i); v.Fulfilled && !v.Daemoned {
			ended[i] = look{v.Phase, v.Rule, f.run(i)}
		}
	}
	return ended
}

// run is which pod of node i is known, and which run in it; zero for the workflow. A container is in the pod of its node, whatever was
// heard of the container in an older one.
func (f *flow) run(i nodegraph.Index) fact.Run {
	if i <= nodegraph.Root {
		return fact.Run{}
	}
	about := f.Engine.Fact(i)
	run := about.Run()
	if n := f.Engine.Graph().Node(i); n.Kind == nodegraph.KindContainer {
		if pod := f.Engine.Fact(n.Parent); run.Serial < pod.Serial {
			return fact.Run{Serial: pod.Serial, Attempt: 1}
		}
	}
	return run
}

// checkRewriting: what had ended stays as it was, unless a newer run of it was told, or its own end where only its absence
// was known (I5).
func (w *world) checkRewriting(f *flow, before map[nodegraph.Index]look, events []propagate.Event) {
	if f.strayed || w.lateEnds(f, before) {
		return
	}
	g := f.Engine.Graph()
	for i, was := range before {
		v := f.Engine.Verdict(i)
		if v.Phase == was.phase && v.Fulfilled {
			continue
		}
		if i > nodegraph.Root && g.Node(i).Kind.Composite() && g.Node(i).Kind != nodegraph.KindRetry {
			continue // follows from what is inside it, which is looked at
		}
		if i == nodegraph.Root || w.runLost(f, i, events) || f.runUntold(i) || w.mayNotCount(f, i) {
			continue
		}
		now := "another end"
		if v.Phase == nodegraph.PhasePlanned {
			now = "planned"
		} else if !v.Fulfilled {
			now = "open"
		}
		w.fault(f, fmt.Sprintf("rewritten %s %v(%v) to %s", group(f.Engine, i), was.phase, was.rule, now),
			"%s was %v and is %v", g.Node(i).Name(), was.phase, v.Phase)
	}
}

// runLost reports whether node i is a container of a pod that runs, and an earlier run than the present is told, after a restart from a
// record: that does not tell which run was the last, so that what is told counts as being of the run that is known.
func (w *world) runLost(f *flow, i nodegraph.Index, events []propagate.Event) bool {
	n := f.Engine.Graph().Node(i)
	if n.Kind != nodegraph.KindContainer || !f.crashed || w.host.restart == restartLoad || f.Engine.Verdict(n.Parent).Fulfilled {
		return false
	}
	p := f.Pod(f.Engine.Graph().Node(n.Parent).Name())
	return p != nil && slices.ContainsFunc(events, func(ev propagate.Event) bool {
		return ev.Container != "" && ev.Pod.UID == p.UID && ev.Pod.Attempt < p.Named(ev).Pod.Attempt
	})
}

// runUntold reports whether node i is a container that runs in its pod for a later time than its engine was told: the host crashed
// before it told that the container was retried, so that what it tells later counts as of the run that is known.
func (f *flow) runUntold(i nodegraph.Index) bool {
	n := f.Engine.Graph().Node(i)
	if n.Kind != nodegraph.KindContainer || !f.crashed {
		return false
	}
	p := f.Pod(f.Engine.Graph().Node(n.Parent).Name())
	return p != nil && p.Named(propagate.Event{Container: f.Engine.Graph().DisplayName(i)}).Pod.Attempt > f.Engine.Fact(i).Attempt
}

// mayNotCount reports whether node i is a Retry whose attempts may not count, in the first call after a restart from a record: that does
// not hold the conditions of a pod, which the call tells.
func (w *world) mayNotCount(f *flow, i nodegraph.Index) bool {
	n := f.Engine.Graph().Node(i)
	if n.Kind != nodegraph.KindRetry || !f.fresh || w.host.restart == restartLoad {
		return false
	}
	return n.Template.Retry.IgnoreDisruptions || len(n.Template.Retry.Rules) > 0
}

// lateEnds reports whether a leaf of which only the absence was known has changed: its own end beats that, and what follows
// changes with it.
func (w *world) lateEnds(f *flow, before map[nodegraph.Index]look) bool {
	for i, was := range before {
		if was.rule != rule.RulePodGone && was.rule != rule.RuleContainerPod {
			continue
		}
		if v := f.Engine.Verdict(i); v.Phase != was.phase || !v.Fulfilled {
			return true
		}
	}
	return false
}

// checkComplete: of a complete workflow nothing is asked but to end pods and to take back locks (I2).
func (w *world) checkComplete(f *flow, result *propagate.Result) {
	if !f.Engine.Complete() {
		return
	}
	for _, a := range result.Actions {
		switch a.Type {
		case propagate.ActionTerminate, propagate.ActionRelease, propagate.ActionComplete:
		case propagate.ActionStart, propagate.ActionWait:
			i := f.Engine.Graph().Find(a.Name)
			if phase, _ := f.Engine.Phase(i); phase.Settled() && a.Kind != nodegraph.KindPod {
				continue // it was created and ended in this call
			}
			w.fault(f, "complete and Start", "the workflow is complete, and asks for %v", a)
		default:
			w.fault(f, "complete and "+a.Type.String(), "the workflow is complete, and asks for %v", a)
		}
	}
}

// checkWake: what waits for time alone has an ActionWake that is still to come, no later than that (I2).
func (w *world) checkWake(f *flow) {
	if f.dead {
		return
	}
	for _, o := range f.Engine.Obligations() {
		if o.For == propagate.WaitTimer && (f.Wake.IsZero() || !o.Until.IsZero() && f.Wake.After(o.Until)) {
			w.fault(f, "no wake", "%v until %v, and the host is woken at %v", o, o.Until, f.Wake)
		}
	}
}

// superseded reports whether something has changed of which a newer pod was told than the one that had ended: a host that was slow,
// or crashed, made two.
func (f *flow) superseded(before map[nodegraph.Index]look) bool {
	for i, was := range before {
		if v := f.Engine.Verdict(i); was.run.Before(f.run(i)) && (v.Phase != was.phase || !v.Fulfilled) {
			return true
		}
	}
	return false
}
