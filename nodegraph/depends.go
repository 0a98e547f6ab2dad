package nodegraph

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph/enum"
)

// Results is a set of the results that a depends expression may ask a task for.
type Results uint16

// The results, in the words of Argo's enhanced depends logic.
const (
	ResultSucceeded    Results = 1 << iota // its phase is Succeeded
	ResultFailed                           // its phase is Failed
	ResultErrored                          // its phase is Error
	ResultSkipped                          // its phase is Skipped: its when was false, or its loop had no items
	ResultOmitted                          // its phase is Omitted: its own depends did not hold
	ResultDaemoned                         // a daemon that is ready
	ResultAnySucceeded                     // of a task with a loop: at least one item succeeded
	ResultAllFailed                        // of a task with a loop: every item failed
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

// MarshalText is the list of the results.
func (r Results) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Truth is a truth value of Kleene's three-valued logic, ordered False < Unknown < True: and is the least, or the
// greatest, not the mirror image. The zero value is False.
type Truth uint8

// The truth values.
const (
	False   Truth = iota // it does not hold, whatever else becomes known
	Unknown              // what is known so far does not decide it
	True                 // it holds, whatever else becomes known
)

var truthNames = enum.Names{Type: "Truth", Of: []string{"false", "unknown", "true"}}

// String is the value in lower case.
func (t Truth) String() string { return truthNames.String(uint8(t)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (t Truth) MarshalText() ([]byte, error) { return truthNames.Marshal(uint8(t)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (t *Truth) UnmarshalText(text []byte) error { return enum.Unmarshal(&truthNames, text, t) }

// A DepState is what is known of a task's results. Of a task that has ended Must and May are the same.
type DepState struct {
	Must Results // the results that hold already and for good
	May  Results // the results that may still come to hold
}

// A Condition is a compiled depends expression. It is immutable and may be shared by goroutines.
type Condition struct {
	tasks    []string
	program  []instruction // nil for a plain condition
	literals int
}

// An instruction works on a stack of three-valued truths that lives in one 64-bit word, two bits for each value, the
// top in the lowest two. A literal is combined with the top in the instruction that reads it. So the usual condition, a
// list of tests joined by one operator, takes one instruction for each test. It never has more than one value on the
// stack.
type instruction struct {
	code opcode
	not  bool    // the literal is negated
	mask Results // the literal: which results
	task uint32  // of which task
}

type opcode uint8

const (
	opAnd     opcode = iota // literal into the top of the stack
	opOr                    // literal into the top of the stack
	opPush                  // literal onto the stack
	opNot                   // the top of the stack
	opJoinAnd               // the top into the one below
	opJoinOr
)

// The truths as they lie in the word: the low bit says that it may still be true, the high bit that it is. In this form
// && and || are the bitwise operators.
const (
	wordFalse   = 0b00
	wordUnknown = 0b01
	wordTrue    = 0b11
	wordBits    = 2
	wordDepth   = 64 / wordBits
)

// Tasks returns the distinct names in the order in which they first appear. Do not modify the slice.
func (c *Condition) Tasks() []string { return c.tasks }

// Literals is the number of tests the condition makes.
func (c *Condition) Literals() int { return c.literals }

// plain reports whether the condition is that of a list of dependencies. Then each of its tests is that the task is what its
// bare name stands for (see [BareResults]), and all must hold.
func (c *Condition) plain() bool { return c.program == nil }

// Eval returns what the condition comes to, given what is known of each of [Condition.Tasks], in that order; deps must
// not be shorter. True and False are final: no more knowledge can change them. It does not allocate.
func (c *Condition) Eval(deps []DepState) Truth {
	if c.plain() {
		return evalPlain(deps[:c.literals])
	}
	var word uint64
	for i := range c.program {
		in := &c.program[i]
		if in.code > opPush {
			word = join(in.code, word)
			continue
		}
		dep := deps[in.task]
		value := uint64(wordFalse)
		if (dep.Must|dep.May)&in.mask != 0 {
			value = wordUnknown
		}
		if dep.Must&in.mask != 0 {
			value = wordTrue
		}
		if in.not {
			value = negate(value)
		}
		switch in.code {
		case opAnd:
			word &= value | ^uint64(wordTrue)
		case opOr:
			word |= value
		default:
			word = word<<wordBits | value
		}
	}
	value := Truth(word & wordTrue)
	return value - value>>1 // 0, 1, 3 to 0, 1, 2
}

// evalPlain returns whether every task is what its bare name stands for.
func evalPlain(deps []DepState) Truth {
	value := True
	for _, dep := range deps {
		if (dep.Must|dep.May)&BareResults == 0 {
			return False
		}
		if dep.Must&BareResults == 0 {
			value = Unknown
		}
	}
	return value
}

// join carries out an instruction without a literal.
func join(code opcode, word uint64) uint64 {
	top, rest := word&wordTrue, word>>wordBits
	switch code {
	case opNot:
		return word ^ top ^ negate(top)
	case opJoinAnd:
		return rest & (top | ^uint64(wordTrue))
	}
	return rest | top
}

// negate swaps false and true: the two bits are exchanged and turned over.
func negate(value uint64) uint64 { return ^(value<<1 | value>>1) & wordTrue }

// String returns the condition with every result spelled out and parentheses only where they are needed. The text
// compiles to a condition that comes to the same, unless spelling out makes it longer than [MaxDependsLength] or nests
// it too deeply. It is empty for a condition without tests.
func (c *Condition) String() string {
	var stack []printed
	for _, in := range c.instructions() {
		var right printed
		if in.code <= opPush {
			right = c.literal(in)
		}
		switch top := len(stack) - 1; in.code {
		case opPush:
			stack = append(stack, right)
		case opNot:
			stack[top] = stack[top].negated()
		case opAnd:
			stack[top] = stack[top].joined('&', right)
		case opOr:
			stack[top] = stack[top].joined('|', right)
		case opJoinAnd:
			stack = append(stack[:top-1], stack[top-1].joined('&', stack[top]))
		case opJoinOr:
			stack = append(stack[:top-1], stack[top-1].joined('|', stack[top]))
		}
	}
	if len(stack) == 0 {
		return ""
	}
	return string(stack[0].text)
}

// printed is a part of a condition in text and the operator that is outermost in it, 0 for none.
type printed struct {
	text []byte
	join byte
}

// operand is the text as it stands next to an operator, in parentheses unless both are the same.
func (p printed) operand(join byte) []byte {
	if p.join == 0 || p.join == join {
		return p.text
	}
	text := append(make([]byte, 0, len(p.text)+2), '(')
	return append(append(text, p.text...), ')')
}

func (p printed) negated() printed {
	return printed{text: append([]byte("!"), p.operand(0)...)}
}

func (p printed) joined(join byte, right printed) printed {
	text := append(p.operand(join), ' ', join, join, ' ')
	return printed{text: append(text, right.operand(join)...), join: join}
}

// literal prints one test; several results of one task are alternatives.
func (c *Condition) literal(in instruction) printed {
	var text printed
	for k, name := range resultNames {
		if in.mask&(1<<k) == 0 {
			continue
		}
		one := printed{text: []byte(c.tasks[in.task] + "." + name)}
		if text.text == nil {
			text = one
		} else {
			text = text.joined('|', one)
		}
	}
	if in.not {
		return text.negated()
	}
	return text
}

// instructions is the program, of a plain condition too.
func (c *Condition) instructions() []instruction {
	if !c.plain() {
		return c.program
	}
	program := make([]instruction, c.literals)
	for k := range program {
		program[k] = instruction{code: opAnd, task: uint32(k), mask: BareResults}
	}
	if len(program) > 0 {
		program[0].code = opPush
	}
	return program
}
