package argo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A scanner walks over JSON that is known to be valid, once and from left to right. It copies nothing: raw values
// are parts of the text.
type scanner struct {
	text []byte
	at   int
}

// space goes to the next byte that is not white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek is the first byte of the next value.
func (s *scanner) peek() byte {
	s.space()
	return s.text[s.at]
}

// skip goes behind the next value and returns it.
func (s *scanner) skip() json.RawMessage {
	s.space()
	from := s.at
	depth := 0
	for {
		switch s.text[s.at] {
		case '"':
			s.skipString()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++
		default:
			s.skipWord()
		}
		if depth == 0 {
			return json.RawMessage(s.text[from:s.at:s.at])
		}
	}
}

// skipString goes behind the string that begins here.
func (s *scanner) skipString() {
	s.at++
	for {
		s.at += bytes.IndexByte(s.text[s.at:], '"') + 1
		escapes := 0
		for s.text[s.at-2-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return
		}
	}
}

// skipWord goes behind a number, true, false or null.
func (s *scanner) skipWord() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return
		}
		s.at++
	}
}

// object calls each for every key of the object that comes next, quoted as it stands there. each must go behind the
// value. null is an object without keys.
func (s *scanner) object(each func(quoted []byte) error) error {
	switch s.peek() {
	case 'n':
		s.skip()
		return nil
	case '{':
	default:
		return &typeError{want: "an object", found: describeValue(s.peek())}
	}
	s.at++
	for s.peek() != '}' {
		if s.text[s.at] == ',' {
			s.at++
		}
		key := s.skip()
		s.space()
		s.at++ // the colon
		if err := each(key); err != nil {
			return err
		}
	}
	s.at++
	return nil
}

// array calls each for every element of the array that comes next; each must go behind the element. null is empty.
func (s *scanner) array(each func() error) error {
	switch s.peek() {
	case 'n':
		s.skip()
		return nil
	case '[':
	default:
		return &typeError{want: "a list", found: describeValue(s.peek())}
	}
	s.at++
	for s.peek() != ']' {
		if s.text[s.at] == ',' {
			s.at++
		}
		if err := each(); err != nil {
			return err
		}
	}
	s.at++
	return nil
}

// str reads a string; null is the empty one.
func (s *scanner) str() (string, error) {
	c := s.peek()
	if c != '"' && c != 'n' {
		return "", &typeError{want: "a string", found: describeValue(c)}
	}
	if c == 'n' {
		s.skip()
		return "", nil
	}
	return unquote(s.skip()), nil
}

// boolean reads true or false; null is false.
func (s *scanner) boolean() (bool, error) {
	switch c := s.peek(); c {
	case 't', 'f', 'n':
		s.skip()
		return c == 't', nil
	default:
		return false, &typeError{want: "true or false", found: describeValue(c)}
	}
}

// integer reads a whole number; null is 0.
func (s *scanner) integer() (int, error) {
	c := s.peek()
	if c == 'n' {
		s.skip()
		return 0, nil
	}
	n, err := strconv.Atoi(string(s.skip()))
	if err != nil {
		return 0, &typeError{want: "a whole number", found: describeValue(c)}
	}
	return n, nil
}

// moment reads a time as Kubernetes writes it; null and the empty string are no time.
func (s *scanner) moment() (time.Time, error) {
	text, err := s.str()
	if err != nil || text == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time", bounded(text))
	}
	return t.UTC(), nil
}

// strings reads a list of strings.
func (s *scanner) strings() ([]string, error) {
	var list []string
	err := s.array(func() error {
		text, err := s.str()
		list = append(list, text)
		return err
	})
	return list, err
}

// unquote returns what a JSON string says.
func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // of a valid string: can't fail
	return text
}

// bare returns a key without its quotes. It does not allocate where nothing in the key is escaped.
func bare(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	return []byte(unquote(quoted))
}

// quote returns text as a JSON string. The text of messages stays readable: <, > and & are not escaped.
func quote(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // of a string: can't fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// describeValue names the type of the value that begins with c. null is never of the wrong type.
func describeValue(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

// texts calls each for every string in the next value, but for keys and what stands under the key that is left out.
func (s *scanner) texts(leftOut string, each func(text string)) {
	switch s.peek() {
	case '{':
		_ = s.object(func(quoted []byte) error { // of an object: can't fail
			if string(bare(quoted)) == leftOut {
				s.skip()
			} else {
				s.texts(leftOut, each)
			}
			return nil
		})
	case '[':
		_ = s.array(func() error { // of a list: can't fail
			s.texts(leftOut, each)
			return nil
		})
	case '"':
		each(unquote(s.skip()))
	default:
		s.skip()
	}
}
