package argo

import (
	"errors"
	"slices"
	"strings"
)

// A scanner walks over JSON once, from left to right, and checks every byte that it passes. It copies nothing: values are parts of
// the text. What it takes is what encoding/json takes, with these differences and bounds, which the fuzz targets hold it to:
//
//   - Keys match exactly. "Name" is not "name", as for the API server of Kubernetes. A key may be written with escapes.
//   - A key that an object has twice is an error in the specification, the metadata and the templates, at any depth; at the top of
//     the object and of the status; among the nodes, and among the fields of a node that are read. Elsewhere nobody reads it, and it
//     stays as it is.
//   - null stands for a field that is not there. As an element of a list or a value of a map it is the zero value.
//   - Numbers have the grammar of RFC 8259. One that is read must be whole and fit its type; 1.0 and 1e3 do not count as whole. Any
//     other stays text, however large it is.
//   - Times are those of RFC 3339. The empty string is no time.
//   - Objects and lists are at most maxDepth inside one another.
//   - The text as a whole is valid UTF-8, or it is refused before it is scanned. An escape of half a pair stands for U+FFFD.
//   - White space is what RFC 8259 says. Nothing may come after the value.
//
// Time and memory follow the length of the text. Errors come in the order of the text, each with its path.
type scanner struct {
	text   string
	at     int
	quoted string   // the key that was read last, as it stands there
	depth  int      // of objects and lists that are open
	unique int      // down to which depth no object may have a key twice
	keys   []string // of the objects that are open and may not, each of them up to fewKeys

	decoded bool // there is no text: what comes next is value
	value   any
	listed  []field // of the records that are open
}

// maxDepth is how many objects and lists may be inside one another, as in encoding/json.
const maxDepth = 10_000

// errSyntax is the error of text that is no JSON. [checkSyntax] says what is wrong with it.
var errSyntax = errors.New("invalid JSON")

// peek goes to the next byte that is not white space and returns it, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// end reports an error if anything is left but white space.
func (s *scanner) end() error {
	if s.peek(); s.at < len(s.text) {
		return errSyntax
	}
	return nil
}

// skip goes behind the next value.
func (s *scanner) skip() error {
	if s.decoded {
		return nil // it is checked when somebody asks for its text
	}
	switch c := s.peek(); c {
	case '"':
		_, _, err := s.token()
		return err
	case '{':
		return s.object(func(string) error { return s.skip() })
	case '[':
		return s.array(func(int) error { return s.skip() })
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

// raw goes behind the next value and returns it as it stands there.
func (s *scanner) raw() (string, error) {
	if s.decoded {
		return encodeValue(s.value)
	}
	s.peek()
	from := s.at
	err := s.skip()
	return s.text[from:s.at], err
}

// word goes behind a word that is expected here.
func (s *scanner) word(word string) error {
	if !strings.HasPrefix(s.text[s.at:], word) {
		return errSyntax
	}
	s.at += len(word)
	return nil
}

// number goes behind a number.
func (s *scanner) number() error {
	s.pass('-')
	if !s.pass('0') && s.digits() == 0 {
		return errSyntax
	}
	if s.pass('.') && s.digits() == 0 {
		return errSyntax
	}
	if s.pass('e') || s.pass('E') {
		if !s.pass('+') {
			s.pass('-')
		}
		if s.digits() == 0 {
			return errSyntax
		}
	}
	return nil
}

// pass goes behind one byte, and reports whether it was there.
func (s *scanner) pass(c byte) bool {
	there := s.at < len(s.text) && s.text[s.at] == c
	if there {
		s.at++
	}
	return there
}

// digits goes behind digits, and returns how many there were.
func (s *scanner) digits() int {
	from := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at - from
}

// token goes behind the string that begins here, and returns it with its quotes, and whether it has escapes.
func (s *scanner) token() (quoted string, escaped bool, err error) {
	if s.peek() != '"' {
		return "", false, errSyntax
	}
	from := s.at
	s.at++
	for {
		s.at += plain(s.text[s.at:])
		switch {
		case s.pass('"'):
			return s.text[from:s.at], escaped, nil
		case !s.pass('\\'):
			return "", false, errSyntax
		}
		escaped = true
		if err := s.escape(); err != nil {
			return "", false, err
		}
	}
}

// key goes behind a key and its colon, and returns the key.
func (s *scanner) key() (key string, err error) {
	quoted, escaped, err := s.token()
	if err != nil {
		return "", err
	}
	if s.peek() != ':' {
		return "", errSyntax
	}
	s.at++
	s.quoted = quoted
	if escaped {
		return unescaped(quoted), nil
	}
	return quoted[1 : len(quoted)-1], nil
}

// escape goes behind what follows a backslash.
func (s *scanner) escape() error {
	if s.at == len(s.text) {
		return errSyntax
	}
	c := s.text[s.at]
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			if s.at == len(s.text) || !isHex(s.text[s.at]) {
				return errSyntax
			}
			s.at++
		}
		return nil
	}
	return errSyntax
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// object calls each for every key of the object that comes next, in their order. each must go behind the value. null is an object
// without keys. An error says under which key it is.
func (s *scanner) object(each func(key string) error) error {
	if s.decoded {
		return s.fields(each)
	}
	open, err := s.open('{', "an object")
	if !open || err != nil {
		return err
	}
	from, many := len(s.keys), map[string]struct{}(nil)
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		if s.depth <= s.unique && !s.isNew(key, from, &many) {
			return within(key, ErrDuplicateKey)
		}
		if err := each(key); err != nil {
			return within(key, err)
		}
		if more, err := s.more('}'); !more || err != nil {
			s.keys = s.keys[:from]
			return err
		}
	}
}

// fewKeys is up to how many keys a walk over all of them beats a map.
const fewKeys = 16

// isNew notes a key of an object, and reports whether the object has not had it before: few are kept in the scanner's list, from
// where the object begins, more in a map.
func (s *scanner) isNew(key string, from int, many *map[string]struct{}) bool {
	few := s.keys[from:]
	if len(few) < fewKeys {
		s.keys = append(s.keys, key)
		return !slices.Contains(few, key)
	}
	if *many == nil {
		*many = make(map[string]struct{}, 4*fewKeys)
		for _, old := range few {
			(*many)[old] = struct{}{}
		}
	}
	_, old := (*many)[key]
	(*many)[key] = struct{}{}
	return !old
}

// uniquely reads a value in which no object may have a key twice, so many levels deep.
func (s *scanner) uniquely(levels int, read func() error) error {
	was := s.unique
	s.unique = s.depth + levels
	err := read()
	s.unique = was
	return err
}

// array calls each for every element of the list that comes next, with its number; each must go behind the element. null is empty.
func (s *scanner) array(each func(k int) error) error {
	if s.decoded {
		return s.elements(each)
	}
	open, err := s.open('[', "a list")
	if !open || err != nil {
		return err
	}
	for k := 0; ; k++ {
		if err := each(k); err != nil {
			return withinElement(k, err)
		}
		if more, err := s.more(']'); !more || err != nil {
			return err
		}
	}
}

// open goes inside an object or a list, and reports whether there is anything inside.
func (s *scanner) open(bracket byte, want string) (bool, error) {
	switch c := s.peek(); c {
	case bracket:
	case 'n':
		return false, s.word("null")
	default:
		return false, &typeError{want: want, found: describeValue(c)}
	}
	if s.depth++; s.depth > maxDepth {
		return false, errSyntax
	}
	s.at++
	if s.peek() == bracket+2 { // } comes two after {, and ] after [
		s.at++
		s.depth--
		return false, nil
	}
	return true, nil
}

// more goes behind a comma, or behind the bracket that closes, and reports whether more comes.
func (s *scanner) more(bracket byte) (bool, error) {
	switch s.peek() {
	case ',':
		s.at++
		return true, nil
	case bracket:
		s.at++
		s.depth--
		return false, nil
	}
	return false, errSyntax
}
