package propagate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// How much a hint looks at and says, however large the workflow is.
const (
	hintNames    = 5    // names that it lists
	hintSearched = 2000 // members among which it looks for similar names
	hintTypos    = 2    // letters in which a similar name differs at most
)

// hint says what there is in place of what a refused event names: names that are similar, or what is inside the nearest node that is
// there. It is for people, and empty where the error says everything.
func (e *Engine) hint(refusal *EventError, ev *Event, i nodegraph.Index) string {
	switch {
	case errors.Is(refusal.Err, ErrUnknownNode) && refusal.Field == "container":
		return e.containersHint(i, ev.Container)
	case errors.Is(refusal.Err, ErrUnknownNode) && refusal.Value == "":
		return "an event names its node by Node, or by At, which is " + strconv.Itoa(int(ev.At)) + " of " + strconv.Itoa(e.graph.Len()) + " nodes"
	case errors.Is(refusal.Err, ErrUnknownNode):
		return e.namesHint(refusal.Value)
	case errors.Is(refusal.Err, ErrWrongKind):
		return e.kindHint(ev, i)
	case errors.Is(refusal.Err, ErrNotStarted):
		return "it is " + e.phaseWords(i) + ", and the host was not asked to start it"
	case errors.Is(refusal.Err, ErrWaitsForLock):
		return "its pod must not exist yet: ActionRecreate asks for it when the lock was granted"
	case errors.Is(refusal.Err, ErrInvalid) && refusal.Field == "phase" && ev.Type == EventManualRetry:
		return "only a workflow that is Failed or in Error is retried, or one that Succeeded with nodes that run again"
	case errors.Is(refusal.Err, ErrInvalid) && refusal.Field == "phase":
		return "what has ended is Succeeded, Failed or Error"
	case errors.Is(refusal.Err, ErrInvalid):
		return valueHints[refusal.Field]
	}
	return ""
}

// valueHints say which values a field can have.
var valueHints = map[string]string{
	"type":     "make events with their constructors",
	"exitCode": "HasExit says that the code is known: see Event.WithExit",
	"attempt":  "the first run is 1",
	"strategy": "it is Stop or Terminate",
}

// phaseWords is the phase of node i in words.
func (e *Engine) phaseWords(i nodegraph.Index) string {
	if p, _ := e.Phase(i); p != nodegraph.PhasePlanned {
		return p.String()
	}
	return "planned"
}

// namesHint says which nodes there are around a name that none has: similar ones, or those inside the nearest that is there.
func (e *Engine) namesHint(name string) string {
	around := nodegraph.None
	for rest := name; around == nodegraph.None; {
		cut := strings.LastIndexAny(rest, ".([")
		if cut < 0 {
			break
		}
		rest = rest[:cut]
		around = e.graph.Find(rest)
	}
	entry := e.graph.Spec().Name
	if around == nodegraph.None {
		if full := entry + "." + name; e.graph.Find(full) > nodegraph.Root {
			return "did you mean " + full + "?"
		}
		return "the names of the workflow's nodes begin with " + entry
	}
	if similar := e.similar(around, name); len(similar) > 0 {
		return "did you mean " + strings.Join(similar, " or ") + "?"
	}
	return e.membersHint(around)
}

// similar lists members of node i whose names are nearly this name.
func (e *Engine) similar(i nodegraph.Index, name string) []string {
	var list []string
	looked := 0
	for m := range e.graph.Members(i) {
		if looked++; looked > hintSearched || len(list) == hintNames {
			break
		}
		if is := e.graph.Node(m).Name(); typos(is, name) <= hintTypos && !digitsApart(is, name) {
			list = append(list, is)
		}
	}
	return list
}

// digitsApart reports whether two names differ in digits alone: those are others of a row, such as attempts, and no typos.
func digitsApart(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	return letters(a) == letters(b)
}

// typos counts the letters in which two names differ, if they are few.
func typos(a, b string) int {
	if max(len(a), len(b)) > nodegraph.MaxNameLength || max(len(a)-len(b), len(b)-len(a)) > hintTypos {
		return hintTypos + 1
	}
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for x := range len(a) {
		corner := row[0]
		row[0] = x + 1
		for y := range len(b) {
			change := corner
			if a[x] != b[y] {
				change++
			}
			corner = row[y+1]
			row[y+1] = min(change, corner+1, row[y]+1)
		}
	}
	return row[len(b)]
}

// memberWords is what is inside a node of a kind.
var memberWords = map[nodegraph.Kind]string{
	nodegraph.KindRetry: "attempts", nodegraph.KindDAG: "tasks", nodegraph.KindSteps: "step groups", nodegraph.KindStepGroup: "steps",
	nodegraph.KindTaskGroup: "items", nodegraph.KindPod: "containers",
}

// membersHint says what node i is and what is inside it.
func (e *Engine) membersHint(i nodegraph.Index) string {
	n := e.graph.Node(i)
	is := e.rules.NameOf(i) + " is a " + n.Kind.String()
	if n.Kind == nodegraph.KindSteps {
		is = e.rules.NameOf(i) + " is Steps"
	}
	inside, all := []string(nil), 0
	for m := range e.graph.Members(i) {
		if e.graph.Node(m).Role == nodegraph.RoleHook {
			continue
		}
		if all++; all <= hintNames {
			inside = append(inside, e.graph.Node(m).Name())
		}
	}
	switch words := memberWords[n.Kind]; {
	case words == "", n.Kind == nodegraph.KindPod && all == 0:
		return is
	case all == 0:
		return is + " without " + words + " so far"
	default:
		return is + ": its " + words + " are " + listed(inside, all)
	}
}

// listed lists the first of so many names.
func listed(names []string, all int) string {
	text := strings.Join(names, ", ")
	if all > len(names) {
		text += fmt.Sprintf(" and %d more", all-len(names))
	}
	return text
}

// containersHint says which containers pod i has.
func (e *Engine) containersHint(i nodegraph.Index, name string) string {
	t := e.graph.Node(i).Template
	if len(t.Containers) == 0 {
		return "the pod declares no containers: tell of the pod, and of its exit code by Event.WithExit"
	}
	var names []string
	for k := range t.Containers {
		names = append(names, t.Containers[k].Name)
	}
	if slices.Contains(names, name) {
		return "the pod waits for a lock and has no containers yet"
	}
	return "its containers are " + listed(names[:min(len(names), hintNames)], len(names))
}

// kindHint says what node i is to which an event of this type can't happen, and what can.
func (e *Engine) kindHint(ev *Event, i nodegraph.Index) string {
	switch eventRules[ev.Type].about {
	case aboutLocks:
		return "it has no locks"
	case aboutWait:
		return "it never asks for that"
	}
	n := e.graph.Node(i)
	switch n.Kind {
	case nodegraph.KindPod:
		return n.Name() + " is a Pod: it ends by PodSucceeded or PodFailed"
	case nodegraph.KindContainer:
		return n.Name() + " is a Container: an event names its pod, " + e.graph.Node(n.Parent).Name() + ", and the container"
	case nodegraph.KindSuspend:
		return n.Name() + " is a Suspend: it ends by Resumed"
	case nodegraph.KindHTTP, nodegraph.KindPlugin:
		return n.Name() + " is of kind " + n.Kind.String() + ": it ends by NodeEnded"
	}
	return e.membersHint(i)
}
