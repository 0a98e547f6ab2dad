package argo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Control characters in a message, as programs print them, came back as something else or were refused.
func TestYAMLKeepsControlCharacters(t *testing.T) {
	for _, c := range []string{"\u0085", "\u007f", "\u009b", "\ufffe"} {
		w := read(t, []byte(object(`{"phase":"Failed","message":"x`+c+`y"}`)))
		inYAML, err := w.EncodeYAML()
		if assert.NoError(t, err, "%+q", c) {
			assert.Equal(t, w.Snapshot.Message, read(t, inYAML).Snapshot.Message, "%+q", c)
		}
	}
}
