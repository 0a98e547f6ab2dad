package argo

import (
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// literals puts the values that are known in place of the names in the expression of a hook: Argo evaluates it with all of
// them in scope. What is left are names whose values change as the workflow runs, and those that only the host knows.
func (c *converter) literals(expression string) string {
	if !strings.Contains(expression, "workflow") && !strings.Contains(expression, "inputs") {
		return expression
	}
	var out strings.Builder
	for rest := expression; rest != ""; {
		n, name := nextToken(rest)
		if value, known := c.inExpression(name); known {
			// A name of a status in a text is no name.
			out.WriteString(strings.ReplaceAll(strconv.Quote(value), ".status", `\u002estatus`))
		} else {
			out.WriteString(rest[:n])
		}
		rest = rest[n:]
	}
	if out.Len() > nodegraph.MaxHookLength {
		return expression
	}
	return out.String()
}

// inExpression returns the value of a name in an expression, false where the name is empty or the value not known.
func (c *converter) inExpression(name string) (string, bool) {
	if value, known := c.values.value(name); known {
		return value, true
	}
	return c.globals.value(name)
}

// nextToken returns the length of the token that text begins with, and what it names if it is a name: workflow.parameters.x,
// however it is written.
func nextToken(text string) (n int, name string) {
	switch c := text[0]; {
	case c == '"' || c == '\'' || c == '`':
		return quotedLength(text), ""
	case c == '.': // of a value
		return 1 + wordLength(text[1:]), ""
	case !isWord(c):
		return 1, ""
	}
	n = wordLength(text)
	name = text[:n]
	for {
		rest := text[n:]
		if k := wordLength(strings.TrimPrefix(rest, ".")); strings.HasPrefix(rest, ".") && k > 0 {
			name, n = name+rest[:1+k], n+1+k
			continue
		}
		key, k := indexKey(rest)
		if k == 0 {
			break
		}
		name, n = name+"."+key, n+k
	}
	if strings.HasPrefix(text[n:], "(") {
		return n, "" // of a function
	}
	return n, name
}

// indexKey reads ["key"], and returns its length; 0 if there is something else.
func indexKey(text string) (key string, length int) {
	inside, ok := strings.CutPrefix(text, "[")
	if !ok {
		return "", 0
	}
	inside = strings.TrimLeft(inside, " ")
	if inside == "" || inside[0] != '"' && inside[0] != '\'' {
		return "", 0
	}
	n := quotedLength(inside)
	after, ok := strings.CutPrefix(strings.TrimLeft(inside[n:], " "), "]")
	if !ok || n < 2 || strings.Contains(inside[:n], `\`) {
		return "", 0
	}
	return inside[1 : n-1], len(text) - len(after)
}

// quotedLength is the length of the text in quotes that text begins with.
func quotedLength(text string) int {
	for k := 1; k < len(text); k++ {
		switch {
		case text[k] == '\\' && text[0] != '`':
			k++
		case text[k] == text[0]:
			return k + 1
		}
	}
	return len(text)
}

// wordLength is the length of the word that text begins with.
func wordLength(text string) int {
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	return n
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}
