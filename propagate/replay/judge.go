package replay

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Difference is a node, or the workflow, of which the recording and the engine disagree after a frame.
type Difference struct {
	Recording string
	Frame     int
	Start     int    // the frame that the run began with
	ID, Name  string // of the node; empty for the workflow
	Want      State  // recorded
	Got       State  // computed
	Deviation int    // its number, 0 for none
	Ahead     bool   // the recording reaches it in a following frame, and nothing happens that the node depends on
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
	}
	return fmt.Sprintf("%s frame %d %s: recorded %s, computed %s: %s", d.Recording, d.Frame, d.Node(), d.Want, d.Got, verdict)
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

// A Verdict is what the judge found in one recording.
type Verdict struct {
	Recording string
	Mode      Mode
	Frames    int
	Nodes     int // states compared, the workflow's included
	Equal     int
	// Differences come frame by frame. A node differs at most once in a frame, however many runs show that it does.
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

// Judge plays the recording and compares what the engine shows with it.
//
// In mode Step each frame is played from the one recorded before it. In mode Free a run begins with each frame and goes
// on to the end. The first frame of a run that differs is what the run tells: what comes after it may follow from it,
// so nothing of that is compared. A state that is ahead is no difference in this sense.
//
// The error is that of the first run that could not go on. The verdict is then on what could be played.
func Judge(p *Player) (*Verdict, error) {
	j := newJudge(p)
	var first error
	for start := range p.Recording.Frames {
		if err := j.run(start); err != nil && first == nil {
			first = err
		}
	}
	return j.verdict(), first
}

// judge compares the frames of one recording.
type judge struct {
	player   *Player
	recorded []record
	seen     []map[string]*Difference // by frame and node id; nil for a state that is equal
	waiting  []propagate.Obligation
}

func newJudge(p *Player) *judge {
	j := &judge{player: p}
	for k := range p.Recording.Frames {
		j.recorded = append(j.recorded, newRecord(&p.Recording.Frames[k].Recorded))
		j.seen = append(j.seen, make(map[string]*Difference))
	}
	return j
}

// run plays the recording from frame start on, and compares until a frame differs.
func (j *judge) run(start int) error {
	p := &Player{Recording: j.player.Recording, Mode: j.player.Mode, After: j.player.After, limits: j.player.limits, spec: j.player.spec}
	defer func() { j.player.limits, j.player.spec = p.limits, p.spec }()
	last := len(j.recorded) - 1
	end := last
	if p.Mode == Step {
		end = start
	}
	told := false
	for k := start; k <= end; k++ {
		m, err := p.frame(k)
		if err != nil {
			return &FormatError{Recording: p.Recording.Name, Frame: k, Err: err}
		}
		if k == last && (start == 0 || p.Mode == Step) {
			j.waiting = m.Engine.Obligations()
		}
		if !told {
			told = j.compare(m, start)
		}
		if told && start > 0 {
			return nil
		}
	}
	return nil
}

// compare judges one frame and reports whether it differs.
func (j *judge) compare(m *Moment, start int) bool {
	s := j.scene(m)
	differs := false
	for _, id := range union(s.got, s.want.states) {
		if s.got[id].same(s.want.states[id]) {
			if _, ok := j.seen[m.Frame][id]; !ok {
				j.seen[m.Frame][id] = nil
			}
			continue
		}
		d := &Difference{
			Recording: j.player.Recording.Name, Frame: m.Frame, Start: start, ID: id, Name: s.got[id].Name,
			Want: s.want.states[id], Got: s.got[id],
		}
		if d.Name == "" {
			d.Name = d.Want.Name
		}
		s.differences[id] = d
	}
	s.number()
	for id, d := range s.differences {
		d.Ahead = d.Deviation == 0 && s.ahead(s.at(id))
		differs = differs || !d.Ahead
		j.keep(d)
	}
	return differs
}

// keep remembers a difference. Of several at one place a defect is kept before a deviation, and one that is ahead last.
func (j *judge) keep(d *Difference) {
	rank := func(d *Difference) int {
		switch {
		case d == nil || d.Ahead:
			return 0
		case d.Deviation > 0:
			return 1
		}
		return 2
	}
	if known := j.seen[d.Frame][d.ID]; known == nil || rank(d) > rank(known) {
		j.seen[d.Frame][d.ID] = d
	}
}

// verdict puts together what the runs found.
func (j *judge) verdict() *Verdict {
	v := &Verdict{Recording: j.player.Recording.Name, Mode: j.player.Mode, Frames: len(j.recorded), Waiting: j.waiting}
	for _, nodes := range j.seen {
		var found []Difference
		for _, d := range nodes {
			v.Nodes++
			if d == nil {
				v.Equal++
				continue
			}
			found = append(found, *d)
		}
		slices.SortFunc(found, func(a, b Difference) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
		v.Differences = append(v.Differences, found...)
	}
	return v
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

// union returns the ids of both, each once.
func union(a, b map[string]State) []string {
	ids := make([]string, 0, len(a))
	for id := range a {
		ids = append(ids, id)
	}
	for id := range b {
		if _, ok := a[id]; !ok {
			ids = append(ids, id)
		}
	}
	return ids
}
