package draw

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// What Mermaid takes, unless the page that shows it is configured otherwise.
const (
	mermaidText   = 50_000 // characters
	mermaidArrows = 500
)

// Mermaid writes the picture as a Mermaid flowchart: what holds others is a subgraph, phases and the chain are classes. A
// picture that is larger than Mermaid takes by default is folded, as little as possible: see [Picture.HTML] for what is put away
// first. What the chain leads through is always drawn.
func (p *Picture) Mermaid() []byte {
	for level := foldNothing; ; level++ {
		q, closed := p.folded(level)
		text, arrows := q.without(closed).mermaid()
		if len(text) <= mermaidText && arrows <= mermaidArrows || level == foldMost {
			return text
		}
	}
}

// mermaid writes all of the picture, and says how many arrows it has.
func (p *Picture) mermaid() (text []byte, arrows int) {
	var b bytes.Buffer
	b.WriteString("flowchart LR\n")
	members := p.scene.members()
	p.mermaidBoxes(&b, members)
	links, chained := 0, []string{}
	for i := range p.scene {
		for k, from := range p.scene.before(i) {
			line := "-->"
			if k == len(p.scene[i].after) { // the owner of a hook comes last
				line = "-.->"
			}
			fmt.Fprintf(&b, "  n%d %s n%d\n", from, line, i)
			if p.chain[arrow{from, i}] {
				chained = append(chained, fmt.Sprint(links))
			}
			links++
		}
	}
	p.mermaidClasses(&b)
	if len(chained) > 0 {
		fmt.Fprintf(&b, "  linkStyle %s stroke:%s,stroke-width:3px\n", strings.Join(chained, ","), highlight)
	}
	return b.Bytes(), links
}

// mermaidBoxes writes nodes and subgraphs, each inside what it is inside of.
func (p *Picture) mermaidBoxes(b *bytes.Buffer, members [][]int) {
	type visit struct{ box, depth int }
	const end = -1
	for stack := []visit{{0, 1}}; len(stack) > 0; {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		indent := strings.Repeat("  ", v.depth)
		if v.box == end {
			fmt.Fprintf(b, "%send\n", indent)
			continue
		}
		text := mermaidWords(p.title(v.box, len(members[v.box]) > 0, "\n"))
		if len(members[v.box]) == 0 {
			fmt.Fprintf(b, "%sn%d[\"%s\"]\n", indent, v.box, text)
			continue
		}
		fmt.Fprintf(b, "%ssubgraph n%d[\"%s\"]\n", indent, v.box, text)
		stack = append(stack, visit{end, v.depth})
		for k := len(members[v.box]) - 1; k >= 0; k-- {
			stack = append(stack, visit{members[v.box][k], v.depth + 1})
		}
	}
}

// mermaidClasses gives every box the class of its phase, and those of the chain one more.
func (p *Picture) mermaidClasses(b *bytes.Buffer) {
	of := make(map[string][]string)
	for i := range p.scene {
		class := colours[p.looks[i].phase].class
		of[class] = append(of[class], fmt.Sprintf("n%d", i))
		if p.looks[i].chain {
			of["chain"] = append(of["chain"], fmt.Sprintf("n%d", i))
		}
	}
	for _, phase := range phases {
		c := colours[phase]
		if len(of[c.class]) == 0 {
			continue
		}
		fmt.Fprintf(b, "  classDef %s fill:%s,stroke:%s,color:#202124\n", c.class, c.fill, c.line)
		fmt.Fprintf(b, "  class %s %s\n", strings.Join(of[c.class], ","), c.class)
	}
	if len(of["chain"]) > 0 {
		fmt.Fprintf(b, "  classDef chain stroke:%s,stroke-width:3px\n  class %s chain\n", highlight, strings.Join(of["chain"], ","))
	}
}

// mermaidWords writes all but plain letters as the codes that Mermaid reads back: quotes, brackets, markup and Mermaid's own
// words mean nothing then. Only the ends of lines are markup.
func mermaidWords(s string) string {
	var b strings.Builder
	for k, line := range strings.Split(s, "\n") {
		if k > 0 {
			b.WriteString("<br/>")
		}
		for _, r := range visible(line) {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .·,-():", r) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "#%d;", r)
			}
		}
	}
	return b.String()
}
