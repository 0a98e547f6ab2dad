package propagate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Of what was never created only that is kept which is read of every node, and a restart brings no more.
func TestNothingIsKeptOfWhatWasOmitted(t *testing.T) {
	e := begun(chain(1000))
	_, err := e.Apply(began, Event{Type: EventPodEnded, At: openPods(e)[0], Phase: nodegraph.Failed, Message: "boom"})
	require.NoError(t, err)
	require.True(t, e.Complete())
	require.NoError(t, e.Check())
	loaded, _, err := LoadLimited(e.g.Spec(), e.Save(), lifted)
	require.NoError(t, err)
	for _, e := range []*Engine{e, loaded} {
		assert.Equal(t, 1, e.details.made, "blocks: the workflow, its entry node and the pod that ran follow one another")
		last := e.Fact(e.g.Find("w.t999"))
		assert.Equal(t, began, last.Finished, "when it was omitted is read of every node")
		assert.True(t, last.Created.IsZero())
	}
}

// Blocks of details are made where something is written, few at a time, and stay where they are.
func TestDetailsComeInBlocks(t *testing.T) {
	var s details
	s.allot(40 * blockSize)
	s.grow(40*blockSize - 1)
	assert.Equal(t, detail{}, *s.read(0))
	assert.Zero(t, s.made, "nothing was written yet")
	first := s.write(blockSize)
	first.attempt = 1
	made := testing.AllocsPerRun(1, func() {
		for k := range nodegraph.Index(40 * blockSize) {
			s.write(k).serial = int64(k)
		}
	})
	assert.LessOrEqual(t, made, 10.0, "allocations for 40 blocks")
	assert.Equal(t, 40, s.made)
	assert.Equal(t, detail{serial: int64(blockSize), attempt: 1}, *first)
	n := 0
	for d := range s.all() {
		require.Equal(t, int64(n), d.serial)
		n++
	}
	assert.Equal(t, 40*blockSize, n)

	s = details{}
	s.allot(40 * blockSize)
	s.grow(40 * blockSize)
	s.reserve(20 * blockSize)
	assert.Zero(t, testing.AllocsPerRun(1, func() {
		for k := range nodegraph.Index(20 * blockSize) {
			s.write(blockSize/2 + k)
		}
	}), "room was made at once")
	assert.Equal(t, 21, s.made)
}
