package store

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// began is when the workflows of these tests begin.
var began = time.Unix(1_700_000_000, 0).UTC()

// drawn is one of the values.
func drawn[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// drawFact draws what may be known of a pod, or seen of it.
func drawFact(r *rand.Rand) fact.Fact {
	f := fact.Fact{
		Created: began, Serial: r.Int64N(2), UID: drawn(r, "", "u"), Attempt: 1 + r.IntN(2), Stage: fact.Stage(r.IntN(int(fact.StageEnded) + 1)),
		Ran: r.IntN(2) == 0, Ready: r.IntN(2) == 0, HasExit: r.IntN(2) == 0, Conditions: drawn(r, "", "Ready", "A,B"),
		Released: r.IntN(8) == 0, RecreateSerial: r.Int64N(2), Synced: r.IntN(2) == 0,
	}
	if f.HasExit {
		f.ExitCode = r.IntN(3)
	}
	if f.Stage >= fact.StageGone {
		f.Finished = began.Add(time.Duration(r.IntN(3)) * time.Second)
	}
	if f.Stage != fact.StageGone {
		f.Message, f.Reason = drawn(r, "", "m", "pod deleted"), drawn(r, "", "Evicted")
	}
	if f.Stage >= fact.StageStopped {
		f.Phase = drawn(r, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError)
	}
	return f
}

// drawObservation draws what may be seen of a pod.
func drawObservation(r *rand.Rand) Observation {
	f := drawFact(r)
	o := Observation{
		Run: f.Run(), UID: f.UID, Ready: f.Ready, Message: f.Message, Reason: f.Reason, ExitCode: f.ExitCode, HasExit: f.HasExit,
		Stage: f.Stage, Phase: f.Phase, Finished: StampOf(f.Finished),
	}
	if f.Conditions != "" {
		o.Conditions = strings.Split(f.Conditions, ",")
	}
	return o
}

// What a store does to the facts that it keeps in three places is what Merge does to one.
func TestJoinIsMerge(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	in := &Store{View: View{nodes: make([]Node, 1), finished: make([]Stamp, 1), details: make([]coldFact, 1)}}
	risen := 0
	for k := range 20_000 {
		known, seen := drawFact(r), drawObservation(r)
		want := known
		changed := want.Merge(seen.fact())
		in.Put(0, &known)
		if told := in.Join(0, &seen); told != changed {
			require.Equal(t, changed, told, "seed %d, pair %d: %+v and then %+v", seed, k, known, seen)
		}
		if diff := cmp.Diff(want, in.Fact(0)); diff != "" {
			t.Fatalf("seed %d, pair %d: %+v and then %+v (-Merge +join):\n%s", seed, k, known, seen, diff)
		}
		if seen.Run == known.Run() && seen.Stage > known.Stage && !known.Released {
			risen++
		}
	}
	assert.Greater(t, risen, 1000, "pairs of one run that go further")
}

// What was put is what is read, and a place for what few nodes have is used again.
func TestAPlaceIsUsedAgain(t *testing.T) {
	s := &Store{View: View{nodes: make([]Node, 2), finished: make([]Stamp, 2), details: make([]coldFact, 2)}}
	for _, uid := range []string{"a", "b", "c"} {
		s.Put(0, &fact.Fact{UID: uid, Reason: "reason of " + uid})
		s.Say(0, "words about "+uid)
		require.Equal(t, [...]string{uid, "reason of " + uid, "words about " + uid}, [...]string{s.UID(0), s.Reason(0), s.Message(0)})
	}
	assert.Len(t, s.uids.list, 1)
	assert.Len(t, s.rare.list, 1)
	assert.Zero(t, s.UID(1))
}

// A change is noted once, until it is taken; to write what is known changes nothing.
func TestAChangeIsNotedOnce(t *testing.T) {
	s := &Store{View: View{nodes: make([]Node, 2), finished: make([]Stamp, 2), details: make([]coldFact, 2)}}
	noted := func() (list []nodegraph.Index) {
		s.TakeWritten(func(i nodegraph.Index) { list = append(list, i) })
		return list
	}
	s.SetLock(1, fact.LockHeld)
	s.See(1)
	s.SawRun(0)
	require.True(t, s.Written())
	assert.Equal(t, []nodegraph.Index{1, 0}, noted())
	s.SetLock(1, fact.LockHeld)
	s.SawRun(0)
	assert.Empty(t, noted())
}

// What the rules read of every node is small, and in the rest there is no pointer for the garbage collector to look at.
func TestSizes(t *testing.T) {
	assert.LessOrEqual(t, reflect.TypeFor[Node]().Size(), uintptr(28))
	rest := reflect.TypeFor[coldFact]()
	assert.LessOrEqual(t, rest.Size(), uintptr(40))
	for k := range rest.NumField() {
		switch field := rest.Field(k); field.Type.Kind() {
		case reflect.Int64, reflect.Int32, reflect.Uint32, reflect.Uint8, reflect.Bool:
		default:
			assert.Fail(t, "may have a pointer", field.Name)
		}
	}
}
