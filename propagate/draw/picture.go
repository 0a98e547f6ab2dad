package draw

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

// A look is how a node shows at one moment.
type look struct {
	absent  bool // in a film: the node is not promised yet
	kind    nodegraph.Kind
	phase   nodegraph.Phase
	message string
	by      string // what decided
	needs   string // what the workflow waits for at this node, empty for nothing
	note    string // what is wrong with it
	chain   bool   // on the highlighted chain
	culprit bool   // what the chain leads to
	run     int    // how many nodes a box of likes holds; 0 for all other boxes
	started time.Time
	ended   time.Time
	since   time.Time // when what the workflow waits for began
	until   time.Time
}

// An arrow leads from a node to one that comes after it, or to its hook.
type arrow struct{ from, to int }

// A Picture is a workflow at one moment. It refers to nothing that could change.
type Picture struct {
	scene    scene
	looks    []look
	chain    map[arrow]bool // highlighted arrows
	reasons  []rule.Reason
	waits    []wait
	findings []finding
	complete bool
	pointed  bool // the chain leads to findings
	now      time.Time
}

// A wait is an obligation and the reason for it.
type wait struct {
	propagate.Obligation
	ID     string
	Reason string
}

// A finding is about a node, which has an id if it is in the picture.
type finding struct{ ID, Node, Text string }

// Of takes a picture of the workflow as the engine has it, with what the specification promises inside of what has not begun.
func Of(e *propagate.Engine) *Picture {
	p := &Picture{scene: sceneOf(e.Graph()), chain: make(map[arrow]bool), complete: e.Complete(), now: e.Now()}
	if g := planned(e); g != e.Graph() {
		p.scene = p.scene.promise(g)
	}
	p.looks = make([]look, len(p.scene))
	for i := range p.looks {
		p.looks[i].kind = p.scene[i].kind
	}
	for i := nodegraph.Root; int(i) < e.Graph().Len(); i++ {
		p.look(e, i)
	}
	p.date(e)
	for _, o := range e.Obligations() {
		l := &p.looks[o.Node]
		l.needs, l.since, l.until = o.For.String(), o.Since, o.Until
		p.waits = append(p.waits, wait{Obligation: o, ID: p.scene[o.Node].id, Reason: e.Explain(o.Node)[0].String()})
	}
	if phase, _ := e.Workflow(); !p.complete {
		p.reasons = p.blocking(e)
	} else if phase.Unsuccessful() {
		p.reasons = e.Explain(nodegraph.Root)
	}
	for k, r := range p.reasons {
		p.looks[r.Node].chain, p.looks[r.Node].culprit = true, k == len(p.reasons)-1
		if k > 0 {
			p.link(int(p.reasons[k-1].Node), int(r.Node))
		}
	}
	if n := len(p.reasons); n > 0 && p.complete {
		p.blame(int(p.reasons[n-1].Node))
	}
	return p
}

// blame leads the chain on, from a node that was loaded as it had ended, to what failed first inside of it.
func (p *Picture) blame(i int) {
	members := p.scene.members()
	for {
		worst := noBox
		for _, m := range members[i] {
			if l := &p.looks[m]; l.phase.Unsuccessful() && (worst == noBox || !l.ended.IsZero() && l.ended.Before(p.looks[worst].ended)) {
				worst = m
			}
		}
		if worst == noBox || p.looks[worst].chain {
			return
		}
		p.looks[i].culprit = false
		p.looks[worst].chain, p.looks[worst].culprit = true, true
		i = worst
	}
}

// look notes how a node is.
func (p *Picture) look(e *propagate.Engine, i nodegraph.Index) {
	v, l := e.Verdict(i), &p.looks[i]
	if i != nodegraph.Root && e.Exists(i) {
		l.kind, l.phase, l.message = e.Kind(i), v.Phase, v.Message
	} else if i == nodegraph.Root {
		l.phase, l.message = v.Phase, v.Message
	}
	l.by = v.Rule.String()
	if v.By != nodegraph.None {
		l.by += ", by " + p.scene[v.By].name
	}
}

// date notes when what has begun did so, and when it ended.
func (p *Picture) date(e *propagate.Engine) {
	s := e.Snapshot()
	p.looks[0].started, p.looks[0].ended = s.Started, s.Finished
	for k := range s.Nodes {
		if i := e.Graph().Find(s.Nodes[k].ID); i != nodegraph.None {
			p.looks[i].started, p.looks[i].ended = s.Nodes[k].Started, s.Nodes[k].Finished
		}
	}
}

// blocking is the way from an unfinished workflow down to something that it waits for. Explanations go further, from a
// Retry that waits for its time to the attempt that has ended.
func (p *Picture) blocking(e *propagate.Engine) []rule.Reason {
	way := e.Explain(nodegraph.Root)
	for k := 1; k < len(way); k++ {
		if p.looks[way[k-1].Node].needs != "" && e.Verdict(way[k].Node).Fulfilled {
			return way[:k]
		}
	}
	return way
}

// link highlights the arrow between two neighbours on the chain, a node and what decides it, if there is one. What waits
// for the hook of a node comes after the node itself.
func (p *Picture) link(node, decider int) {
	if slices.Contains(p.scene.before(node), decider) {
		p.chain[arrow{decider, node}] = true
	}
	if owner := p.scene[decider].owner; owner >= 0 && slices.Contains(p.scene.before(node), owner) {
		p.looks[owner].chain = true
		p.chain[arrow{owner, node}], p.chain[arrow{owner, decider}] = true, true
	}
}

// Show gives node i the phase, message and times that a controller has recorded instead of the engine's. A node that is not on
// record, whose phase is Planned, has not begun, whatever the engine would begin, and nothing is waited for there since any time.
func (p *Picture) Show(i nodegraph.Index, n nodegraph.NodeStatus) {
	l := &p.looks[i]
	l.phase, l.message, l.started, l.ended = n.Phase, n.Message, n.Started, n.Finished
	if n.Phase != nodegraph.PhasePlanned {
		return
	}
	l.since = time.Time{}
	for k := range p.waits {
		if p.waits[k].Node == i {
			p.waits[k].Since = time.Time{}
		}
	}
}

// Find adds something that is wrong with node i: note is shown at the node, name and text in the list. If i is [nodegraph.None] it
// is wrong with what [Picture.Record] has added with that name, or with none of the picture. With the first finding the
// highlighted chain leads to what is wrong, through all that it is inside of.
func (p *Picture) Find(i nodegraph.Index, name, note, text string) {
	at := int(i)
	if i == nodegraph.None {
		at = slices.IndexFunc(p.scene, func(b box) bool { return b.name == name })
	}
	first := !p.pointed
	if first {
		p.pointed, p.reasons = true, nil
		clear(p.chain)
		for k := range p.looks {
			p.looks[k].chain, p.looks[k].culprit = false, false
		}
	}
	f := finding{Node: name, Text: text}
	if at >= 0 {
		f.ID = p.scene[at].id
		l := &p.looks[at]
		if l.note == "" {
			l.note = note
		}
		l.culprit = l.culprit || first
	}
	p.findings = append(p.findings, f)
	for k := at; k >= 0 && !p.looks[k].chain; k = p.scene[k].parent {
		p.looks[k].chain = true
	}
}

// marks show a phase where colours do not.
var marks = [...]string{"◌", "◷", "●", "✔", "○", "✖", "⚠", "○"}

// mark is the sign of a phase.
func (l *look) mark() string { return marks[l.phase] }

// state is the second line of a node: kind and phase.
func (l *look) state() string {
	phase := phaseName(l.phase)
	switch {
	case l.absent:
		phase = "not there yet"
	case l.run > 0:
		return phase + ", open to see each"
	case l.kind == nodegraph.KindSkipped: // the kind would only repeat it
		return phase
	}
	return l.kind.String() + " · " + phase
}

// more is what else is to be said, one thing each.
func (l *look) more() []string {
	var parts []string
	if l.needs != "" {
		parts = append(parts, "waits for "+l.needs)
	}
	if l.note != "" {
		parts = append(parts, visible(l.note))
	}
	if l.message != "" {
		parts = append(parts, visible(l.message))
	}
	return parts
}

func phaseName(p nodegraph.Phase) string {
	if p == nodegraph.PhasePlanned {
		return "not created"
	}
	return p.String()
}

// details are all that is known of a node, one thing a line: what a pointer over it shows.
func details(b *box, l *look) string {
	lines := []string{visible(b.name), l.kind.String() + ", " + phaseName(l.phase)}
	if l.absent {
		lines[1] = l.kind.String() + ", not there yet"
	}
	if l.message != "" {
		lines[1] += ": " + visible(l.message)
	}
	if t := l.times(); t != "" {
		lines = append(lines, t)
	}
	if l.by != "" {
		lines = append(lines, "decided by: "+visible(l.by))
	}
	if l.needs != "" {
		lines = append(lines, strings.TrimSuffix("the workflow waits for: "+l.needs+", "+sinceUntil(l.since, l.until), ", "))
	}
	if l.note != "" {
		lines = append(lines, visible(l.note))
	}
	for line := range strings.Lines(b.condition) {
		lines = append(lines, visible(strings.TrimSuffix(line, "\n")))
	}
	return strings.Join(lines, "\n")
}

// times says when a node began and ended, and how long that was.
func (l *look) times() string {
	switch {
	case l.started.IsZero():
		return ""
	case l.ended.IsZero():
		return "began " + stamp(l.started)
	}
	return fmt.Sprintf("from %s to %s, %v", stamp(l.started), stamp(l.ended), l.ended.Sub(l.started).Round(time.Second))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// When says since when and until when.
func (w wait) When() string { return sinceUntil(w.Since, w.Until) }

func sinceUntil(since, until time.Time) string {
	var parts []string
	if !since.IsZero() {
		parts = append(parts, "since "+stamp(since))
	}
	if !until.IsZero() {
		parts = append(parts, "until "+stamp(until))
	}
	return strings.Join(parts, ", ")
}
