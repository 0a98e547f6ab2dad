package draw

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// The parts of a page, one subject each.
//
//go:embed page
var parts embed.FS

// scripts are in the order in which they run.
var scripts = []string{"data.js", "layout.js", "graph.js", "camera.js", "details.js", "find.js", "time.js", "frames.js"}

var (
	pageScript = joined(scripts...)
	pageStyle  = palette() + joined("page.css")
	pages      = template.Must(template.New("page").Funcs(template.FuncMap{"visible": visible, "plus": func(a, b int) int { return a + b }}).
			Parse(joined("page.html")))
)

func joined(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		text, err := parts.ReadFile("page/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		b.Write(text)
	}
	return b.String()
}

// HTML writes the picture as a page of its own that needs no network. It has the graph, to be moved, searched, filtered and folded,
// and what is known of each node. It says what the workflow waits for, the chain and the findings in words, and the times of all
// that has begun. Siblings that are well in the same way begin as one box, and of large workflows whatever is well is closed.
func (p *Picture) HTML() ([]byte, error) {
	f := frame{Now: p.statement()}
	var s *show
	for level := foldRuns; level <= foldMost; level++ {
		q, closed := p.folded(level)
		s = &show{q.scene, [][]look{q.looks}, []map[arrow]bool{q.chain}, []time.Time{p.now}, closed}
		if n := s.visible(); n <= manyBoxes || level >= foldHealthy && n <= mostBoxes {
			break
		}
	}
	return page(p.scene[0].name, nil, []frame{f}, s)
}

// mostBoxes is how many boxes a browser draws in a second.
const mostBoxes = 4000

// page writes a page. Its policy lets nothing run but its own script, which is known by its hash, and nothing be fetched. What
// the script knows of the workflow is data: the template writes it as JSON in which no markup can begin.
func page(name string, description []string, frames []frame, s *show) ([]byte, error) {
	data, err := json.Marshal(s.data())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pages.ExecuteTemplate(&b, "page", struct {
		Name        string
		Policy      string
		Description []string
		Style       template.CSS
		Script      template.JS
		Legend      []legend
		Frames      []frame
		Data        template.JS
	}{
		name, "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + hash(pageStyle) + "; script-src " + hash(pageScript),
		description, template.CSS(pageStyle), template.JS(pageScript), legends(), frames, template.JS(data),
	})
	return b.Bytes(), err
}

// hash names a text in a content security policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// A statement is what a page says in words.
type statement struct {
	Class, Mark, Phase, Message string // of the workflow
	Complete, Unbegun           bool
	Waits, MoreWaits            []wait
	Others                      int        // that are waited for, too, and are in the graph alone
	Why                         []reasoned // the chain
	Findings                    []finding
}

// How much of what is waited for is seen at once, and how much more when that is asked for.
const (
	mostWaits     = 12
	mostMoreWaits = 300
)

// A reasoned is a reason and the id of its node.
type reasoned struct{ ID, Text string }

func (p *Picture) statement() *statement {
	root := &p.looks[0]
	s := &statement{
		Class: colours[root.phase].class, Mark: root.mark(), Phase: phaseName(root.phase), Message: root.message,
		Complete: p.complete, Waits: p.waits, Findings: p.findings,
	}
	if s.Unbegun = !p.complete && root.phase == nodegraph.PhasePlanned; s.Unbegun {
		s.Waits = slices.Clone(s.Waits)
		for k := range s.Waits {
			s.Waits[k].Reason = "" // it would say what has been done, as the chain would
		}
	} else {
		for _, r := range p.reasons {
			s.Why = append(s.Why, reasoned{p.scene[r.Node].id, r.String()})
		}
	}
	s.part()
	return s
}

// part parts what is waited for into what is seen at once, what can be opened, and what the list leaves out.
func (s *statement) part() {
	all := s.Waits
	s.Waits = all[:min(len(all), mostWaits)]
	s.MoreWaits = all[len(s.Waits):min(len(all), mostWaits+mostMoreWaits)]
	s.Others = len(all) - len(s.Waits) - len(s.MoreWaits)
}

// Title is what the list of waits is called.
func (s *statement) Title() string {
	switch {
	case len(s.Findings) > 0 && len(s.Waits) == 0:
		return "Once the findings are healed it waits for nothing"
	case s.Unbegun:
		return "Once it is begun it waits for"
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
