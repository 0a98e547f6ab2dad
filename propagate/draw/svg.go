package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// SVG writes the picture as SVG that needs nothing else. Each node is an element of class node with its name in
// data-name, its kind and phase in words, and all that is known of it in its title, which browsers show to the pointer.
func (p *Picture) SVG() []byte {
	var b bytes.Buffer
	tall := make([]bool, len(p.scene))
	for i := range p.looks {
		tall[i] = p.looks[i].more() != ""
	}
	writeSVG(&b, p.scene, place(p.scene, tall), p.looks, p.chain)
	return b.Bytes()
}

// escaped is a text inside XML, with what XML can't hold replaced.
func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

// margin is the space around the workflow.
const margin = 10

func writeSVG(b *bytes.Buffer, s scene, l *layout, looks []look, chain map[arrow]bool) {
	w, h := l.boxes[0].w+2*margin, l.boxes[0].h+2*margin
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="%d %d %d %d" role="img">`+"\n",
		w, h, -margin, -margin, w, h)
	fmt.Fprintf(b, "<style>\n%s</style>\n", style)
	b.WriteString("<defs>\n")
	for _, head := range []struct{ id, fill string }{{"head", "#5f6368"}, {"head-chain", highlight}} {
		fmt.Fprintf(b, `<marker id="%s" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="9" markerHeight="9"`+
			` markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="%s"/></marker>`+"\n", head.id, head.fill)
	}
	fmt.Fprintf(b, "</defs>\n"+`<rect x="%d" y="%d" width="%d" height="%d" fill="#ffffff"/>`+"\n", -margin, -margin, w, h)
	inner := make([]bool, len(s))
	for i := range s {
		if s[i].parent >= 0 {
			inner[s[i].parent] = true
		}
	}
	for i := range s {
		writeNode(b, s, i, l.boxes[i], &looks[i], inner[i])
	}
	for k := range l.routes {
		r := &l.routes[k]
		fmt.Fprintf(b, `<path id="a%d" class="%s" d="%s"/>`+"\n", k, arrowClass(r, chain[r.arrow]), r)
	}
	b.WriteString("</svg>\n")
}

func writeNode(b *bytes.Buffer, s scene, i int, r rect, l *look, inner bool) {
	fmt.Fprintf(b, `<g id="n%d" class="%s"`, i, nodeClass(l, inner))
	if parent := s[i].parent; parent >= 0 { // the workflow is no node of its own, and shares the name of its entry node
		fmt.Fprintf(b, ` data-name="%s" data-parent="n%d"`, escaped(s[i].name), parent)
	}
	label := labelOf(&s[i])
	fmt.Fprintf(b, `><title>%s</title><rect x="%d" y="%d" width="%d" height="%d"/>`, escaped(details(&s[i], l)), r.x, r.y, r.w, r.h)
	fmt.Fprintf(b, `<text class="mark" x="%d" y="%d">%s</text><text class="label" x="%d" y="%d">%s</text>`,
		r.x+8, r.y+17, l.mark(), r.x+24, r.y+17, escaped(label))
	x, y := stateAt(&s[i], r, inner)
	state, more := linesIn(l, r, x, inner)
	fmt.Fprintf(b, `<text class="state" x="%d" y="%d">%s</text>`, x, y, escaped(state))
	if r.h == tallHeight && !inner {
		fmt.Fprintf(b, `<text class="state more" x="%d" y="%d">%s</text>`, r.x+10, y+14, escaped(more))
	}
	b.WriteString("</g>\n")
}

// stateAt is where the state of a node is written: below the label, or beside it where the node holds others.
func stateAt(b *box, r rect, inner bool) (x, y int) {
	if inner {
		return r.x + 30 + columnsOf(labelOf(b))*letter, r.y + 17
	}
	return r.x + 24, r.y + 32
}

// linesIn are the second and third line of a node as far as they fit into its box. A node that holds others has one
// line for all.
func linesIn(l *look, r rect, x int, inner bool) (state, more string) {
	fit := func(s string, x int) string { return cut(s, max(8, (r.right()-x-4)/smallLetter)) }
	if inner {
		return fit(l.all(), x), ""
	}
	return fit(l.state(), x), fit(l.more(), r.x+10)
}

// nodeClass is what the style sheet calls a node.
func nodeClass(l *look, inner bool) string {
	class := "node"
	if inner {
		class += " inner"
	}
	return class + " " + lookClass(l)
}

// lookClass is the part of it that changes with time.
func lookClass(l *look) string {
	class := colours[l.phase].class
	if l.absent {
		class += " absent"
	}
	if l.chain {
		class += " chain"
	}
	return class
}

func arrowClass(r *route, chain bool) string {
	class := "arrow"
	if r.hook {
		class += " hook"
	}
	if chain {
		class += " chain"
	}
	return class
}
