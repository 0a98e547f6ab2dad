package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// SVG writes the picture as SVG that needs nothing else. Each node is an element of class node with its name in
// data-name, and its kind and phase in words. All that is known of it is in its title, which browsers show to the pointer.
func (p *Picture) SVG() []byte {
	var b bytes.Buffer
	rooms := measure(p.scene, p.looks)
	grids := gridsOf(p.scene, rooms)
	l, _ := place(p.scene, rooms, grids, make([]bool, len(p.scene)))
	writeSVG(&b, p.scene, l, p.looks, p.chain)
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
		fmt.Fprintf(b, `<path id="a%d" class="%s" data-from="n%d" data-to="n%d" d="%s"/>`+"\n", k, arrowClass(r, chain[r.arrow]), r.from, r.to, r)
	}
	b.WriteString("</svg>\n")
}

func writeNode(b *bytes.Buffer, s scene, i int, r rect, l *look, inner bool) {
	fmt.Fprintf(b, `<g id="n%d" class="%s"`, i, nodeClass(l, inner))
	if parent := s[i].parent; parent >= 0 { // the workflow is no node of its own, and shares the name of its entry node
		fmt.Fprintf(b, ` data-name="%s" data-parent="n%d"`, escaped(s[i].name), parent)
	}
	fmt.Fprintf(b, `><title>%s</title><rect x="%d" y="%d" width="%d" height="%d"/>`, escaped(details(&s[i], l)), r.x, r.y, r.w, r.h)
	label := labelOf(&s[i])
	fmt.Fprintf(b, `<text class="mark" x="%d" y="%d">%s</text><text class="label" x="%d" y="%d">%s</text>`,
		r.x+8, r.y+firstLine, l.mark(), r.x+indent, r.y+firstLine, escaped(label))
	x, y, lines := r.x+indent, r.y+firstLine+line+1, l.lines(mostText)
	if inner {
		x, y, lines = x+beside+columnsOf(label)*letter, r.y+firstLine, l.lines(mostHead)
	}
	fmt.Fprintf(b, `<text class="state" x="%d" y="%d">%s</text>`, x, y, escaped(l.state()))
	for _, text := range lines {
		y += line
		fmt.Fprintf(b, `<text class="more" x="%d" y="%d">%s</text>`, r.x+indent, y, escaped(text))
	}
	b.WriteString("</g>\n")
}

// nodeClass is what the style sheet calls a node.
func nodeClass(l *look, inner bool) string {
	class := "node"
	if inner {
		class += " inner"
	}
	return class + " " + l.class()
}

// class is the part of it that changes with time.
func (l *look) class() string {
	class := colours[l.phase].class
	if l.absent {
		class += " absent"
	}
	if l.run > 0 {
		class += " run"
	}
	if l.chain {
		class += " chain"
	}
	if l.culprit {
		class += " culprit"
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
