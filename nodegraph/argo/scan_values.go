package argo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Values as a scanner reads them. Each function goes behind the value. null leaves the zero value.

// null goes behind null, if that comes next.
func (s *scanner) null() (bool, error) {
	switch {
	case !s.isNull():
		return false, nil
	case s.decoded:
		return true, nil
	}
	return true, s.word("null")
}

// isNull reports whether null comes next.
func (s *scanner) isNull() bool {
	if s.decoded {
		return s.value == nil
	}
	return s.peek() == 'n'
}

// str reads a string.
func (s *scanner) str() (string, error) {
	if s.decoded {
		return decodedText(s.value)
	}
	if null, err := s.null(); null {
		return "", err
	}
	if c := s.peek(); c != '"' {
		return "", &typeError{want: "a string", found: describeValue(c)}
	}
	quoted, escaped, err := s.token()
	switch {
	case err != nil:
		return "", err
	case escaped:
		return unescaped(quoted), nil
	}
	return quoted[1 : len(quoted)-1], nil
}

// boolean reads true or false.
func (s *scanner) boolean() (bool, error) {
	if s.decoded {
		return decodedFlag(s.value)
	}
	switch c := s.peek(); c {
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return false, s.word("null")
	default:
		return false, &typeError{want: "true or false", found: describeValue(c)}
	}
}

// integer reads a whole number of so many bits.
func (s *scanner) integer(size int) (int64, error) {
	if null, err := s.null(); null {
		return 0, err
	}
	if s.decoded {
		return decodedInteger(s.value)
	}
	c := s.peek()
	if c != '-' && (c < '0' || c > '9') {
		return 0, &typeError{want: "a whole number", found: describeValue(c)}
	}
	text, err := s.raw()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, size)
	if err != nil {
		return 0, &typeError{want: "a whole number", found: "the number " + bounded(text)}
	}
	return n, nil
}

// moment reads a time as Kubernetes writes it; the empty string is no time.
func (s *scanner) moment() (time.Time, error) {
	if at, ok := s.value.(time.Time); ok && !at.IsZero() {
		return at.UTC().Truncate(time.Second), nil
	} else if ok {
		return time.Time{}, nil
	}
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

// strings reads a list of strings; an empty one is no list.
func (s *scanner) strings() (list []string, err error) {
	if err = readList(&list, s, readText); len(list) == 0 {
		return nil, err
	}
	return list, err
}

// Functions that read into a field have one shape, so that those below can read lists, maps and fields that may be missing.

func readText(into *string, s *scanner) (err error) { *into, err = s.str(); return err }

func readFlag(into *bool, s *scanner) (err error) { *into, err = s.boolean(); return err }

func readTime(into *time.Time, s *scanner) (err error) { *into, err = s.moment(); return err }

func readInt(into *int, s *scanner) error {
	n, err := s.integer(strconv.IntSize)
	*into = int(n)
	return err
}

func readInt32(into *int32, s *scanner) error {
	n, err := s.integer(32)
	*into = int32(n)
	return err
}

func readInt64(into *int64, s *scanner) (err error) { *into, err = s.integer(64); return err }

// readOptional reads a value that may be missing; null is no value.
func readOptional[T any](into **T, s *scanner, read func(into *T, s *scanner) error) error {
	if null, err := s.null(); null {
		*into = nil
		return err
	}
	*into = new(T)
	return read(*into, s)
}

// readList reads a list; null is no list, and not the same as an empty one.
func readList[T any](into *[]T, s *scanner, read func(into *T, s *scanner) error) error {
	if null, err := s.null(); null {
		*into = nil
		return err
	}
	list := []T{}
	err := s.array(func(k int) error {
		if k == cap(list) {
			list = append(make([]T, 0, max(4, 2*k)), list...)
		}
		list = list[:k+1]
		return read(&list[k], s)
	})
	*into = list
	return err
}

// readMap reads the values of an object by their keys.
func readMap[T any](into *map[string]T, s *scanner, read func(into *T, s *scanner) error) error {
	if null, err := s.null(); null {
		*into = nil
		return err
	}
	all := make(map[string]T)
	*into = all
	return s.object(func(key string) error {
		var value T
		err := read(&value, s)
		all[key] = value
		return err
	})
}

// unescaped returns what a JSON string with escapes says.
func unescaped(quoted string) string {
	var text string
	_ = json.Unmarshal([]byte(quoted), &text) // of a valid string: can't fail
	return text
}

// quote returns text as a JSON string. The text of messages stays readable: <, > and & are not escaped.
func quote(text string) string {
	if isPlain(text) {
		return `"` + text + `"` // as most are
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // of a string: can't fail
	return strings.TrimSuffix(b.String(), "\n")
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
func (s *scanner) texts(leftOut string, each func(text string)) error {
	switch s.peek() {
	case '{':
		return s.object(func(key string) error {
			if key == leftOut {
				return s.skip()
			}
			return s.texts(leftOut, each)
		})
	case '[':
		return s.array(func(int) error { return s.texts(leftOut, each) })
	case '"':
		text, err := s.str()
		each(text)
		return err
	}
	return s.skip()
}
