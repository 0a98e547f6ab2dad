package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// A caseOf is a row of testdata/DEVIATIONS.md: a node in a frame at which a deviation occurs.
type caseOf struct {
	number    int
	recording string // its file under testdata/recordings
	frame     int
	node      string
}

// documentedCases are the rows of the document that are about nodes.
func documentedCases(t *testing.T) []caseOf {
	t.Helper()
	data, err := os.ReadFile("../../testdata/DEVIATIONS.md")
	require.NoError(t, err)
	sections := documented(t, string(data))
	var cases []caseOf
	for n := 1; n <= replay.Deviations; n++ {
		for _, row := range deviationRow.FindAllStringSubmatch(sections[n], -1) {
			frame, err := strconv.Atoi(row[2])
			require.NoError(t, err)
			if row[3] != "" {
				cases = append(cases, caseOf{n, recordingFile(t, row[1]), frame, row[3]})
			}
		}
	}
	return cases
}

// found is the difference at a node, after a frame that is played from the recorded one before it.
func found(t *testing.T, r *replay.Recording, frame int, node string) *replay.Difference {
	t.Helper()
	v, err := replay.JudgeFrame(&replay.Player{Recording: r, Mode: replay.Step}, frame)
	require.NoError(t, err)
	k := slices.IndexFunc(v.Differences, func(d replay.Difference) bool { return d.ID != "" && d.Name == node })
	if k < 0 {
		return nil
	}
	return &v.Differences[k]
}

// A recogniser excuses its own case and nothing beside it: not the same node with another message or another phase, and not
// another node of the same kind in the same frame that the recording shows in the same state.
func TestARecogniserExcusesItsOwnCaseAlone(t *testing.T) {
	for _, c := range documentedCases(t) {
		t.Run(fmt.Sprintf("%d %s %d %s", c.number, filepath.Base(c.recording), c.frame, c.node), func(t *testing.T) {
			r := read(t, filepath.Join(recordings, c.recording))
			own := found(t, r, c.frame, c.node)
			require.NotNil(t, own, "the difference")
			require.Equal(t, c.number, own.Deviation, own.String())

			nodes := r.Frames[c.frame].Recorded.Nodes
			at := slices.IndexFunc(nodes, func(n nodegraph.NodeStatus) bool { return n.Name == c.node })
			if at < 0 {
				c.madeNeighbours(t, r, own)
				return
			}
			c.otherMessage(t, r, &nodes[at])
			c.otherPhases(t, r, &nodes[at], own)
			c.otherNodes(t, r, nodes[at])
		})
	}
}

// otherMessage: the controller did not write that.
func (c caseOf) otherMessage(t *testing.T, r *replay.Recording, n *nodegraph.NodeStatus) {
	defer func(was string) { n.Message = was }(n.Message)
	n.Message += " and not what Argo wrote"
	d := found(t, r, c.frame, c.node)
	require.NotNil(t, d)
	if !excusedWhateverItSays(c, d) {
		assert.True(t, d.Defect(), "another message: %s", d)
	}
}

// excusedWhateverItSays: what the recording alone has made is excused as a whole, whatever it shows.
func excusedWhateverItSays(c caseOf, d *replay.Difference) bool {
	return d.Got == (replay.State{}) && d.Deviation == c.number
}

// otherPhases: every other phase is a defect, or is what the library computes.
func (c caseOf) otherPhases(t *testing.T, r *replay.Recording, n *nodegraph.NodeStatus, own *replay.Difference) {
	defer func(was nodegraph.Phase) { n.Phase = was }(n.Phase)
	for _, phase := range flips[own.Want.Phase] {
		n.Phase = phase
		d := found(t, r, c.frame, c.node)
		if d != nil && !excusedWhateverItSays(c, d) && !(c.number == 8 && d.Deviation == 9) { // 8 with another phase is 9
			assert.True(t, d.Defect(), "another phase: %s", d)
		}
	}
}

// otherNodes: the same state at a node of the same kind that the library has otherwise, and to which nothing happened.
func (c caseOf) otherNodes(t *testing.T, r *replay.Recording, own nodegraph.NodeStatus) {
	nodes := r.Frames[c.frame].Recorded.Nodes
	tried := 0
	for k := range nodes {
		n := &nodes[k]
		if n.Kind != own.Kind || n.Name == own.Name || n.Phase == own.Phase || tried == 3 || found(t, r, c.frame, n.Name) != nil {
			continue
		}
		tried++
		was := *n
		n.Phase, n.Message = own.Phase, own.Message
		d := found(t, r, c.frame, n.Name)
		*n = was
		require.NotNil(t, d)
		assert.True(t, d.Defect(), "another node: %s", d)
	}
}

// madeNeighbours: of what the library alone has made, one node is excused; another that is left out of the recording is not.
func (c caseOf) madeNeighbours(t *testing.T, r *replay.Recording, own *replay.Difference) {
	nodes := r.Frames[c.frame].Recorded.Nodes
	tried := 0
	for k := range nodes {
		name := nodes[k].Name
		inside := strings.HasPrefix(name, own.Name) || strings.HasPrefix(own.Name, name)
		if inside || tried == 3 || nodes[k].Boundary == "" || found(t, r, c.frame, name) != nil {
			continue
		}
		tried++
		r.Frames[c.frame].Recorded.Nodes = slices.Delete(slices.Clone(nodes), k, k+1)
		d := found(t, r, c.frame, name)
		r.Frames[c.frame].Recorded.Nodes = nodes
		require.NotNil(t, d, "without %s", name)
		assert.Zero(t, d.Deviation, "another node is missing: %s", d) // a new one that the next frame has is no defect either
	}
}
