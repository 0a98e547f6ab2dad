package nodegraph

// Limits bound what a specification may ask for. The zero value means the defaults.
//
// Evaluating an expression takes a number of steps that grows with its parts, or with their square where it has a loop,
// such as any(...). The languages have no loop inside a loop and no ranges, so Parts bounds the steps too. Each language
// has a bound of its own besides: [MaxDependsLength], [MaxWhenLength], [MaxHookLength], [retry.MaxExpressionLength].
type Limits struct {
	Nodes      int // nodes of one graph; default 2,000,000
	Nesting    int // templates inside templates; default 98, since Argo runs 99 inside one another, and 10,000 at most
	Items      int // items of one loop; default 100,000
	Edges      int // dependencies of all templates together; default 10,000,000
	Expression int // bytes of one expression: a depends, a when, a hook's or a retry's; default 64 KiB
	Parts      int // names, values, operators and brackets of one expression; default 64 Ki
}

// An Option changes how a graph is made, or an engine on one.
type Option func(*options)

type options struct{ limits Limits }

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return func(o *options) { o.limits = l } }

// withDefaults returns l with every zero field replaced.
func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value  *int
		preset int
	}{
		{&l.Nodes, 2_000_000}, {&l.Nesting, 98}, {&l.Items, 100_000}, {&l.Edges, 10_000_000},
		{&l.Expression, 64 << 10}, {&l.Parts, 64 << 10},
	} {
		if *limit.value <= 0 {
			*limit.value = limit.preset
		}
	}
	l.Nesting = min(l.Nesting, 10_000)
	return l
}

// admit reports whether an expression keeps the limits. The error is a [*LimitError].
func (l Limits) admit(expression string) error {
	switch {
	case len(expression) > l.Expression:
		return &LimitError{Limit: "Expression", Max: l.Expression}
	case len(expression) > l.Parts && parts(expression) > l.Parts: // a part has a byte at least
		return &LimitError{Limit: "Parts", Max: l.Parts}
	}
	return nil
}

// parts counts the words, quoted texts and other signs of an expression in any of the languages, an operator of two signs
// as two.
func parts(expression string) int {
	n := 0
	for at := 0; at < len(expression); n++ {
		c := expression[at]
		at++
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			n--
		case wordByte(c):
			for at < len(expression) && wordByte(expression[at]) {
				at++
			}
		case c == '"' || c == '\'' || c == '`':
			for at < len(expression) && expression[at] != c {
				if expression[at] == '\\' && c != '`' {
					at++
				}
				at++
			}
			at++
		}
	}
	return n
}

// wordByte reports whether a byte may be in a name or a number.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c >= 0x80
}
