package retry

import (
	"errors"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// functions are those of expr that expressions may use: each result depends on the arguments alone and is no larger than
// they are. There is no clock, and nothing that depends on the order of a map.
var functions = []string{
	"all", "none", "any", "one", "filter", "find", "count", "len", "type", "abs", "ceil", "floor", "round", "int", "float",
	"string", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "max",
	"min", "first", "last",
}

// Language returns the options of expr under which every expression of a bounded length ends, soon, and gives the same
// result each time. They allow only functions whose result depends on the arguments alone, no ranges, and no variables of
// the expression's own. A loop may only run over a list that is written out, and not inside another loop. Make the options
// anew for each compilation, and ask refused afterwards why the expression is not of this language.
func Language() (options []expr.Option, refused func() error) {
	g := new(guard)
	options = append(options, expr.DisableAllBuiltins(), expr.MaxNodes(maxExpressionNodes), expr.Patch(g))
	for _, name := range functions {
		options = append(options, expr.EnableBuiltin(name))
	}
	return options, func() error { return g.err }
}

// A guard looks for what could make an expression run for ever, or take all memory.
type guard struct{ err error }

// Visit implements ast.Visitor.
func (g *guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BuiltinNode:
		if !slices.Contains(functions, n.Name) {
			g.err = errors.New(n.Name + " is not available")
		}
		if isLoop(n) && !writtenOut(n.Arguments[0]) {
			g.err = errors.New("a loop over what is no list is not available")
		}
	case *ast.VariableDeclaratorNode:
		g.err = errors.New("let is not available")
	case *ast.BinaryNode:
		if n.Operator == ".." {
			g.err = errors.New("ranges are not available")
		}
	case *ast.PredicateNode:
		inside := ast.Find(n.Node, func(m ast.Node) bool { _, loop := m.(*ast.PredicateNode); return loop })
		if inside != nil {
			g.err = errors.New("a loop inside a loop is not available")
		}
	}
}

// isLoop reports whether a function asks something of each item of its first argument.
func isLoop(n *ast.BuiltinNode) bool {
	return slices.ContainsFunc(n.Arguments, func(a ast.Node) bool { _, loop := a.(*ast.PredicateNode); return loop })
}

// writtenOut reports whether a value is a list whose items the expression writes out, or some of them. No variable is a list,
// but expr takes a text for a list of bytes: a loop over one would have as many rounds as a pod's message has bytes.
func writtenOut(list ast.Node) bool {
	switch n := list.(type) {
	case *ast.ArrayNode:
		return true
	case *ast.SliceNode:
		return writtenOut(n.Node)
	case *ast.BuiltinNode:
		return n.Name == "filter" // which is a loop itself
	case *ast.ConditionalNode:
		return writtenOut(n.Exp1) && writtenOut(n.Exp2)
	}
	return false
}

// bounded keeps error texts short whatever an expression says.
func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
