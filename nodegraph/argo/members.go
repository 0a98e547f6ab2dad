package argo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A member is one key of a JSON object and its value, as they stand in the text.
type member struct {
	key    string
	quoted []byte // the key with its quotes
	value  json.RawMessage
}

// members is a JSON object that keeps the order of its keys.
type members []member

// fewKeys is up to how many keys a walk over all of them beats a map.
const fewKeys = 16

// split takes an object apart. null is one without members. The error is a *typeError, or names a key that is there
// twice and wraps ErrDuplicateKey.
func split(text json.RawMessage) (members, error) {
	m, err := parts(text)
	if err != nil {
		return nil, err
	}
	keys := keySet{}
	for i := range m {
		if !keys.add(m[i].key) {
			return nil, fmt.Errorf("%q: %w", bounded(m[i].key), ErrDuplicateKey)
		}
	}
	return m, nil
}

// parts is split for an object that may have a key twice.
func parts(text json.RawMessage) (members, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var m members
	s := &scanner{text: text}
	err := s.object(func(quoted []byte) error {
		m = append(m, member{unquote(quoted), quoted, s.skip()})
		return nil
	})
	return m, err
}

// get returns the value of key, nil if there is none.
func (m members) get(key string) json.RawMessage {
	for i := range m {
		if m[i].key == key {
			return m[i].value
		}
	}
	return nil
}

// with returns m with key set to value. m itself stays as it is.
func (m members) with(key string, value json.RawMessage) members {
	e := &edit{members: m}
	e.set(key, value)
	return e.members
}

// encode puts the object together again.
func (m members) encode() json.RawMessage {
	var b bytes.Buffer
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
		b.Write(m[i].quoted)
		b.WriteByte(':')
		b.Write(m[i].value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// keySet remembers keys: few of them in a list, more in a map.
type keySet struct {
	few  []string
	many map[string]struct{}
}

// add reports whether key is new.
func (k *keySet) add(key string) bool {
	if k.many == nil {
		if slices.Contains(k.few, key) {
			return false
		}
		if len(k.few) < fewKeys {
			k.few = append(k.few, key)
			return true
		}
		k.many = make(map[string]struct{}, 4*fewKeys)
		for _, old := range k.few {
			k.many[old] = struct{}{}
		}
	}
	if _, ok := k.many[key]; ok {
		return false
	}
	k.many[key] = struct{}{}
	return true
}

// checkKeys looks for an object that has one key twice, anywhere inside the value, and says where: the JSON decoder
// would quietly take the last of them.
func checkKeys(text json.RawMessage) (path string, found bool) {
	s := &scanner{text: text}
	return s.twice()
}

// errStop ends a walk early.
var errStop = errors.New("stop")

// twice returns the path of the first key that is twice in its object, below the next value. It ends there.
func (s *scanner) twice() (path string, found bool) {
	switch s.peek() {
	case '{':
		keys := keySet{}
		_ = s.object(func(quoted []byte) error {
			key := unquote(quoted)
			if found = !keys.add(key); found {
				path = bounded(key)
				return errStop
			}
			var below string
			if below, found = s.twice(); found {
				path = join(bounded(key), below)
				return errStop
			}
			return nil
		})
	case '[':
		at := 0
		_ = s.array(func() error {
			var below string
			if below, found = s.twice(); found {
				path = join(fmt.Sprintf("[%d]", at), below)
				return errStop
			}
			at++
			return nil
		})
	default:
		s.skip()
	}
	return path, found
}

// join puts two parts of a path together. No more is kept than an error shows.
func join(a, b string) string {
	b = bounded(b)
	if strings.HasPrefix(b, "[") {
		return a + b
	}
	return a + "." + b
}
