package argo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// toJSON returns data as JSON that is known to be valid: as it is if it looks like that, else converted from YAML.
func toJSON(data []byte, limits Limits) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return nil, &ReadError{Err: errors.New("the input is empty")}
	case data[0] == '{' || data[0] == '[':
		return data, checkSyntax(data)
	case !bytes.Contains(data[:min(len(data), 1<<20)], []byte(":")):
		return nil, &ReadError{Err: errors.New("the input is neither a JSON object nor YAML")}
	}
	if n := documents(data); n != 1 {
		return nil, &ReadError{Err: fmt.Errorf("want one YAML document, found %d", n)}
	}
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, &ReadError{Err: explained(data, err)}
	}
	if len(text) > limits.Bytes { // aliases make text grow
		return nil, &ReadError{Err: &nodegraph.LimitError{Limit: "Bytes", Max: limits.Bytes}}
	}
	return text, nil
}

// checkSyntax checks JSON as a whole. What comes after it is an error too.
func checkSyntax(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	var v json.RawMessage
	err := json.Unmarshal(data, &v)
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
func toYAML(text []byte) ([]byte, error) {
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
