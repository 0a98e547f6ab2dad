package argo

import "strings"

// A member is one key of a JSON object and its value, as they stand in the text.
type member struct {
	key    string
	quoted string // the key with its quotes
	value  string
}

// members is a JSON object that keeps the order of its keys.
type members []member

// members takes apart the object that comes next; read is called for each value, and must go behind it.
func (s *scanner) members(read func(key string) error) (m members, err error) {
	m = make(members, 0, fewKeys)
	err = s.object(func(key string) error {
		quoted := s.quoted
		s.peek()
		from := s.at
		if err := read(key); err != nil {
			return err
		}
		m = append(m, member{key, quoted, s.text[from:s.at]})
		return nil
	})
	return m, err
}

// split takes an object apart. null is one without members. A key that is there twice is an error.
func split(text string) (m members, err error) {
	if text == "" {
		return nil, nil
	}
	s := &scanner{text: text}
	err = s.uniquely(1, func() error {
		m, err = s.members(func(string) error { return s.skip() })
		return err
	})
	return m, err
}

// parts is split for an object that may have a key twice.
func parts(text string) (members, error) {
	if text == "" {
		return nil, nil
	}
	s := &scanner{text: text}
	return s.members(func(string) error { return s.skip() })
}

// get returns the value of key, empty if there is none.
func (m members) get(key string) string {
	for i := range m {
		if m[i].key == key {
			return m[i].value
		}
	}
	return ""
}

// with returns m with key set to value. m itself stays as it is.
func (m members) with(key, value string) members {
	e := &edit{members: m}
	e.set(key, value)
	return e.members
}

// encode puts the object together again.
func (m members) encode() string {
	var b strings.Builder
	size := 2
	for i := range m {
		size += len(m[i].quoted) + len(m[i].value) + 2
	}
	b.Grow(size)
	b.WriteByte('{')
	for i := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m[i].quoted)
		b.WriteByte(':')
		b.WriteString(m[i].value)
	}
	b.WriteByte('}')
	return b.String()
}
