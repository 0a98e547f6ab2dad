package reconcile_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// An engine keeps what a record says in few words, not the text of the object that the words are part of.
func TestEnginesDoNotKeepTheObject(t *testing.T) {
	const megabytes = 16
	engine := func(k int) *propagate.Engine {
		text := fmt.Sprintf(`{"kind":"Workflow","metadata":{"name":"w%[1]d"},"spec":{"entrypoint":"main","templates":[{"name":"main","steps":[[
			{"name":"s","template":"p","withParam":"{{x}}"}]]},{"name":"p","container":{}}]},"status":{"phase":"Running","message":"m%[1]d","x":"%[2]s","nodes":{
			"w%[1]d":{"id":"w%[1]d","name":"w%[1]d","type":"Steps","phase":"Running","message":"of %[1]d"}}}}`, k, strings.Repeat("x", megabytes<<20))
		w, err := argo.Read([]byte(text))
		require.NoError(t, err)
		e, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot)
		require.NoError(t, err)
		return e
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := []*propagate.Engine{engine(1), engine(2), engine(3)}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(megabytes<<20), "three engines keep less than one object")
	runtime.KeepAlive(kept)
}
