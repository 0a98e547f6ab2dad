package nodegraph

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxParseLength bounds the text that [Parse] takes, in bytes.
const MaxParseLength = 1 << 20

// maxParseNesting bounds templates inside templates in the text.
const maxParseNesting = 100

// Parse reads a specification drawn in one line of text, for tests, scripts and experiments:
//
//	dag(fetch -> build: pod(compile -> main) -> {lint, test: retry(2, pod)} -> publish)
//
// The text is a template, with a name for the workflow before it ("wf" without one) and an exit handler after it where
// wanted:
//
//	text     = [name ":"] template ["exit" template]
//	template = "pod" | "daemon" | "http" | "plugin"
//	         | "pod(" chains ")"                        a ContainerSet
//	         | "suspend" | "suspend(" duration ")"      as in 10s or 1h30m; 0s waits for nothing
//	         | "dag(" [chains] ")"
//	         | "steps(" [group {"|" group}] ")"         groups in order; group = task {"," task}, in parallel
//	         | "retry(" [limit ","] template ")"
//	         | "mutex(" name "," template ")"
//	chains   = chain {"," chain}
//	chain    = link {"->" link}
//	link     = task | "{" task {"," task} "}"
//	task     = name [":" template] {modifier}           no template: a pod; containers are a name only
//	modifier = "depends" string                         as in depends "a.Succeeded || b.Failed"
//	         | "when" string
//	         | "over" "[" [item {"," item}] "]"         withItems; an item is a name or a string
//	         | "over" string                            items that only the host knows
//	         | "exit" template                          the task's exit hook
//	         | "continueOnFailed" | "continueOnError"
//
// An arrow puts every task or container of the link on its right after each of the link on its left. A name that is
// repeated in the same parentheses is the same task or container; it may say once what it is, at any of its places. In
// steps every name is a step of its own. Names are letters, digits, "-" and "_"; strings are in double quotes or
// backquotes, as in Go. Spaces and line ends are free.
//
// A retry has the policy Always; without a limit it retries for ever. A mutex locks "default/Mutex/<name>" for the nodes
// of the template. The namespace is "default".
//
// The entry template is called main. Any other has the name of its task, that of an exit hook with -exit after it, and a number
// where that name is taken. Leaves without settings share one template, called by its word.
//
// The text may be up to [MaxParseLength] long and nest templates up to 100 deep. The error is a [*ParseError]. It is for
// what can't be read; whether the specification makes sense, such as that it has no cycle, is checked by [New].
func Parse(text string) (*Spec, error) {
	p := &specParser{
		text: text, spec: &Spec{Name: "wf", Namespace: "default"},
		taken: make(map[string]int), shared: make(map[string]string),
	}
	if len(text) > MaxParseLength {
		return nil, p.errorf(MaxParseLength, "the text is longer than %d bytes", MaxParseLength)
	}
	if err := p.workflow(); err != nil {
		return nil, err
	}
	return p.spec, nil
}

// specParser is a recursive descent over the grammar of [Parse].
type specParser struct {
	text   string
	at     int
	spec   *Spec
	taken  map[string]int    // names of templates, and the last number given after each
	arrows int               // pairs so far
	shared map[string]string // the names of templates for plain leaves, by their word
	depth  int               // of templates inside templates
}

func (p *specParser) errorf(at int, format string, args ...any) error {
	return &ParseError{Of: ofDrawing, Text: p.text, Column: at + 1, Reason: fmt.Sprintf(format, args...)}
}

func (p *specParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (p *specParser) peek() byte {
	if p.space(); p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// accept consumes sign if it is next.
func (p *specParser) accept(sign string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], sign) {
		return false
	}
	p.at += len(sign)
	return true
}

func (p *specParser) expect(sign string) error {
	if p.accept(sign) {
		return nil
	}
	found := "the end"
	if p.at < len(p.text) {
		found = strconv.Quote(p.text[p.at : p.at+1])
	}
	return p.errorf(p.at, "expected %s, found %s", sign, found)
}

// list parses items with a sign between them up to the closing sign.
func (p *specParser) list(between, closing string, item func() error) error {
	for {
		if err := item(); err != nil {
			return err
		}
		if p.accept(closing) {
			return nil
		}
		if err := p.expect(between); err != nil {
			return err
		}
	}
}

// word consumes a name; "" if there is none. The dash of an arrow is not part of it.
func (p *specParser) word() string {
	p.space()
	from := p.at
	for p.at < len(p.text) && nameByte(p.text[p.at], p.at > from) && !strings.HasPrefix(p.text[p.at:], "->") {
		p.at++
	}
	return p.text[from:p.at]
}

func (p *specParser) name() (string, error) {
	if w := p.word(); w != "" {
		return w, nil
	}
	return "", p.errorf(p.at, "expected a name")
}

// string consumes a string in quotes.
func (p *specParser) string() (string, error) {
	if c := p.peek(); c != '"' && c != '`' {
		return "", p.errorf(p.at, "expected a string in double quotes or backquotes")
	}
	quoted, err := strconv.QuotedPrefix(p.text[p.at:])
	if err != nil {
		return "", p.errorf(p.at, "the string is not closed or not valid")
	}
	p.at += len(quoted)
	return strconv.Unquote(quoted) // never fails, since QuotedPrefix has checked it
}

func (p *specParser) workflow() error {
	from := p.at
	if name := p.word(); name != "" && p.accept(":") {
		p.spec.Name = name
	} else {
		p.at = from
	}
	var err error
	if p.spec.Entrypoint, err = p.nested("main", false); err != nil {
		return err
	}
	p.space()
	from = p.at
	if p.word() != "exit" {
		p.at = from
	} else if p.spec.OnExit, err = p.nested("exit", true); err != nil {
		return err
	}
	if p.peek() != 0 {
		return p.errorf(p.at, "expected the end")
	}
	return nil
}

// nested parses a template, adds it to the specification before those inside it, and returns its name: the one given,
// unless it is a plain leaf and may be shared.
func (p *specParser) nested(name string, mayShare bool) (string, error) {
	place, lastNumber := len(p.spec.Templates), p.taken[name]
	free := p.unused(name)
	p.spec.Templates = append(p.spec.Templates, nil)
	t, err := p.template()
	if err != nil {
		return "", err
	}
	if word := t.Name; mayShare && word != "" {
		delete(p.taken, free)
		p.taken[name] = lastNumber
		p.spec.Templates = p.spec.Templates[:place] // a leaf: nothing was added inside it
		return p.leaf(t), nil
	}
	t.Name = free
	p.spec.Templates[place] = t
	return free, nil
}

// leaf returns the name of the template that all leaves like t share; t is that template if it is the first.
func (p *specParser) leaf(t *Template) string {
	word := t.Name
	if p.shared[word] == "" {
		t.Name = p.unused(word)
		p.shared[word] = t.Name
		p.spec.Templates = append(p.spec.Templates, t)
	}
	return p.shared[word]
}

// unused returns name, with a number after it where a template is called so already.
func (p *specParser) unused(name string) string {
	free := name
	for p.taken[free] > 0 {
		p.taken[name]++
		free = name + "-" + strconv.Itoa(p.taken[name])
	}
	p.taken[free] = 1
	return free
}

// template parses a template. Its name is its word if it is a plain leaf, else empty.
func (p *specParser) template() (*Template, error) {
	if p.depth++; p.depth > maxParseNesting {
		return nil, p.errorf(p.at, "templates are nested more than %d deep", maxParseNesting)
	}
	defer func() { p.depth-- }()
	p.space()
	from := p.at
	switch word := p.word(); word {
	case "pod":
		return p.pod()
	case "daemon":
		return &Template{Name: word, Kind: KindPod, Daemon: true}, nil
	case "http":
		return &Template{Name: word, Kind: KindHTTP}, nil
	case "plugin":
		return &Template{Name: word, Kind: KindPlugin}, nil
	case "suspend":
		return p.suspend()
	case "dag":
		return p.dag()
	case "steps":
		return p.steps()
	case "retry":
		return p.retry()
	case "mutex":
		return p.mutex()
	}
	return nil, p.errorf(from, "expected pod, daemon, http, plugin, suspend, dag, steps, retry or mutex")
}
