package replay

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Dump plays a recording in one mode and writes all that the engine says, in the order in which the engine says it. After
// every call it writes each node that looks different, with its explanation, and each obligation that came or went. After
// every frame it writes the changes and the actions. Two dumps are equal if and only if a host that plays the recording can't
// tell the engines apart. A recording that can't be played to its end is dumped as far as it goes, and the error is the last
// line.
func Dump(w io.Writer, r *Recording, mode Mode) error {
	d := &dump{}
	p := &Player{Recording: r, Mode: mode, After: func(e *propagate.Engine) error {
		d.call(e)
		return nil
	}}
	fmt.Fprintf(&d.text, "== %s, mode %s\n", r.Name, mode)
	err := p.Play(func(m *Moment) error {
		d.frame(m)
		if mode == Step {
			d.nodes, d.needs = nil, nil // the next frame begins with another engine
		}
		return nil
	})
	if err != nil {
		fmt.Fprintf(&d.text, "error: %v\n", err)
	}
	_, err = io.WriteString(w, d.text.String())
	return err
}

// dump is a dump in the making.
type dump struct {
	text  strings.Builder
	nodes map[nodegraph.Index]string // how each node looked after the last call
	needs map[string]bool            // what the workflow waited for then
}

// call writes what looks different after a call of the engine.
func (d *dump) call(e *propagate.Engine) {
	fmt.Fprintf(&d.text, " call%s\n", at(" at", e.Now()))
	if d.nodes == nil {
		d.nodes, d.needs = make(map[nodegraph.Index]string), make(map[string]bool)
	}
	for i := range nodegraph.Index(e.Graph().Len()) {
		if text := nodeText(e, i); text != d.nodes[i] {
			fmt.Fprintf(&d.text, "  %s\n", text)
			d.nodes[i] = text
		}
	}
	needs := make(map[string]bool)
	for _, o := range e.Obligations() {
		text := fmt.Sprintf("%s%s%s %q", o, at(" since", o.Since), at(" until", o.Until), o.Message)
		if needs[text] = true; !d.needs[text] {
			fmt.Fprintf(&d.text, "  waits for %s\n", text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(d.needs)) {
		if !needs[text] {
			fmt.Fprintf(&d.text, "  no more for %s\n", text)
		}
	}
	d.needs = needs
}

// nodeText is all that the engine says of node i.
func nodeText(e *propagate.Engine, i nodegraph.Index) string {
	v, reason := e.Verdict(i), e.Explain(i)[0]
	phase, message := e.Phase(i)
	return fmt.Sprintf("%s as %s, exists=%v fulfilled=%v daemoned=%v %s %q (%s)%s", reason, e.Kind(i), e.Exists(i), v.Fulfilled, v.Daemoned, phase, message, v.Rule, at(" wake", v.Wake))
}

// at is a time in full with a word before it, and nothing for no time.
func at(word string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return word + " " + t.Format(time.RFC3339Nano)
}

// frame writes what a frame brought about.
func (d *dump) frame(m *Moment) {
	fmt.Fprintf(&d.text, " frame %d\n", m.Frame)
	for _, c := range m.Result.Changes {
		fmt.Fprintf(&d.text, "  change %s %s (%s)\n", c.ID, c, c.Rule)
	}
	for _, a := range m.Result.Actions {
		fmt.Fprintf(&d.text, "  do %s %s%s\n", a.ID, a, at(" at", a.At))
	}
	for _, id := range slices.Concat(m.Unknown, m.Result.Unknown) {
		fmt.Fprintf(&d.text, "  never asked for %s\n", id)
	}
}
