package replay

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/enum"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// Mode is where each frame starts from.
type Mode uint8

// The modes.
const (
	Step Mode = iota // from the status recorded for the frame before
	Free             // from the engine's own state, which began with the specification alone
)

var modeNames = enum.Names{Type: "Mode", Of: []string{"step", "free"}}

// String is the mode as the command line spells it.
func (m Mode) String() string { return modeNames.String(uint8(m)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (m Mode) MarshalText() ([]byte, error) { return modeNames.Marshal(uint8(m)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (m *Mode) UnmarshalText(text []byte) error { return enum.Unmarshal(&modeNames, text, m) }

// A Moment is the engine after a frame, and what the frame brought about.
type Moment struct {
	Frame  int               // its number, from 0
	Engine *propagate.Engine // as it is after the frame; in mode Free the next frame goes on with it
	Result propagate.Result  // of all calls of the frame; a node has one change at most
	// Unknown are the ids of recorded nodes that the specification never asks for (mode Step).
	Unknown []string
}

// A Player plays one recording.
type Player struct {
	Recording *Recording // what is played; it is only read
	Mode      Mode       // where each frame starts from
	// After, if set, is called after every call of the engine.
	After func(*propagate.Engine) error
	// Locks, if set, is a table that the workflow shares with others (mode Free).
	Locks *propagate.LockTable
	// Granted, if set, is called for holders of other workflows that got their locks because this one gave some back.
	Granted func(propagate.Holder)

	host         *Host
	others       []propagate.Holder // of locks, around the workflow
	surroundings *surroundings
	limits       *limits
	spec         *nodegraph.Spec // with the limits; engines share it
}

// Play plays every frame and calls visit after each. It stops at the first error, which is visit's, the engine's or
// After's.
func (p *Player) Play(visit func(*Moment) error) error {
	for k := range p.Recording.Frames {
		m, err := p.frame(k)
		if err != nil {
			return &FormatError{Recording: p.Recording.Name, Frame: k, Err: err}
		}
		if err := visit(m); err != nil {
			return err
		}
	}
	return nil
}

// frame plays frame k.
func (p *Player) frame(k int) (*Moment, error) {
	m := &Moment{Frame: k}
	if p.host == nil || p.Mode == Step {
		e, unknown, err := p.start(k)
		if err != nil {
			return nil, err
		}
		m.Unknown = unknown
		p.hostOf(e, k)
	}
	p.surroundings.frame = k
	if strings.Contains(p.Recording.Engine, "v3.6") {
		p.host.Engine.SetBareMessages(true)
	}
	m.Engine = p.host.Engine
	f := &p.Recording.Frames[k]
	p.around(f)
	if ev, ok := retried(m.Engine, f); ok { // a complete workflow hears nothing else
		r, err := p.host.Apply(f.Now, ev)
		if err != nil {
			return nil, err
		}
		m.Result = r
	}
	var before *Frame
	if k > 0 {
		before = &p.Recording.Frames[k-1]
	}
	r, err := p.host.Step(f.Now, nodePods(f), told(m.Engine, before, f)...)
	m.Result.Changes = coalesce(append(m.Result.Changes, r.Changes...))
	m.Result.Actions = append(m.Result.Actions, r.Actions...)
	m.Result.Unknown = r.Unknown
	return m, err
}

// hostOf makes the host of the engine that frame k begins with, which knows the locks that the engine holds.
func (p *Player) hostOf(e *propagate.Engine, k int) {
	p.surroundings = &surroundings{recording: p.Recording}
	p.host = &Host{
		Engine: e, Workflow: p.Recording.Name, Locks: p.Locks, Visits: true,
		Answer: p.surroundings.answer, After: p.After, Granted: p.Granted,
	}
	if p.host.Locks == nil {
		p.host.Locks = &propagate.LockTable{}
	}
	p.others = nil
	p.around(&p.Recording.Frames[k])
	p.host.Locks.Adopt(p.Recording.Name, e)
	for _, free := range p.host.Locks.Grant() {
		p.host.later = append(p.host.later, propagate.LockGranted(free.Node))
	}
}

// start makes the engine that frame k begins with.
func (p *Player) start(k int) (*propagate.Engine, []string, error) {
	if p.spec == nil {
		spec, err := p.Recording.Spec()
		if err != nil {
			return nil, nil, err
		}
		if p.limits == nil {
			p.limits = p.Recording.recordedLimits()
		}
		p.limits.fill(spec)
		p.spec = spec
	}
	if k == 0 {
		e, err := propagate.New(p.spec)
		return e, nil, err
	}
	return propagate.FromSnapshot(p.spec, p.Recording.Frames[k-1].Recorded)
}

// Existing calls do for every node that the workflow has after the frame, in the order of the graph.
func (m *Moment) Existing(do func(i nodegraph.Index, n *nodegraph.Node, kind nodegraph.Kind, v rule.Verdict)) {
	g := m.Engine.Graph()
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		if m.Engine.Exists(i) {
			do(i, g.Node(i), m.Engine.Kind(i), m.Engine.Verdict(i))
		}
	}
}
