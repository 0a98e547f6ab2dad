package draw

import (
	"bytes"
	_ "embed"
	"html/template"

	"github.com/nodestatus/nodestatus/nodegraph"
)

//go:embed page.html
var pageText string

// pages are the templates of the pages. They escape every text by its place, and know what is markup by its type.
var pages = template.Must(template.New("page").Funcs(template.FuncMap{
	"visible": visible, "pageStyle": pageStyle, "filmScript": func() template.JS { return template.JS(filmScript) },
}).Parse(pageText))

// HTML writes the picture as a page of its own: a legend, what the workflow waits for, the chain, the findings, and the
// graph. It has no script.
func (p *Picture) HTML() ([]byte, error) {
	return page("picture", struct {
		Name   string
		Legend []legend
		Now    *statement
		Graph  template.HTML
	}{p.scene[0].name, legends(), p.statement(), template.HTML(p.SVG())})
}

func page(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

// A statement is what a page says in words.
type statement struct {
	Class, Mark, Phase, Message string // of the workflow
	Complete                    bool
	Waits                       []wait
	Why                         []string // the chain
	Findings                    []finding
}

func (p *Picture) statement() *statement {
	root := &p.looks[0]
	s := &statement{
		Class: colours[root.phase].class, Mark: root.mark(), Phase: phaseName(root.phase), Message: root.message,
		Complete: p.complete, Waits: p.waits, Findings: p.findings,
	}
	for _, r := range p.reasons {
		s.Why = append(s.Why, r.String())
	}
	return s
}

// Title is what the list of waits is called.
func (s *statement) Title() string {
	switch {
	case len(s.Findings) > 0 && len(s.Waits) == 0:
		return "Once the findings are healed it waits for nothing"
	case len(s.Findings) > 0:
		return "Once the findings are healed it waits for"
	case s.Complete:
		return "Complete: it waits for nothing"
	}
	return "Waits for"
}

// WhyTitle is what the chain is called.
func (s *statement) WhyTitle() string {
	if s.Complete {
		return "Why it ended so"
	}
	return "Why it is not complete"
}

// Of is the node that is waited for.
func (w wait) Of() string {
	if w.Node == nodegraph.Root {
		return "the workflow"
	}
	return w.Name
}

// A legend is what a colour means.
type legend struct{ Class, Mark, Name string }

func legends() []legend {
	var list []legend
	for _, phase := range phases {
		list = append(list, legend{colours[phase].class, marks[phase], phaseName(phase)})
	}
	return list
}

// pageStyle is the style sheet of a page, beside that of the SVG in it.
func pageStyle() template.CSS {
	css := `body{font:14px/1.45 Helvetica,Arial,"DejaVu Sans",sans-serif;margin:1em;color:#202124;background:#fff}
h1{font-size:1.3em;margin:0 0 .3em}h2{font-size:1em;margin:1em 0 .2em}ul,ol{margin:.2em 0;padding-left:1.6em}
code,.name{font-family:monospace;overflow-wrap:anywhere}.note{color:#5f6368}.wrong{color:#c62828}
.legend span{display:inline-block;border:1.5px solid;border-radius:4px;padding:0 .5em;margin:.15em .4em .15em 0}
.graph{overflow:auto;border:1px solid #dadce0;max-height:80vh}.fit:checked~.graph svg{width:100%;height:auto;max-height:78vh}
.legend .on-chain{border-width:3px;border-color:` + highlight + `}
`
	for _, c := range colours {
		css += ".phase-" + c.class + "{background:" + c.fill + ";border-color:" + c.line + "}\n"
	}
	return template.CSS(css + ".legend .phase-planned{border-style:dashed}\n")
}
