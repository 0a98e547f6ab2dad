package argo_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

var garbageSize = flag.Int("garbage", 1, "MiB of garbage to read")

// Megabytes of anything are refused with an error of the package that stays short.
func TestGarbageIsRefused(t *testing.T) {
	size := *garbageSize << 20
	random := make([]byte, size)
	r := rand.New(rand.NewPCG(1, 2))
	for k := range random {
		random[k] = byte(r.Uint32())
	}
	letters := bytes.Clone(random)
	for k := range letters {
		letters[k] = 'a' + letters[k]%26
	}
	for name, garbage := range map[string][]byte{
		"random bytes":   random,
		"letters":        letters,
		"nothing":        nil,
		"spaces":         bytes.Repeat([]byte(" "), size),
		"zeros":          make([]byte, size),
		"open braces":    bytes.Repeat([]byte("{"), size),
		"open brackets":  bytes.Repeat([]byte("["), size),
		"nested objects": bytes.Repeat([]byte(`{"a":`), size/5),
		"a long string":  []byte(`{"kind":"` + strings.Repeat("x", size)),
		"a long number":  []byte(strings.Repeat("9", size)),
		"YAML lists":     bytes.Repeat([]byte("- "), size/2),
		"YAML keys":      bytes.Repeat([]byte("a: b\n"), size/5),
	} {
		t.Run(name, func(t *testing.T) {
			w, err := argo.Read(garbage)
			require.Error(t, err)
			assert.Nil(t, w)
			var wrong *argo.ReadError
			require.ErrorAs(t, err, &wrong)
			assert.Less(t, len(err.Error()), 1000, "an error that a person can read")
		})
	}
}
