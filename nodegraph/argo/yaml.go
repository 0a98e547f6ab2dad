package argo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// toJSON returns text as JSON: as it is if it looks like that, which may be no JSON, else converted from YAML.
func toJSON(text string, limits Limits) (string, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	switch {
	case text == "":
		return "", &ReadError{Err: errors.New("the input is empty")}
	case text[0] == '{' || text[0] == '[':
		return text, nil
	case !strings.Contains(text[:min(len(text), 1<<20)], ":"):
		return "", &ReadError{Err: errors.New("the input is neither a JSON object nor YAML")}
	}
	data := []byte(text)
	if n := documents(data); n != 1 {
		return "", &ReadError{Err: fmt.Errorf("want one YAML document, found %d", n)}
	}
	converted, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return "", &ReadError{Err: explained(data, err)}
	}
	if len(converted) > limits.Bytes { // aliases make text grow
		return "", &ReadError{Err: &nodegraph.LimitError{Limit: "Bytes", Max: limits.Bytes}}
	}
	return string(converted), nil
}

// checkSyntax says what is wrong with text that is no JSON, and where. What comes after a value is wrong too.
func checkSyntax(text string) error {
	var v json.RawMessage
	err := json.Unmarshal([]byte(text), &v)
	if err == nil {
		return nil
	}
	if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
		err = fmt.Errorf("byte %d: %w", s.Offset, err)
	}
	return &ReadError{Err: err}
}

// documents counts the documents of a YAML stream that hold anything. A converter would read the first and forget
// the others.
func documents(data []byte) int {
	count, empty := 0, true
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, " \t\r\n")
		switch {
		case isMark(line):
			rest := bytes.TrimSpace(line[3:])
			empty = len(rest) == 0 || rest[0] == '#'
			if !empty {
				count++
			}
		case empty && len(line) > 0 && line[0] != '#' && line[0] != '%':
			empty = false
			count++
		}
	}
	return count
}

// isMark reports whether a line begins or ends a document.
func isMark(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '\t'
}

// toYAML converts JSON that is known to be valid to YAML with sorted keys.
func toYAML(text string) ([]byte, error) {
	var v any
	_ = decodeNumbers(text, &v) // of valid JSON: can't fail
	// The YAML reader below does not know the escapes of JSON that stand for one character in two parts.
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // of what was JSON: can't fail
	return yaml.JSONToYAML(escaped(plain.Bytes()))
}

// escaped puts escapes in place of characters that JSON may hold as they are and YAML may not, or takes for the end of a
// line. They stand nowhere but in strings.
func escaped(text []byte) []byte {
	special := func(r rune) bool { return r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff }
	if bytes.IndexFunc(text, special) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if special(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}
