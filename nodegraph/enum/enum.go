// Package enum gives the values of enumerations their names: as strings, and as text that is stored.
package enum

import (
	"fmt"
	"slices"
)

// An Error says that a text, or a number, is no value of an enumeration.
type Error struct {
	Type string // of the enumeration
	Text string // what is none of its names, or the number that is none of its values
}

// Error names the enumeration and the text.
func (e *Error) Error() string { return fmt.Sprintf("%q is no %s", e.Text, e.Type) }

// Names are the names of an enumeration, by value.
type Names struct {
	Type string   // of the enumeration
	Of   []string // the name of each value, at the place of the value
}

// String is the name of value v, or its number for what is no value.
func (n *Names) String(v uint8) string {
	if int(v) < len(n.Of) {
		return n.Of[v]
	}
	return fmt.Sprintf("%s(%d)", n.Type, v)
}

// Marshal is the name of value v as text. The error is an [*Error].
func (n *Names) Marshal(v uint8) ([]byte, error) {
	if int(v) >= len(n.Of) {
		return nil, &Error{n.Type, fmt.Sprint(v)}
	}
	return []byte(n.Of[v]), nil
}

// Unmarshal sets v to the value of this name. The error is an [*Error], and v is as it was.
func Unmarshal[E ~uint8](n *Names, text []byte, v *E) error {
	at := slices.Index(n.Of, string(text))
	if at < 0 {
		return &Error{n.Type, string(text)}
	}
	*v = E(at)
	return nil
}

// Valid reports whether v is a value of the enumeration.
func (n *Names) Valid(v uint8) bool { return int(v) < len(n.Of) }
