package retry_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/retry"
)

// What expressions can do, and what they can not.

// Expressions could ask for the time, and for keys in the random order of a Go map.
func TestExpressionsHaveNoClockAndNoChance(t *testing.T) {
	_, err := retry.Compile("now().Unix() > 0")
	assert.Error(t, err, "now is not available")
	e, err := retry.Compile("keys(lastRetry)[0] == 'status'")
	if err != nil {
		return
	}
	results := make(map[bool]bool)
	for range 1000 {
		ok, err := e.Eval(retry.Variables{})
		require.NoError(t, err)
		results[ok] = true
	}
	assert.Len(t, results, 1, "the same each time")
}

// Expressions could run for hours, and make texts that take all memory.
func TestExpressionsEnd(t *testing.T) {
	for text, reason := range map[string]string{
		"all([1, 2], any([1, 2], true))":              "a loop inside a loop",
		"let a = 'x' + 'x'; a == 'y'":                 "let is not available",
		"len(1..999) > 0":                             "ranges are not available",
		"len(reduce([1, 2], #acc + #acc, 'x')) == 1":  "reduce is not available",
		"len(repeat('x', 100000000)) == 1":            "unknown name repeat",
		"toBase64(toBase64(lastRetry.message)) == ''": "unknown name toBase64",
	} {
		_, err := retry.Compile(text)
		assert.ErrorContains(t, err, reason, text)
	}
	ok, err := expression(t, "any(['a', 'b'], lastRetry.message contains #)").Eval(retry.Variables{LastMessage: "cab"})
	assert.NoError(t, err)
	assert.True(t, ok, "one loop is fine")
}

// What asInt made of values that no int holds depended on the machine.
func TestAsIntOutOfRange(t *testing.T) {
	for _, text := range []string{"asInt('1e19') > 0", "asInt('NaN') == 0", "asInt('-Inf') < 0"} {
		_, err := expression(t, text).Eval(retry.Variables{})
		assert.Error(t, err, text)
	}
}

// A loop over a text whose type is not known before had as many rounds as the message of a pod has bytes, each of which read
// it: an expression of 900 bytes took 20 seconds for a message of 4 KiB.
func TestLoopsAreOverListsOnly(t *testing.T) {
	for _, text := range []string{
		"any(lastRetry.message, lastRetry.message matches '(a|b|ab)*c')",
		"all(lastRetry.message[1:], true)",
		"none(true ? 'abc' : 1, # == 97)",
		"one([lastRetry.message][0], true)",
		"one(first([lastRetry.message]), true)",
		"count(lastRetry.status, true) > 1",
		"find(lastRetry.message, true) == 97",
		"len(filter(lastRetry.message, true)) > 1",
		"any(filter(lastRetry.message, true), true)",
		"any(true ? ['a'] : lastRetry.message, true)",
		"any(true ? lastRetry.message : ['a'], true)",
	} {
		_, err := retry.Compile(text)
		assert.ErrorContains(t, err, "a loop over what is no list is not available", text)
	}
	for text, want := range map[string]bool{
		"any(['a', 'x'], lastRetry.message contains #)":                     true,
		"all(['a', 'x'], lastRetry.message contains #)":                     false,
		"any(['a', 'x'][1:], lastRetry.message contains #)":                 false,
		"any(filter(['a', 'x'], # != 'a'), lastRetry.message contains #)":   false,
		"any(retries == '0' ? ['a'] : ['x'], lastRetry.message contains #)": true,
		"count([true, false]) == 1":                                         true,
		"len(lastRetry.message) == 3":                                       true,
	} {
		ok, err := expression(t, text).Eval(retry.Variables{LastMessage: "cab"})
		assert.NoError(t, err, text)
		assert.Equal(t, want, ok, text)
	}
}
