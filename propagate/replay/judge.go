package replay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Deviations is how many deviations of the controller are known; testdata/DEVIATIONS.md describes each.
const Deviations = 7

// A Difference is a node, or the workflow, of which the recording and the engine disagree after a frame.
type Difference struct {
	Recording string
	Frame     int
	ID, Name  string // of the node; empty for the workflow
	Want      State  // recorded
	Got       State  // computed
	Deviation int    // its number, 0 for none
	Ahead     bool   // the recording reaches it in a following frame in which nothing happens
}

// Defect tells whether the library is to blame.
func (d *Difference) Defect() bool { return d.Deviation == 0 && !d.Ahead }

// String shows the difference in one line.
func (d *Difference) String() string {
	name := d.Name
	if d.ID == "" {
		name = "workflow"
	}
	verdict := "DEFECT"
	switch {
	case d.Ahead:
		verdict = "ahead"
	case d.Deviation > 0:
		verdict = fmt.Sprintf("deviation %d", d.Deviation)
	}
	return fmt.Sprintf("%s frame %d %s: recorded %s, computed %s: %s", d.Recording, d.Frame, name, d.Want, d.Got, verdict)
}

// State is what a frame shows of one node. The zero State is a node that does not exist.
type State struct {
	Name    string
	Kind    nodegraph.Kind
	Phase   nodegraph.Phase
	Message string
}

// String shows kind, phase and message, or "(none)".
func (s State) String() string {
	if s == (State{}) {
		return "(none)"
	}
	text := s.Phase.String()
	if s.Kind != nodegraph.Workflow {
		text = s.Kind.String() + " " + text
	}
	if s.Message != "" {
		text += fmt.Sprintf(" %q", s.Message)
	}
	return text
}

// A Verdict is what the judge found in one recording.
type Verdict struct {
	Recording   string
	Frames      int
	Nodes       int // states compared, the workflow's included
	Equal       int
	Differences []Difference
	// Waiting is what the library waits for after the last frame; nothing where the workflow is complete.
	Waiting []propagate.Obligation
}

// Count returns how many differences keep says are to be counted.
func (v *Verdict) Count(keep func(*Difference) bool) int {
	n := 0
	for k := range v.Differences {
		if keep(&v.Differences[k]) {
			n++
		}
	}
	return n
}

// Defects returns the differences that are the library's.
func (v *Verdict) Defects() []Difference {
	return slices.DeleteFunc(slices.Clone(v.Differences), func(d Difference) bool { return !d.Defect() })
}

// Judge plays the recording and compares every frame with it.
func Judge(p *Player) (*Verdict, error) {
	v := &Verdict{Recording: p.Recording.Name, Frames: len(p.Recording.Frames)}
	j := newJudge(p.Recording, p.Mode)
	err := p.Play(func(m *Moment) error {
		j.compare(m, v)
		v.Waiting = m.Engine.Obligations()
		return nil
	})
	return v, err
}

// judge compares the frames of one recording.
type judge struct {
	recording *Recording
	recorded  []map[string]State // by frame and node id; the workflow has the empty id
	tainted   taint
	reordered bool // starts came in another order: all that follows may differ
	mode      Mode
}

func newJudge(r *Recording, mode Mode) *judge {
	j := &judge{recording: r, mode: mode, tainted: make(taint)}
	for k := range r.Frames {
		j.recorded = append(j.recorded, recordedStates(&r.Frames[k].Recorded))
	}
	return j
}

func recordedStates(s *nodegraph.Snapshot) map[string]State {
	states := make(map[string]State, len(s.Nodes)+1)
	states[""] = State{Phase: s.Phase, Message: s.Message}
	for _, n := range s.Nodes {
		states[n.ID] = State{n.Name, n.Kind, n.Phase, n.Message}
	}
	return states
}

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

// compare judges one frame.
func (j *judge) compare(m *Moment, v *Verdict) {
	got, want := m.States(), j.recorded[m.Frame]
	var differences []Difference
	for _, id := range union(got, want) {
		v.Nodes++
		if got[id] == want[id] {
			v.Equal++
			continue
		}
		d := Difference{Recording: v.Recording, Frame: m.Frame, ID: id, Name: got[id].Name, Want: want[id], Got: got[id]}
		if d.Name == "" {
			d.Name = want[id].Name
		}
		d.Ahead = j.reaches(m.Frame, id, got[id])
		differences = append(differences, d)
	}
	j.number(m, differences)
	v.Differences = append(v.Differences, differences...)
}

// union returns the ids of both, in the order of the names.
func union(a, b map[string]State) []string {
	var ids []string
	name := func(id string) string {
		if s, ok := a[id]; ok {
			return s.Name
		}
		return b[id].Name
	}
	for id := range a {
		ids = append(ids, id)
	}
	for id := range b {
		if _, ok := a[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y string) int { return strings.Compare(name(x), name(y)) })
	return ids
}

// reaches tells whether the recording comes to show state of node id in a frame after k, with nothing happening in
// between: the controller lags behind its own fixed point.
func (j *judge) reaches(k int, id string, state State) bool {
	for next := k + 1; next < len(j.recording.Frames) && j.quiet(next); next++ {
		if j.recorded[next][id] == state {
			return true
		}
	}
	return false
}

// quiet tells whether nothing happened between frame k-1 and k: no pod changed, nobody did anything, and no time was
// let pass on purpose.
func (j *judge) quiet(k int) bool {
	f := &j.recording.Frames[k]
	for _, verb := range []string{"sleep", "wait", "resume", "manual-retry", "shutdown"} {
		if f.has(verb) {
			return false
		}
	}
	return !f.respecified && samePods(j.recording.Frames[k-1].Pods, f.Pods)
}
