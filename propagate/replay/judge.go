package replay

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/propagate"
)

// A Verdict is what the judge found in one recording.
type Verdict struct {
	Recording string // its name
	Mode      Mode   // how it was played
	Frames    int    // how many the recording has
	Nodes     int    // states compared, the workflow's included
	Equal     int    // those of Nodes that are the same
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
		d.Lacks = d.lacks(&j.player.Recording.Frames[m.Frame])
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
