package nodegraph

import (
	"fmt"
	"strings"
)

// Results is a set of the results that a depends expression may ask a task for.
type Results uint16

// The results, in the words of Argo's enhanced depends logic.
const (
	ResultSucceeded Results = 1 << iota
	ResultFailed
	ResultErrored
	ResultSkipped
	ResultOmitted
	ResultDaemoned     // a daemon that is ready
	ResultAnySucceeded // of a task with a loop: at least one item succeeded
	ResultAllFailed    // of a task with a loop: every item failed
)

// BareResults is what a task's name alone stands for.
const BareResults = ResultSucceeded | ResultSkipped | ResultDaemoned

var resultNames = [...]string{
	"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed",
}

// String lists the results, joined by |.
func (r Results) String() string {
	var names []string
	for k, name := range resultNames {
		if r&(1<<k) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Truth is a truth value of Kleene's three-valued logic, ordered False < Unknown < True: and is the least, or the
// greatest, not the mirror image. The zero value is False.
type Truth uint8

// The truth values.
const (
	False Truth = iota
	Unknown
	True
)

// String is the value in lower case.
func (t Truth) String() string { return [...]string{"false", "unknown", "true"}[t] }

// A DepState is what is known of a task's results: those that hold already and for good, and those that may still
// come to hold. Of a task that has ended both are the same.
type DepState struct {
	Must, May Results
}

// A Condition is a compiled depends expression. It is immutable and may be shared.
type Condition struct {
	tasks    []string
	program  []op
	literals int
	depth    int // of the evaluation stack
}

// op is one instruction for a stack machine: a literal pushes, the others replace.
type op struct {
	code opcode
	task uint16
	mask Results
	skip int32 // opAndJump, opOrJump: how far to go on when the left operand decides
}

type opcode uint8

const (
	opLiteral opcode = iota
	opNot
	opAnd
	opOr
	opAndJump // left operand of &&: if it is False the right one does not matter
	opOrJump  // left operand of ||: if it is True the right one does not matter
)

// MaxDependsLength bounds a depends expression, in bytes.
const MaxDependsLength = 64 << 10

// maxDependsNesting bounds parentheses and negations inside one another.
const maxDependsNesting = 200

// A DependsError says where a depends expression is wrong.
type DependsError struct {
	Text   string
	Column int // in bytes, from 1
	Reason string
}

// Error shows the expression around the place.
func (e *DependsError) Error() string {
	text, from := e.Text, 0
	if len(text) > 120 {
		from = min(max(0, e.Column-60), len(text)-120)
		text = "..." + text[from:from+120] + "..."
	}
	return fmt.Sprintf("depends %q: column %d: %s", text, e.Column, e.Reason)
}

// ParseDepends compiles text. resolve is asked once for each task that is named: it returns the results that the bare
// name stands for, [BareResults] and those the task's continueOn adds, and false for a task that does not exist. The
// error is a [*DependsError].
func ParseDepends(text string, resolve func(task string) (Results, bool)) (*Condition, error) {
	p := &dependsParser{text: text, resolve: resolve, c: &Condition{}, index: make(map[string]uint16), bare: make(map[string]Results)}
	if len(text) > MaxDependsLength {
		return nil, p.errorf(MaxDependsLength, "is longer than %d bytes", MaxDependsLength)
	}
	if err := p.or(0); err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(text) {
		if text[p.at] == ')' {
			return nil, p.errorf(p.at, "no parenthesis is open")
		}
		return nil, p.errorf(p.at, "expected && or ||")
	}
	p.c.depth = p.deepest
	return p.c, nil
}

// Dependencies compiles a dependencies list: every task of it, as a bare name. An empty list is always True.
func Dependencies(tasks []string, resolve func(task string) (Results, bool)) (*Condition, error) {
	p := &dependsParser{text: strings.Join(tasks, " && "), resolve: resolve, c: &Condition{}, index: make(map[string]uint16), bare: make(map[string]Results)}
	at := 0
	for k, task := range tasks {
		slot, err := p.task(at, task)
		if err != nil {
			return nil, err
		}
		p.emit(op{code: opLiteral, task: slot, mask: p.bare[task]}, 1)
		if k > 0 {
			p.emit(op{code: opAnd}, -1)
		}
		at += len(task) + len(" && ")
	}
	p.c.depth = p.deepest
	return p.c, nil
}

// Tasks returns the distinct names in the order in which they first appear. Do not modify the slice.
func (c *Condition) Tasks() []string { return c.tasks }

// Literals is the number of tests the condition makes at most.
func (c *Condition) Literals() int { return c.literals }

// Eval returns what the condition comes to, given what is known of each of [Condition.Tasks], in that order. True and
// False are final: no more knowledge can change them. It does not allocate.
func (c *Condition) Eval(deps []DepState) Truth {
	if len(c.program) == 0 {
		return True
	}
	var few [16]Truth
	stack := few[:]
	if c.depth > len(few) {
		stack = make([]Truth, c.depth)
	}
	top := -1
	for at := 0; at < len(c.program); at++ {
		o := &c.program[at]
		switch o.code {
		case opLiteral:
			d := deps[o.task]
			top++
			switch {
			case d.Must&o.mask != 0:
				stack[top] = True
			case d.May&o.mask == 0:
				stack[top] = False
			default:
				stack[top] = Unknown
			}
		case opNot:
			stack[top] = True - stack[top]
		case opAnd:
			top--
			stack[top] = min(stack[top], stack[top+1])
		case opOr:
			top--
			stack[top] = max(stack[top], stack[top+1])
		case opAndJump:
			if stack[top] == False {
				at += int(o.skip)
			}
		case opOrJump:
			if stack[top] == True {
				at += int(o.skip)
			}
		}
	}
	return stack[0]
}

// String returns the condition with every result spelled out and every operator in parentheses.
func (c *Condition) String() string {
	if len(c.program) == 0 {
		return ""
	}
	var stack []string
	for _, o := range c.program {
		switch o.code {
		case opLiteral:
			var parts []string
			for name := range strings.SplitSeq(o.mask.String(), "|") {
				parts = append(parts, c.tasks[o.task]+"."+name)
			}
			text := strings.Join(parts, " || ")
			if len(parts) > 1 {
				text = "(" + text + ")"
			}
			stack = append(stack, text)
		case opNot:
			stack[len(stack)-1] = "!" + stack[len(stack)-1]
		case opAnd, opOr:
			sign := " && "
			if o.code == opOr {
				sign = " || "
			}
			right := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			stack[len(stack)-1] = "(" + stack[len(stack)-1] + sign + right + ")"
		}
	}
	return stack[0]
}

// dependsParser is a recursive descent over: or = and {"||" and}; and = unary {"&&" unary};
// unary = "!" unary | "(" or ")" | name ["." result].
type dependsParser struct {
	text    string
	at      int
	resolve func(string) (Results, bool)
	c       *Condition
	index   map[string]uint16
	bare    map[string]Results
	height  int // of the stack at this point of the program
	deepest int
}

func (p *dependsParser) errorf(at int, format string, args ...any) error {
	return &DependsError{Text: p.text, Column: at + 1, Reason: fmt.Sprintf(format, args...)}
}

func (p *dependsParser) emit(o op, grows int) {
	p.c.program = append(p.c.program, o)
	p.height += grows
	p.deepest = max(p.deepest, p.height)
	if o.code == opLiteral {
		p.c.literals++
	}
}

func (p *dependsParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// sign consumes && or ||; one character alone is an error.
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

func (p *dependsParser) or(nesting int) error {
	return p.binary('|', op{code: opOr}, opOrJump, func() error {
		return p.binary('&', op{code: opAnd}, opAndJump, func() error { return p.unary(nesting) })
	})
}

// binary parses operands joined by one operator, from the left.
func (p *dependsParser) binary(c byte, join op, jump opcode, operand func() error) error {
	if err := operand(); err != nil {
		return err
	}
	for {
		more, err := p.sign(c)
		if err != nil || !more {
			return err
		}
		from := len(p.c.program)
		p.emit(op{code: jump}, 0)
		if err := operand(); err != nil {
			return err
		}
		p.emit(join, -1)
		p.c.program[from].skip = int32(len(p.c.program) - 1 - from)
	}
}

func (p *dependsParser) unary(nesting int) error {
	p.space()
	if nesting > maxDependsNesting {
		return p.errorf(p.at, "nested more than %d deep", maxDependsNesting)
	}
	if p.at >= len(p.text) {
		return p.errorf(p.at, "expected a task")
	}
	switch c := p.text[p.at]; {
	case c == '!':
		p.at++
		if err := p.unary(nesting + 1); err != nil {
			return err
		}
		p.emit(op{code: opNot}, 0)
		return nil
	case c == '(':
		open := p.at
		p.at++
		if err := p.or(nesting + 1); err != nil {
			return err
		}
		p.space()
		if p.at >= len(p.text) || p.text[p.at] != ')' {
			return p.errorf(open, "the parenthesis is not closed")
		}
		p.at++
		return nil
	case nameByte(c, false):
		return p.literal()
	}
	return p.errorf(p.at, "expected a task, found %q", p.text[p.at:p.at+1])
}

// nameByte tells whether c may stand in a task's name, inside it or at its beginning.
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

func (p *dependsParser) literal() error {
	from := p.at
	name := p.name()
	slot, err := p.task(from, name)
	if err != nil {
		return err
	}
	mask := p.bare[name]
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		at := p.at
		result := p.name()
		if mask, err = p.result(at, result); err != nil {
			return err
		}
	}
	p.emit(op{code: opLiteral, task: slot, mask: mask}, 1)
	return nil
}

func (p *dependsParser) result(at int, name string) (Results, error) {
	for k, known := range resultNames {
		if name == known {
			return 1 << k, nil
		}
	}
	return 0, p.errorf(at, "%q is not a result of a task", bounded(name))
}

func (p *dependsParser) task(at int, name string) (uint16, error) {
	if slot, ok := p.index[name]; ok {
		return slot, nil
	}
	bare, ok := p.resolve(name)
	if !ok {
		return 0, p.errorf(at, "no task is named %q", bounded(name))
	}
	slot := uint16(len(p.c.tasks))
	if len(p.c.tasks) > 1<<15 {
		return 0, p.errorf(at, "names too many tasks")
	}
	p.index[name], p.bare[name] = slot, bare
	p.c.tasks = append(p.c.tasks, name)
	return slot, nil
}
