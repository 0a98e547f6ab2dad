package propagate

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// stateVersion is the version of the states that this version of the package saves and loads. States from before versions had
// numbers, which have none, are not loaded.
const stateVersion = 1

// A State is all that an engine knows of a run, in plain data that a host can store in any format. [FromState] makes an
// engine of it that differs in nothing. [Engine.Snapshot] stores less, in Argo's terms. Its JSON leaves out what goes
// without saying: times are seconds since the start.
type State struct {
	Version   int    // of the form of states; another than that of [Engine.Save] is not loaded
	Name      string // of the workflow
	Structure string // the fingerprint of the specification

	Now, Started time.Time                   // the time of the last call, and when the workflow started; UTC, zero for not yet
	Shutdown     string                      // "Stop" or "Terminate" once that was asked for; else empty
	Status       nodegraph.Phase             // of the workflow before the last call
	Suspended    bool                        // suspended as a whole
	Overdue      bool                        // past the workflow's deadline
	Workflow     fact.Fact                   // what is known of the workflow itself
	Count        int                         // how many nodes there are
	Nodes        []NodeState                 // in the order of the graph
	Older        map[string]map[string]int64 // by node id: the pods it had before, by UID, with their serials
}

// A NodeState is what is known of one node. Of a hook that is due and was held back nothing may be known but that.
type NodeState struct {
	Name       string           // in full, from the workflow's name down
	Fact       fact.Fact        // what was observed of it, and what the engine itself decided
	Resolved   bool             // a loop that the host resolved
	Items      []nodegraph.Item // its items
	Unexpanded bool             // it was created, and nothing was added inside it: there was no room, or an id was taken
}

// What a StateError may be, besides [ErrInvalid]: a field has a value that it can't have, or the JSON of a state is none.
var (
	// ErrStateVersion: State.Version is not that of states that [Engine.Save] returns.
	ErrStateVersion = errors.New("the state is of another version")
	// ErrStateWorkflow: the name or the fingerprint is not that of the specification.
	ErrStateWorkflow = errors.New("the state is of another workflow, or its specification has changed")
	// ErrStateInconsistent: fields that may each be can't be together, such as Count and a list of nodes of which some are missing, or
	// no sound engine comes of them.
	ErrStateInconsistent = errors.New("the state contradicts itself")
)

// A StateError says what of a saved state can't be, and is one of the sentinels by errors.Is.
type StateError struct {
	Node  string // its name; empty for the workflow
	Field string // as the JSON of a state calls it
	Value string // its value, as text; empty where no single value is wrong
	Err   error  // one of the sentinels, or what wraps one
}

// Error names the node, the field and the value.
func (e *StateError) Error() string {
	where := "the workflow"
	if e.Node != "" {
		where = fmt.Sprintf("node %q", e.Node)
	}
	if e.Value != "" {
		return fmt.Sprintf("propagate: state: %s: %s %q: %v", where, e.Field, e.Value, e.Err)
	}
	return fmt.Sprintf("propagate: state: %s: %s: %v", where, e.Field, e.Err)
}

// Unwrap returns the sentinel, or what wraps it.
func (e *StateError) Unwrap() error { return e.Err }

// inconsistent is what a check of an engine found wrong with the state that the engine was made of.
type inconsistent struct{ error }

// Is reports that a state with this error contradicts itself.
func (inconsistent) Is(target error) bool { return target == ErrStateInconsistent }

// Unwrap returns what was found.
func (i inconsistent) Unwrap() error { return i.error }

// check validates the fields of a state of a workflow with this specification.
func (s *State) check(spec *nodegraph.Spec) error {
	wrong := func(field string, value any, err error) error {
		return &StateError{Field: field, Value: fmt.Sprint(value), Err: err}
	}
	switch {
	case s.Version != stateVersion:
		return wrong("version", s.Version, ErrStateVersion)
	case s.Name != spec.Name:
		return wrong("workflow", s.Name, ErrStateWorkflow)
	case s.Structure != spec.Fingerprint():
		return wrong("structure", s.Structure, ErrStateWorkflow)
	case s.Count != len(s.Nodes):
		return wrong("count", s.Count, ErrStateInconsistent)
	case s.Status > nodegraph.PhaseOmitted:
		return wrong("status", s.Status, ErrInvalid)
	case !isStrategy(s.Shutdown):
		return wrong("shutdown", s.Shutdown, ErrInvalid)
	case !s.inReach(s.Now):
		return wrong("now", s.Now, ErrInvalid)
	case !s.Started.IsZero() && s.Now.Before(s.Started):
		return wrong("started", s.Started, ErrInvalid)
	case len(s.Nodes) > 0 && s.Started.IsZero() && s.Workflow.Stage == fact.StageNone && s.Workflow.Lock == fact.LockNone:
		return wrong("started", "", ErrStateInconsistent)
	}
	if err := s.checkNode(&NodeState{Fact: s.Workflow}); err != nil {
		return err
	}
	seen := make(map[string]bool, len(s.Nodes))
	for k := range s.Nodes {
		n := &s.Nodes[k]
		if n.Name == "" || seen[n.Name] {
			return &StateError{Node: n.Name, Field: "name", Value: n.Name, Err: ErrStateInconsistent}
		}
		seen[n.Name] = true
		if err := s.checkNode(n); err != nil {
			return err
		}
	}
	return nil
}

// isStrategy reports whether a text is a strategy of a shutdown, or none.
func isStrategy(text string) bool { return text == "" || text == "Stop" || text == "Terminate" }

// checkNode validates what is known of a node.
func (s *State) checkNode(n *NodeState) error {
	f := &n.Fact
	for _, field := range [...]struct {
		name  string
		value any
		ok    bool
	}{
		{"stage", f.Stage, f.Stage <= fact.StageStopped},
		{"phase", f.Phase, f.Phase <= nodegraph.PhaseOmitted && (f.Stage != fact.StageEnded || f.Phase.Completed())},
		{"lock", f.Lock, f.Lock <= fact.LockHeld},
		{"answer", f.Answer, f.Answer <= fact.AnswerOmit},
		{"memo", f.Memo, f.Memo <= fact.AnswerSkip},
		{"attempt", f.Attempt, f.Attempt >= 0 && f.Attempt < math.MaxInt32},
		{"restarts", f.Restarts, f.Restarts >= 0 && f.Restarts < math.MaxInt32},
		{"serial", f.Serial, f.Serial >= 0 && f.Serial < math.MaxInt64},
		{"recreate", f.RecreateSerial, f.RecreateSerial >= 0},
		{"exit", f.ExitCode, f.HasExit || f.ExitCode == 0},
		{"halted", f.Halted, isStrategy(f.Halted)},
		{"from", f.Created, s.inReach(f.Created) && !f.Created.After(s.Now)},
		{"to", f.Finished, s.inReach(f.Finished)},
		{"items", len(n.Items), n.Resolved || len(n.Items) == 0},
	} {
		if !field.ok {
			return &StateError{Node: n.Name, Field: field.name, Value: fmt.Sprint(field.value), Err: ErrInvalid}
		}
	}
	return nil
}

// reach is how far from the start of a workflow a time may be.
const reach = 100 * 365 * 24 * time.Hour

// inReach reports whether a time is none, or within a hundred years of the start of the workflow.
func (s *State) inReach(t time.Time) bool {
	since := t.Sub(s.base())
	return t.IsZero() || since > -reach && since < reach
}

// base is what times are stored after: the start of the workflow, which may not have started.
func (s *State) base() time.Time {
	if s.Started.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return s.Started
}

// checkRecord refuses values in a record that can't be.
func checkRecord(s *nodegraph.Snapshot) error {
	switch {
	case s.Phase > nodegraph.PhaseOmitted:
		return &StateError{Field: "phase", Value: s.Phase.String(), Err: ErrInvalid}
	case !isStrategy(s.Shutdown):
		return &StateError{Field: "shutdown", Value: s.Shutdown, Err: ErrInvalid}
	}
	for k := range s.Nodes {
		switch n := &s.Nodes[k]; {
		case n.Phase > nodegraph.PhaseOmitted, n.Kind == nodegraph.KindSkipped && !n.Phase.Settled():
			return &StateError{Node: n.Name, Field: "phase", Value: n.Phase.String(), Err: ErrInvalid}
		case n.Kind > nodegraph.KindSkipped:
			return &StateError{Node: n.Name, Field: "type", Value: n.Kind.String(), Err: ErrInvalid}
		case n.Restarts < 0:
			return &StateError{Node: n.Name, Field: "restarts", Value: strconv.Itoa(n.Restarts), Err: ErrInvalid}
		}
	}
	return nil
}
