package rule

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Reason says why one node has its phase.
type Reason struct {
	Node    nodegraph.Index // nodegraph.Root for the workflow
	Name    string          // of the node; the workflow's for the workflow
	Kind    nodegraph.Kind  // what the node's template makes of it, also where it was skipped
	Phase   nodegraph.Phase // PhasePlanned for a node that was not created
	Message string          // what the node says, in Argo's words; empty where it says nothing
	Rule    Rule            // the rule that decided the phase
	Line    string          // of the specification, such as "Pod 5"
	Because string          // one sentence without a full stop; of a leaf it tells the fact
}

// String shows the reason in one line.
func (r Reason) String() string {
	phase := r.Phase.String()
	if r.Phase == nodegraph.PhasePlanned {
		phase = "not created"
	}
	return fmt.Sprintf("%s %s is %s: %s", r.Kind, r.Name, phase, r.Because)
}

// Explain says why node i has its phase: the node first, then the node that decided that, and so on down to the facts.
// Each node comes once. It allocates.
func (e *Evaluator) Explain(i nodegraph.Index) []Reason {
	var reasons []Reason
	for seen := map[nodegraph.Index]bool{}; i != nodegraph.None && !seen[i]; {
		seen[i] = true
		v := e.Spell(e.JudgeAside(i))
		reasons = append(reasons, e.reason(i, &v))
		i = v.By
	}
	return reasons
}

// reason explains node i by the node that decided it, or by its own facts.
func (e *Evaluator) reason(i nodegraph.Index, v *Verdict) Reason {
	n, f := e.graph.Node(i), e.facts.Fact(i)
	r := Reason{Node: i, Name: e.NameOf(i), Kind: n.Kind, Phase: v.Phase, Message: v.Message, Rule: v.Rule, Line: v.Line}
	by := ""
	if v.By != nodegraph.None {
		by = e.graph.Node(v.By).Kind.String() + " " + e.NameOf(v.By)
	}
	r.Because = because(v, &f, by)
	if v.Rule == RulePlanned {
		r.Because = e.whyPlanned(i, v.By, by)
	}
	if !v.Wake.IsZero() && !v.Fulfilled {
		r.Because += ", until " + clock(v.Wake)
	}
	return r
}

// whyPlanned says why node i was not created yet, or never will be.
func (e *Evaluator) whyPlanned(i, decides nodegraph.Index, by string) string {
	switch {
	case !e.graph.Needed(i):
		return "no target of its DAG needs it"
	case decides == nodegraph.None:
		return "something it comes after has not ended"
	case e.graph.Node(i).Role == nodegraph.RoleStep && e.replaced(i):
		return "its items stand for it"
	case decides == e.graph.Node(i).Parent:
		return "it is inside " + by + ", which has not begun"
	case e.briefs[decides].Fulfilled():
		return "it comes after " + by + ", which has failed"
	}
	return fmt.Sprintf(sentences[RulePlanned], by)
}

// sentences says in words what each rule means; %s stands for the node that decided.
var sentences = [...]string{
	RulePlanned:       "it comes after %s, which has not ended",
	ruleReady:         "it may start, as soon as nothing limits it",
	ruleWaitCondition: "the host must evaluate its condition or resolve its items",
	ruleOmitted:       "its depends can no longer hold, because of %s",
	ruleWhenFalse:     "its when is false",
	ruleNoItems:       "it has no items",
	ruleInvalid:       "its specification can't run",
	RuleLockWait:      "it waits for a lock",
	RuleStartOwed:     "the host was asked to create its pod and has not reported one",
	RulePodPending:    "its pod exists and does not run yet",
	RulePodRunning:    "its pod runs",
	RulePodResult:     "its pod ended",
	RulePodGone:       "its pod ran and is gone without a result",
	RulePodRecreate:   "its pod is gone and never ran, so it is created again",
	RuleStopped:       "the workflow stopped it",
	ruleDaemonReady:   "it is a daemon, and ready",
	RuleDaemonEnded:   "it is a daemon, and ended by itself",
	RuleUnsynced:      "its pod ended and its results are not stored yet",
	ruleContainerOwn:  "it was not seen to run yet",
	RuleContainerPod:  "it is inside %s, which has ended",
	RuleMembersOpen:   "%s has not ended",
	ruleMembersDone:   "all inside it has ended well",
	ruleMemberFailed:  "%s decides it",
	RuleShutdown:      "the workflow was shut down",
	RuleRetry:         "its attempts decide it",
	RuleSuspended:     "it waits to be resumed",
	ruleResumed:       "it was resumed, or its time came",
	RuleServed:        "this is what the host reported of it",
	ruleExitHandler:   "%s, an exit handler, decides it",
	ruleEntry:         "%s decides it",
	ruleComplete:      "it was complete when it was loaded",
	RuleWhole:         "it ended as a whole: it was memoized, kept by a manual retry or a record, or closed with what it is inside of",
	RuleFailFast:      "%s failed, and its template fails fast",
	RuleBranchFailed:  "%s failed, and a target that comes after it was skipped or omitted",
}

// because is the sentence for a verdict, with what the facts add.
func because(v *Verdict, f *fact.Fact, by string) string {
	text := sentences[v.Rule]
	if strings.Contains(text, "%s") {
		if by == "" {
			by = "something"
		}
		text = fmt.Sprintf(text, by)
	}
	if v.Rule == ruleContainerOwn && f.Stage == fact.StageRunning {
		text = "it was seen to run"
	} else if v.Rule == ruleContainerOwn && f.Stage == fact.StageEnded {
		text = "it was seen to end"
	}
	switch v.Rule {
	case RuleRetry:
		text += " (" + v.Check.String() + ")"
	case RulePodResult, RulePodGone, ruleContainerOwn, RuleStopped, RuleServed:
		if !f.Finished.IsZero() && v.Fulfilled {
			text += " at " + clock(f.Finished)
		}
		if f.Reason != "" {
			text += " (" + f.Reason + ")"
		}
	}
	return text
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }
