package main

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/stretchr/testify/require"
)

// In a specification, where no object may have a key twice, what is read is what a strict reader of JSON takes for valid. Half a pair
// of escapes is the only thing that argo.Read takes and RFC 7493 does not.
func FuzzStrict(f *testing.F) {
	for _, seed := range []string{
		`1`, `-0.5e-7`, `01`, `"a\u00e9"`, `"\ud83d"`, `{"a":1,"a":2}`, `{"a":{"b":[{"c":1,"c":2}]}}`, `{"a":1,"\u0061":2}`, `[1,{"a":[]}]`, `{"a":1,}`, `nul`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) {
			return
		}
		text := []byte(`{"kind":"Workflow","metadata":{"name":"w"},"spec":{"x":` + value + `}}`)
		valid := jsontext.Value(text).IsValid(jsontext.AllowInvalidUTF8(true))
		_, err := argo.Read(text)
		if !valid {
			require.Error(t, err, "jsontext refuses %s", text)
		} else if err != nil {
			require.NotContains(t, err.Error(), "invalid JSON", "jsontext takes %s", text)
			require.NotErrorIs(t, err, argo.ErrDuplicateKey, "jsontext takes %s", text)
		}
	})
}
