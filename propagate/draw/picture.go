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
}

// A wait is an obligation and the reason for it.
type wait struct {
	propagate.Obligation
	Reason string
}

type finding struct{ Node, Text string }

// Of takes a picture of the workflow as the engine has it.
func Of(e *propagate.Engine) *Picture {
	g := e.Graph()
	p := &Picture{scene: sceneOf(g), chain: make(map[arrow]bool), complete: e.Complete()}
	p.looks = make([]look, len(p.scene))
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		v, l := e.Verdict(i), &p.looks[i]
		l.kind = g.Node(i).Kind
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
	for _, o := range e.Obligations() {
		p.looks[o.Node].needs = o.For.String()
		p.waits = append(p.waits, wait{o, e.Explain(o.Node)[0].String()})
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
	return p
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

// Show gives node i another phase than the engine's: that which a controller has recorded, say. Planned is a node that
// is not on record.
func (p *Picture) Show(i nodegraph.Index, phase nodegraph.Phase, message string) {
	p.looks[i].phase, p.looks[i].message = phase, message
}

// Find adds something that is wrong with node i, or with none of the picture if i is [nodegraph.None]: note is shown at
// the node, name and text in the list. With the first finding the highlighted chain leads to what is wrong, through all that it is inside of.
func (p *Picture) Find(i nodegraph.Index, name, note, text string) {
	p.findings = append(p.findings, finding{name, text})
	first := !p.pointed
	if first {
		p.pointed, p.reasons = true, nil
		clear(p.chain)
		for k := range p.looks {
			p.looks[k].chain, p.looks[k].culprit = false, false
		}
	}
	if i == nodegraph.None {
		return
	}
	l := &p.looks[i]
	if l.note == "" {
		l.note = note
	}
	l.culprit = l.culprit || first
	for k := int(i); k >= 0 && !p.looks[k].chain; k = p.scene[k].parent {
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
	if l.by != "" {
		lines = append(lines, "decided by: "+visible(l.by))
	}
	if l.needs != "" {
		lines = append(lines, "the workflow waits for: "+l.needs)
	}
	if l.note != "" {
		lines = append(lines, visible(l.note))
	}
	for line := range strings.Lines(b.condition) {
		lines = append(lines, visible(strings.TrimSuffix(line, "\n")))
	}
	return strings.Join(lines, "\n")
}

// When says since when and until when.
func (w wait) When() string {
	s := ""
	if !w.Since.IsZero() {
		s = "since " + w.Since.UTC().Format(time.RFC3339)
	}
	if !w.Until.IsZero() {
		s = strings.TrimPrefix(fmt.Sprintf("%s, until %s", s, w.Until.UTC().Format(time.RFC3339)), ", ")
	}
	return s
}
