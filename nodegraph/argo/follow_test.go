package argo_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// followed is the object that the tests follow: what others may write, and what they may not, beside a node.
const followed = `{"kind":"Workflow","metadata":{"name":"w","resourceVersion":"1","labels":{"l":"1"}},"spec":{"entrypoint":"w"},` +
	`"status":{"phase":"Running","progress":"0/1","nodes":{"w":{"id":"w",` + podFields + `},"w-2":{"id":"w-2","name":"w.b","type":"Skipped","phase":"Skipped"}}}}`

// An object is the same if it differs in nothing that is read, however it is written.
func TestFollow(t *testing.T) {
	replaced := func(old, text string) string {
		require.Contains(t, followed, old)
		return strings.Replace(followed, old, text, 1)
	}
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, []byte(followed), " ", "\t"))
	tests := []struct {
		name, object string
		same         bool
	}{
		{"the same bytes", followed, true},
		{"white space between parts", " " + replaced(`,"spec":`, " ,\n\t\"spec\" : ") + "\n", true},
		{"another resourceVersion", replaced(`"1","labels"`, `"2","labels"`), true},
		{"somebody manages fields", replaced(`"labels"`, `"managedFields":[{"manager":"m"}],"labels"`), true},
		{"a field of a node that nobody reads", replaced(`"phase":"Skipped"`, `"phase":"Skipped","progress":"1/1"`), true},
		{"fields of a node in another order", replaced(`"type":"Skipped","phase":"Skipped"`, `"phase":"Skipped","type":"Skipped"`), true},
		{"a field of the status that nobody reads", replaced(`"0/1"`, `"1/1"`), true},
		{"more in the status", replaced(`"progress"`, `"conditions":[{"type":"x"}],"progress"`), true},
		{"nodes in another order", replaced(`{"w":{"id":"w",`+podFields+`},"w-2":{"id":"w-2","name":"w.b","type":"Skipped","phase":"Skipped"}}`,
			`{"w-2":{"id":"w-2","name":"w.b","type":"Skipped","phase":"Skipped"},"w":{"id":"w",`+podFields+`}}`), true},

		{"white space in the specification", indented.String(), false},
		{"another name", replaced(`"name":"w"`, `"name":"v"`), false},
		{"another label", replaced(`"l":"1"`, `"l":"2"`), false},
		{"another specification", replaced(`"entrypoint":"w"`, `"entrypoint":"v"`), false},
		{"another phase", replaced(`"phase":"Running"`, `"phase":"Pending"`), false},
		{"a message of the workflow", replaced(`"progress"`, `"message":"m","progress"`), false},
		{"a stored template", replaced(`"progress"`, `"storedTemplates":{},"progress"`), false},
		{"another phase of a node", replaced(`"phase":"Skipped"`, `"phase":"Omitted"`), false},
		{"a node is gone", replaced(`,"w-2":{"id":"w-2","name":"w.b","type":"Skipped","phase":"Skipped"}`, ``), false},
		{"a node is there twice", replaced(`"w-2":{`, `"w-2":{"id":"w-2","name":"w.b","type":"Skipped","phase":"Skipped"},"w-2":{`), false},
		{"a node more", replaced(`"w-2":{`, `"w-3":{"id":"w-3","name":"w.c","type":"Skipped","phase":"Skipped"},"w-2":{`), false},
		{"a key of the status twice", replaced(`"progress"`, `"progress":1,"progress"`), false},
		{"no status", `{"kind":"Workflow","metadata":{"name":"w","resourceVersion":"1","labels":{"l":"1"}},"spec":{"entrypoint":"w"}}`, false},
		{"a part more", replaced(`"spec"`, `"x":1,"spec"`), false},
		{"something behind it", followed + "x", false},
		{"cut off", followed[:len(followed)-1], false},
		{"nothing", "", false},
		{"a list of it", `{"kind":"List","items":[` + followed + `]}`, false},
	}
	for _, test := range tests {
		w := read(t, []byte(followed))
		assert.Equal(t, test.same, w.Follow([]byte(test.object)), "%s: it is the same", test.name)
		if test.same {
			isAsRead(t, w, []byte(test.object))
		}
	}
}

// isAsRead checks that a workflow which has followed an object is as one that is read from it.
func isAsRead(t *testing.T, w *argo.Workflow, object []byte) {
	t.Helper()
	fresh := read(t, object)
	for k := range fresh.Snapshot.Nodes {
		r := &fresh.Snapshot.Nodes[k]
		require.Empty(t, cmp.Diff(r, w.Record(r.ID), cmpopts.EquateEmpty()), "node %s of %s", r.ID, object)
	}
	require.Equal(t, fresh.ResourceVersion, w.ResourceVersion)
	require.Equal(t, "{}", string(patch(t, w)), "nothing was set since %s", object)
	require.Equal(t, decoded(t, object), decoded(t, encode(t, w)))
	s := fresh.Snapshot
	s.Phase, s.Finished, s.Nodes = nodegraph.PhaseFailed, at(9), append([]nodegraph.NodeStatus(nil), s.Nodes...)
	for k := range s.Nodes {
		s.Nodes[k].Message, s.Nodes[k].Children = "ended", []string{"w-9"}
	}
	s.Nodes = append(s.Nodes, nodegraph.NodeStatus{ID: "new", Name: "w.new", Kind: nodegraph.KindPod, Phase: nodegraph.PhasePending, Boundary: "w"})
	require.NoError(t, fresh.SetStatus(s))
	require.NoError(t, w.SetStatus(s))
	require.Equal(t, string(patch(t, fresh)), string(patch(t, w)), "what is set from there")
}

// What was set and is stored as the API server stores it is the same, and what was not stored is not.
func TestFollowWhatWasSet(t *testing.T) {
	forEachRecording(t, func(t *testing.T, r *recording) {
		for k := 0; k+1 < len(r.Frames) && k < 6; k++ {
			old, err := json.Marshal(decoded(t, r.frame(t, k))) // with sorted keys, as the API server has it
			require.NoError(t, err)
			before, after := read(t, old), read(t, r.frame(t, k+1))
			require.NoError(t, before.SetStatus(after.Snapshot))
			stored, err := json.Marshal(applied(t, old, patch(t, before)))
			require.NoError(t, err)
			if string(patch(t, before)) != "{}" {
				lost := read(t, old)
				require.NoError(t, lost.SetStatus(after.Snapshot))
				require.False(t, lost.Follow(old), "frame %d: the patch was lost", k)
			}
			require.True(t, before.Follow(stored), "frame %d: the patch was stored", k)
			isAsRead(t, before, stored)
		}
	})
}

// Bytes are changed at random. What is followed then can be read, and says what was set.
func TestFollowNothingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	same := 0
	for range 20_000 {
		data := []byte(followed)
		for range 1 + r.IntN(2) {
			at := r.IntN(len(data))
			switch part := r.IntN(len(followed)); r.IntN(3) {
			case 0:
				data[at] = `"\{}[]:,0 aw`[r.IntN(12)]
			case 1:
				data = append(data[:at:at], data[min(len(data), at+r.IntN(9)):]...)
			default:
				data = append(data[:at:at], append([]byte(followed[part:min(len(followed), part+r.IntN(30))]), data[at:]...)...)
			}
		}
		if followsOnlyTheSame(t, data) {
			same++
		}
	}
	require.Greater(t, same, 100, "some are the same in all that is read")
}

// followsOnlyTheSame checks that what is followed is the same, and reports whether it is.
func followsOnlyTheSame(t *testing.T, data []byte) bool {
	t.Helper()
	w := read(t, []byte(followed))
	was := read(t, []byte(followed))
	if !w.Follow(data) {
		return false
	}
	require.True(t, utf8.Valid(data))
	is, err := argo.Read(data)
	require.NoError(t, err, "%s", data)
	byID := cmpopts.SortSlices(func(a, b nodegraph.NodeStatus) bool { return a.ID < b.ID })
	require.Empty(t, cmp.Diff(was.Snapshot, is.Snapshot, byID), "%s", data)
	require.Empty(t, cmp.Diff(was.Spec, is.Spec, sameSpec), "%s", data)
	require.Equal(t, decoded(t, data), decoded(t, encode(t, w)))
	return true
}

// What is followed can be read, and says what was set.
func FuzzFollow(f *testing.F) {
	f.Add([]byte(followed))
	f.Add([]byte(strings.Replace(followed, `"0/1"`, `"1/1"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) { followsOnlyTheSame(t, data) })
}

// Once half of the text is out of date the object is read anew.
func TestFollowGivesUpOldText(t *testing.T) {
	text := string(wide(20))
	w := read(t, []byte(text))
	for k := 0; k < 20; k++ {
		text = strings.Replace(text, `"progress":"0/1"`, `"progress":"1/1"`, 1)
		if !w.Follow([]byte(text)) {
			assert.Greater(t, k, 5, "nodes that had changed")
			return
		}
	}
	t.Fatal("it keeps a text of which nothing is left")
}
