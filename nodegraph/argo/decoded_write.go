package argo

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// encodeValue returns a decoded value as JSON with sorted keys.
func encodeValue(value any) (string, error) {
	text, err := appendValue(nil, value, 0)
	return string(text), err
}

// appendValue appends a decoded value as JSON.
func appendValue(b []byte, value any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errSyntax
	}
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendQuoted(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int32:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendNumber(b, v)
	case json.Number:
		text, err := json.Marshal(v)
		return append(b, text...), err
	case time.Time:
		if v.IsZero() {
			return append(b, "null"...), nil
		}
		return append(v.UTC().AppendFormat(append(b, '"'), time.RFC3339), '"'), nil
	case []any:
		return appendList(b, len(v), func(b []byte, k int) ([]byte, error) { return appendValue(b, v[k], depth+1) })
	case []string:
		return appendList(b, len(v), func(b []byte, k int) ([]byte, error) { return appendQuoted(b, v[k]), nil })
	case map[string]any:
		return appendMap(b, v, depth)
	case map[string]string, Record:
		return appendObject(b, v, depth)
	}
	return nil, notJSON(value)
}

// notJSON is the error of a value that JSON does not have.
func notJSON(value any) error {
	return &typeError{want: "a value of JSON", found: fmt.Sprintf("a %T", value)}
}

// appendNumber appends a number as encoding/json does.
func appendNumber(b []byte, v float64) ([]byte, error) {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 && (v != 0 || !math.Signbit(v)) {
		return strconv.AppendInt(b, int64(v), 10), nil
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

// appendMap appends a map with sorted keys.
func appendMap(b []byte, m map[string]any, depth int) (_ []byte, err error) {
	keys := make([]string, 0, fewKeys)
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for k, key := range keys {
		if k > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(append(appendQuoted(b, key), ':'), m[key], depth+1); err != nil {
			return nil, within(key, err)
		}
	}
	return append(b, '}'), nil
}

// appendObject appends a decoded object.
func appendObject(b []byte, object any, depth int) ([]byte, error) {
	fields, err := sortedFields(object)
	if err != nil {
		return nil, err
	}
	b = append(b, '{')
	for k, f := range fields {
		if k > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(append(appendQuoted(b, f.key), ':'), f.value, depth+1); err != nil {
			return nil, within(f.key, err)
		}
	}
	return append(b, '}'), nil
}

// appendList appends a list of n elements.
func appendList(b []byte, n int, element func(b []byte, k int) ([]byte, error)) (_ []byte, err error) {
	b = append(b, '[')
	for k := range n {
		if k > 0 {
			b = append(b, ',')
		}
		if b, err = element(b, k); err != nil {
			return nil, withinElement(k, err)
		}
	}
	return append(b, ']'), nil
}

// appendQuoted appends a JSON string.
func appendQuoted(b []byte, text string) []byte {
	if !isPlain(text) {
		return append(b, quote(text)...)
	}
	return append(append(append(b, '"'), text...), '"')
}

// firstByte is the byte that the JSON of a decoded value begins with.
func firstByte(value any) byte {
	switch v := value.(type) {
	case nil:
		return 'n'
	case bool:
		if v {
			return 't'
		}
		return 'f'
	case string:
		return '"'
	case []any, []string:
		return '['
	case map[string]any, map[string]string, Record:
		return '{'
	}
	return '0'
}

// DecodePatch returns a patch as decoded JSON, as [ReadObject] takes it: whole numbers are int64, others float64.
func DecodePatch(patch []byte) (map[string]any, error) {
	if len(patch) == 0 {
		return nil, nil
	}
	var object map[string]any
	s := &scanner{text: string(patch)}
	err := s.uniquely(maxDepth, func() (err error) { object, err = s.decodeObject(); return err })
	if err == nil {
		err = s.end()
	}
	return object, inField("", err)
}

// decode decodes the value that comes next.
func (s *scanner) decode() (any, error) {
	switch s.peek() {
	case '{':
		return s.decodeObject()
	case '[':
		list := []any{}
		err := s.array(func(int) error {
			value, err := s.decode()
			list = append(list, value)
			return err
		})
		return list, err
	case '"':
		return s.str()
	case 't', 'f':
		return s.boolean()
	case 'n':
		return nil, s.word("null")
	}
	text, err := s.raw()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	return strconv.ParseFloat(text, 64)
}

// decodeObject decodes the object that comes next.
func (s *scanner) decodeObject() (map[string]any, error) {
	object := make(map[string]any)
	return object, s.object(func(key string) (err error) {
		object[key], err = s.decode()
		return err
	})
}
