package argo

import (
	"bytes"
	"unicode/utf8"
)

// A follower walks over an object and compares it with what was read of it before. It does not check what it passes: that was checked
// if it is the same, and the scanner reads what is not. Each function goes behind what it looks at if that is what is expected.
type follower struct {
	text []byte
	at   int
	w    *Workflow
}

// white goes to the next byte that is not white space.
func (f *follower) white() {
	for f.at < len(f.text) && isWhite(f.text[f.at]) {
		f.at++
	}
}

func isWhite(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// pass reports whether a byte comes next.
func (f *follower) pass(c byte) bool {
	f.white()
	if f.at == len(f.text) || f.text[f.at] != c {
		return false
	}
	f.at++
	return true
}

// same reports whether a text comes next.
func (f *follower) same(text string) bool {
	f.white()
	end := f.at + len(text)
	if end > len(f.text) || string(f.text[f.at:end]) != text {
		return false
	}
	f.at = end
	return true
}

// sameValue reports whether a value comes next, as it stands in text.
func (f *follower) sameValue(text string) bool {
	from := f.at
	if !f.same(text) {
		return false
	}
	if f.at < len(f.text) && !isWhite(f.text[f.at]) && f.text[f.at] != ',' && f.text[f.at] != '}' {
		f.at = from // it is the beginning of a longer number
		return false
	}
	return true
}

// value returns a copy of the next value, which may be none.
func (f *follower) value() (string, bool) {
	f.white()
	from := f.at
	for depth := 0; f.at < len(f.text); {
		switch c := f.text[f.at]; {
		case c == '"':
			if _, ok := f.quoted(); !ok {
				return "", false
			}
			if depth == 0 {
				return f.copied(from)
			}
			continue
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == '}' || isWhite(c)):
			return f.copied(from)
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				f.at++
				return f.copied(from)
			}
		}
		f.at++
	}
	return "", false
}

// copied returns a copy of the text since from, and whether it is UTF-8.
func (f *follower) copied(from int) (string, bool) {
	text := f.text[from:f.at]
	return string(text), utf8.Valid(text)
}

// quoted goes behind a string, and returns what is between its quotes, as it stands there.
func (f *follower) quoted() (text []byte, ok bool) {
	from := f.at + 1
	for at := from; at < len(f.text); at++ {
		n := bytes.IndexAny(f.text[at:], `"\`)
		if n < 0 {
			break
		}
		if at += n; f.text[at] == '"' {
			f.at = at + 1
			return f.text[from:at], true
		}
		at++ // what is escaped
	}
	return nil, false
}

// key goes behind a key and its colon. One with escapes is not taken.
func (f *follower) key() (key []byte, ok bool) {
	if f.white(); f.at == len(f.text) || f.text[f.at] != '"' {
		return nil, false
	}
	key, ok = f.quoted()
	return key, ok && !bytes.ContainsRune(key, '\\') && f.pass(':')
}

// object calls each for every member of the object that comes next, until one is not what is expected.
func (f *follower) object(each func() bool) bool {
	if !f.pass('{') {
		return false
	}
	if f.pass('}') {
		return true
	}
	for each() {
		if f.pass('}') {
			return true
		}
		if !f.pass(',') {
			return false
		}
	}
	return false
}

// members follows an object whose members were old. take follows the value of one, which was empty where there was none, and returns
// what it is now. No key may be there twice.
func (f *follower) members(old members, take func(key, was string) (string, bool)) (members, bool) {
	fresh := make(members, 0, len(old)+1)
	ok := f.object(func() bool {
		key, ok := f.key()
		if !ok {
			return false
		}
		m := old.named(key)
		if m.key == "" {
			m.key, m.quoted = string(key), `"`+string(key)+`"`
			_, _, err := (&scanner{text: m.quoted}).token()
			ok = err == nil && utf8.Valid(key)
		}
		if !ok || fresh.get(m.key) != "" {
			return false
		}
		m.value, ok = take(m.key, m.value)
		fresh = append(fresh, m)
		return ok
	})
	return fresh, ok
}

// named returns the member with this key; the zero member if there is none.
func (m members) named(key []byte) member {
	for i := range m {
		if m[i].key == string(key) {
			return m[i]
		}
	}
	return member{}
}
