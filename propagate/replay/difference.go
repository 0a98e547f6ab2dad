package replay

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Difference is a node, or the workflow, of which the recording and the engine disagree after a frame.
type Difference struct {
	Recording string // its name
	Frame     int    // its number, from 0
	Start     int    // the frame that the run began with
	ID, Name  string // of the node; empty for the workflow
	Want      State  // recorded
	Got       State  // computed
	Deviation int    // its number, 0 for none
	Ahead     bool   // the recording reaches it in a following frame, and nothing happens that the node depends on
	Lacks     string // the key of a lock that the recorded node waits for, and of which the frame does not say that others hold it
}

// Defect reports whether the library is to blame.
func (d *Difference) Defect() bool { return d.Deviation == 0 && !d.Ahead }

// Node is the name of the node, or "workflow".
func (d *Difference) Node() string {
	if d.ID == "" {
		return "workflow"
	}
	return d.Name
}

// String shows the difference in one line.
func (d *Difference) String() string {
	verdict := "DEFECT"
	switch {
	case d.Deviation > 0:
		verdict = fmt.Sprintf("deviation %d", d.Deviation)
	case d.Ahead:
		verdict = "ahead"
	case d.Lacks != "":
		verdict += fmt.Sprintf(": the frame does not say that others held %s, so it was free here; record it (around; Locks of propagatetest.Frame)", d.Lacks)
	}
	return fmt.Sprintf("%s frame %d %s: recorded %s, computed %s: %s", d.Recording, d.Frame, d.Node(), d.Want, d.Got, verdict)
}

// awaited is the lock for which a node waits, as its message says.
var awaited = regexp.MustCompile(`^Waiting for (\S+) lock\. `)

// lacks is the lock that a node waits for in a frame, got here, and that the frame has in nobody's hands; empty for none.
func (d *Difference) lacks(f *Frame) string {
	m := awaited.FindStringSubmatch(d.Want.Message)
	if m == nil || awaited.MatchString(d.Got.Message) || slices.Contains(f.Around, m[1]) {
		return ""
	}
	return m[1]
}

// State is what a frame shows of one node. The zero State is a node that does not exist.
type State struct {
	Name    string          // in full; empty for the workflow
	Kind    nodegraph.Kind  // nodegraph.KindWorkflow for the workflow
	Phase   nodegraph.Phase // as the status shows it
	Message string          // as the status shows it
}

// String shows kind, phase and message, or "(none)".
func (s State) String() string {
	if s == (State{}) {
		return "(none)"
	}
	text := s.Phase.String()
	if s.Kind != nodegraph.KindWorkflow {
		text = s.Kind.String() + " " + text
	}
	if s.Message != "" {
		text += fmt.Sprintf(" %q", s.Message)
	}
	return text
}

// same reports whether two states are the same, but for how long an attempt took where a message says it: the controller reads
// its clock while it reconciles, and a frame has the time at which that began.
func (s State) same(o State) bool {
	if s != o && strings.Contains(s.Message, "unable to evaluate expression '") {
		s.Message, o.Message = seconds.ReplaceAllString(s.Message, "int(…)"), seconds.ReplaceAllString(o.Message, "int(…)")
	}
	return s == o
}

// seconds is a duration in seconds that an expression could not take for a whole number.
var seconds = regexp.MustCompile(`\bint\(\d+\.\d+\)`)

// States returns what the engine shows after the frame, by node id; the workflow has the empty id.
func (m *Moment) States() map[string]State {
	states := make(map[string]State, m.Engine.Graph().Len())
	phase, message := m.Engine.Workflow()
	states[""] = State{Phase: phase, Message: message}
	g := m.Engine.Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if m.Engine.Exists(i) {
			v, n := m.Engine.Verdict(i), g.Node(i)
			states[n.ID()] = State{n.Name(), m.Engine.Kind(i), v.Phase, v.Message}
		}
	}
	return states
}
