package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// marks are what the structure of the library must keep to: at most so many of what a row counts first, second, and so on. What
// a call enters is what it was when this was written: it may only shrink.
var marks = []struct {
	row  string
	most []int
}{
	{"PodDeleted of `a` in `dag(a -> b)`", []int{134, 26, 90, 26}},
	{"largest cycle of files in propagate/...", []int{6}},
	{"fact fields written outside the store", []int{0}},
	{"nodes marked for evaluation outside the table of readers", []int{0}},
	{"embedded fields of Engine", []int{0}},
	{"exported by propagate, fact and rule together", []int{169}},
	{"exported without a comment", []int{0}},
	{"sentences of 31 words and more in doc comments", []int{6, 2}},
}

func TestStructureKeepsItsMarks(t *testing.T) {
	rows, err := measure("../../..")
	require.NoError(t, err)
	counts := make(map[string]row)
	for _, r := range rows {
		counts[r.name] = r
	}
	for _, m := range marks {
		t.Run(m.row, func(t *testing.T) {
			r, known := counts[m.row]
			require.True(t, known, "the table has no such row")
			for k, most := range m.most {
				assert.LessOrEqual(t, r.counts[k].n, most, "%s %s", r, r.items)
			}
		})
	}
}
