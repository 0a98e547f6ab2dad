package nodegraph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxDependsLength bounds a depends expression, in bytes.
const MaxDependsLength = 64 << 10

// maxDependsNesting bounds parentheses inside one another.
const maxDependsNesting = 200

// ParseDepends compiles text. resolve is asked once for each task that is named. It returns the results that the bare
// name stands for: [BareResults], and those the task's continueOn adds. It returns false for a task that does not exist.
// The error is a [*ParseError].
//
// The operators are !, && and ||, which bind in this order, and parentheses. A test is the name of a task, of letters,
// digits, - and _, alone or with one of the results, as in a-1.Failed.
func ParseDepends(text string, resolve func(task string) (Results, bool)) (*Condition, error) {
	p := newDependsParser(text, resolve)
	if len(text) > MaxDependsLength {
		return nil, p.errorf(MaxDependsLength, "is longer than %d bytes", MaxDependsLength)
	}
	tree, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(text) {
		if text[p.at] == ')' {
			return nil, p.errorf(p.at, "no parenthesis is open")
		}
		return nil, p.errorf(p.at, "expected && or ||")
	}
	return p.compile(tree), nil
}

// Dependencies compiles a dependencies list: every task of it, as a bare name. An empty list is always True. resolve and
// the error are as in [ParseDepends]; columns count in the names joined by " && ".
func Dependencies(tasks []string, resolve func(task string) (Results, bool)) (*Condition, error) {
	p := newDependsParser(strings.Join(tasks, " && "), resolve)
	if len(tasks) == 0 {
		return p.c, nil
	}
	all := &dependsTree{code: opAnd}
	for _, task := range tasks {
		slot, err := p.task(p.at, task)
		if err != nil {
			return nil, err
		}
		all.of = append(all.of, &dependsTree{task: slot, mask: p.bare[slot]})
		p.at += len(task) + len(" && ")
	}
	return p.compile(all), nil
}

// dependsParser is a recursive descent over: or = and {"||" and}; and = unary {"&&" unary};
// unary = "!" unary | "(" or ")" | name ["." result].
type dependsParser struct {
	text    string
	at      int
	resolve func(string) (Results, bool)
	c       *Condition
	index   map[string]uint32
	bare    []Results // by task
}

// dependsTree is a part of an expression: a literal, or parts joined by opAnd or opOr.
type dependsTree struct {
	code opcode
	not  bool
	task uint32
	mask Results
	of   []*dependsTree
}

func newDependsParser(text string, resolve func(string) (Results, bool)) *dependsParser {
	return &dependsParser{text: text, resolve: resolve, c: &Condition{}, index: make(map[string]uint32)}
}

func (p *dependsParser) errorf(at int, format string, args ...any) error {
	return &ParseError{Of: ofDepends, Text: p.text, Column: at + 1, Reason: fmt.Sprintf(format, args...)}
}

func (p *dependsParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// sign consumes spaces and then && or ||; one character alone is an error.
func (p *dependsParser) sign(c byte) (bool, error) {
	p.space()
	if p.at >= len(p.text) || p.text[p.at] != c {
		return false, nil
	}
	if p.at+1 >= len(p.text) || p.text[p.at+1] != c {
		return false, p.errorf(p.at, "a single %c: expected %c%c", c, c, c)
	}
	p.at += 2
	return true, nil
}

func (p *dependsParser) or(nesting int) (*dependsTree, error) {
	return p.joined('|', opOr, func() (*dependsTree, error) {
		return p.joined('&', opAnd, func() (*dependsTree, error) { return p.unary(nesting) })
	})
}

// joined parses operands with one operator between them.
func (p *dependsParser) joined(c byte, code opcode, operand func() (*dependsTree, error)) (*dependsTree, error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	all := &dependsTree{code: code, of: []*dependsTree{first}}
	for {
		more, err := p.sign(c)
		switch {
		case err != nil:
			return nil, err
		case !more && len(all.of) == 1:
			return first, nil
		case !more:
			return all, nil
		}
		next, err := operand()
		if err != nil {
			return nil, err
		}
		all.of = append(all.of, next)
	}
}

func (p *dependsParser) unary(nesting int) (*dependsTree, error) {
	not := false
	for p.space(); p.at < len(p.text) && p.text[p.at] == '!'; p.space() {
		not = !not
		p.at++
	}
	tree, err := p.operand(nesting)
	if err != nil {
		return nil, err
	}
	tree.not = tree.not != not
	return tree, nil
}

func (p *dependsParser) operand(nesting int) (*dependsTree, error) {
	if p.at >= len(p.text) {
		return nil, p.errorf(p.at, "expected a task")
	}
	switch c := p.text[p.at]; {
	case c == '(':
		return p.parenthesis(nesting + 1)
	case nameByte(c, false):
		return p.literal()
	}
	return nil, p.errorf(p.at, "expected a task, found %q", p.text[p.at:p.at+1])
}

func (p *dependsParser) parenthesis(nesting int) (*dependsTree, error) {
	open := p.at
	if nesting > maxDependsNesting {
		return nil, p.errorf(open, "nested more than %d deep", maxDependsNesting)
	}
	p.at++
	tree, err := p.or(nesting)
	if err != nil {
		return nil, err
	}
	if p.at >= len(p.text) || p.text[p.at] != ')' {
		return nil, p.errorf(open, "the parenthesis is not closed")
	}
	p.at++
	return tree, nil
}

// nameByte reports whether c may stand in a task's name, inside it or at its beginning.
func nameByte(c byte, inside bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || inside && (c == '-' || c == '_')
}

func (p *dependsParser) name() string {
	from := p.at
	for p.at < len(p.text) && nameByte(p.text[p.at], true) {
		p.at++
	}
	return p.text[from:p.at]
}

func (p *dependsParser) literal() (*dependsTree, error) {
	from := p.at
	name := p.name()
	slot, err := p.task(from, name)
	if err != nil {
		return nil, err
	}
	mask := p.bare[slot]
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		if mask, err = p.result(); err != nil {
			return nil, err
		}
	}
	return &dependsTree{task: slot, mask: mask}, nil
}

func (p *dependsParser) result() (Results, error) {
	at := p.at
	name := p.name()
	for k, known := range resultNames {
		if name == known {
			return 1 << k, nil
		}
	}
	return 0, p.errorf(at, "%q is not a result of a task", bounded(name))
}

func (p *dependsParser) task(at int, name string) (uint32, error) {
	if slot, ok := p.index[name]; ok {
		return slot, nil
	}
	bare, ok := p.resolve(name)
	if !ok {
		return 0, p.errorf(at, "no task is named %q", bounded(name))
	}
	slot := uint32(len(p.c.tasks))
	p.index[name], p.bare = slot, append(p.bare, bare)
	p.c.tasks = append(p.c.tasks, name)
	return slot, nil
}

// compile makes the program. The word of Eval holds 32 values. Where the parts as they are written need more, those that
// need most are evaluated first: then d values mean at least 2^(d-1) tests, and the word is never too short.
func (p *dependsParser) compile(tree *dependsTree) *Condition {
	if tree.depth() > wordDepth {
		tree.deepestFirst()
	}
	p.c.emit(tree, opPush)
	p.c.program = slices.Clip(p.c.program)
	if slices.Equal(p.c.program, (&Condition{literals: len(p.c.tasks)}).instructions()) {
		p.c.program = nil // it is plain
	}
	return p.c
}

// depth is how many values evaluation has on the stack at most.
func (t *dependsTree) depth() int {
	most := 1
	for k, part := range t.of {
		switch {
		case k == 0:
			most = part.depth()
		case part.of != nil:
			most = max(most, part.depth()+1)
		}
	}
	return most
}

// deepestFirst sorts the parts by their depth, and theirs. It returns the depth that is left.
func (t *dependsTree) deepestFirst() int {
	depths := make(map[*dependsTree]int, len(t.of))
	for _, part := range t.of {
		depths[part] = part.deepestFirst()
	}
	slices.SortStableFunc(t.of, func(a, b *dependsTree) int { return cmp.Compare(depths[b], depths[a]) })
	return t.depth()
}

// emit appends the instructions of a part; how is what becomes of its value.
func (c *Condition) emit(t *dependsTree, how opcode) {
	if t.of == nil {
		c.program = append(c.program, instruction{code: how, not: t.not, task: t.task, mask: t.mask})
		c.literals++
		return
	}
	for k, part := range t.of {
		if k == 0 {
			c.emit(part, opPush)
		} else {
			c.emit(part, t.code)
		}
	}
	if t.not {
		c.program = append(c.program, instruction{code: opNot})
	}
	switch how {
	case opAnd:
		c.program = append(c.program, instruction{code: opJoinAnd})
	case opOr:
		c.program = append(c.program, instruction{code: opJoinOr})
	}
}
