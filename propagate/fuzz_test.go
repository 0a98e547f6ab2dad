package propagate_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// choices are random numbers: the fuzzer's bytes first, then a fixed sequence.
type choices struct {
	data []byte
	rest *rand.PCG
}

func (s *choices) Uint64() uint64 {
	if len(s.data) >= 8 {
		n := binary.LittleEndian.Uint64(s.data)
		s.data = s.data[8:]
		return n
	}
	if len(s.data) > 0 {
		n := uint64(s.data[0])
		s.data = s.data[1:]
		return n << 56
	}
	return s.rest.Uint64()
}

// FuzzWorkflow lets the fuzzer choose the workflow and all that happens to it. After every call the invariants hold and
// the reference evaluator agrees, and when nothing bad happens any more the workflow completes.
func FuzzWorkflow(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			t.Skip("longer scripts only repeat what shorter ones do")
		}
		r := rand.New(&choices{data: data, rest: rand.NewPCG(uint64(len(data)), 0)})
		spec := randomSpec(r, 30, true)
		c := newCluster(t, r, spec, hostOf(r.Uint64()))
		c.live(r.IntN(80))
		c.drain()
	})
}
