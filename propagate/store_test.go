package propagate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// drawn is one of the values.
func drawn[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// drawFact draws what may be known of a pod, or seen of it.
func drawFact(r *rand.Rand) Fact {
	f := Fact{
		Created: began, Serial: r.Int64N(2), UID: drawn(r, "", "u"), Attempt: 1 + r.IntN(2), Stage: Stage(r.IntN(int(StageEnded) + 1)),
		Ran: r.IntN(2) == 0, Ready: r.IntN(2) == 0, HasExit: r.IntN(2) == 0, Conditions: drawn(r, "", "Ready", "A,B"),
		Released: r.IntN(8) == 0, Remade: r.Int64N(2), Synced: r.IntN(2) == 0,
	}
	if f.HasExit {
		f.ExitCode = r.IntN(3)
	}
	if f.Stage >= StageGone {
		f.Finished = began.Add(time.Duration(r.IntN(3)) * time.Second)
	}
	if f.Stage != StageGone {
		f.Message, f.Reason = drawn(r, "", "m", "pod deleted"), drawn(r, "", "Evicted")
	}
	if f.Stage >= StageStopped {
		f.Phase = drawn(r, nodegraph.Succeeded, nodegraph.Failed, nodegraph.Error)
	}
	return f
}

// drawObservation draws what may be seen of a pod.
func drawObservation(r *rand.Rand) observation {
	f := drawFact(r)
	said := &Event{
		Pod: Incarnation{UID: f.UID}, Ready: f.Ready, Message: f.Message, Reason: f.Reason, ExitCode: f.ExitCode, HasExit: f.HasExit,
	}
	if f.Conditions != "" {
		said.Conditions = strings.Split(f.Conditions, ",")
	}
	return observation{run: f.run(), said: said, stage: f.Stage, phase: f.Phase, finished: stampOf(f.Finished)}
}

// What the engine does to the facts that it keeps in two places is what Merge does to one.
func TestJoinIsMerge(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	in := &store{nodes: make([]node, 1), finished: make([]stamp, 1), details: make([]detail, 1)}
	risen := 0
	for k := range 20_000 {
		known, seen := drawFact(r), drawObservation(r)
		want := known
		changed := want.Merge(seen.fact())
		in.put(0, &known)
		if told := in.join(in.leaf(0), &seen); told != changed {
			require.Equal(t, changed, told, "seed %d, pair %d: %+v and then %+v", seed, k, known, seen)
		}
		if diff := cmp.Diff(want, in.fact(0)); diff != "" {
			t.Fatalf("seed %d, pair %d: %+v and then %+v (-Merge +join):\n%s", seed, k, known, seen, diff)
		}
		if seen.run == known.run() && seen.stage > known.Stage && !known.Released {
			risen++
		}
	}
	assert.Greater(t, risen, 1000, "pairs of one run that go further")
}

// A workflow that lives long hears many messages; those that no node has any more are forgotten.
func TestMessagesAreForgotten(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a -> b, c)")
	require.NoError(t, err)
	e := begun(spec)
	_, err = e.Apply(began, PodPending("wf.c", "this one stays"))
	require.NoError(t, err)
	for k := range 10 * minRoom {
		message := fmt.Sprint("message ", k)
		r, err := e.Apply(began, PodPending("wf.a", message))
		require.NoError(t, err)
		require.Equal(t, message, r.Changes[0].Message)
		require.LessOrEqual(t, len(e.facts.phrases.texts), minRoom)
	}
	_, message := e.Phase(e.graph.Find("wf.c"))
	assert.Equal(t, "this one stays", message)
	require.NoError(t, e.Check())
}

// A node has one place for the UID of its pod, however many pods it has had, and one for what few nodes have.
func TestAPlaceIsUsedAgain(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a -> b, c)")
	require.NoError(t, err)
	e := begun(spec)
	for k := range 10 {
		uid, reason := fmt.Sprint("uid-", k), fmt.Sprint("reason ", k)
		_, err = e.Apply(began, Event{
			Type: EventPodPending, Node: "wf.a", Reason: reason, Pod: Incarnation{UID: uid, Created: began.Add(time.Duration(k) * time.Minute)},
		})
		require.NoError(t, err)
		f := e.Fact(e.graph.Find("wf.a"))
		require.Equal(t, [...]string{uid, reason}, [...]string{f.UID, f.Reason})
	}
	assert.Len(t, e.facts.uids.list, 1)
	assert.Len(t, e.facts.rare.list, 1)
	assert.Zero(t, e.Fact(e.graph.Find("wf.b")).UID)
}

// A call that changes much needs memory while it goes on; the next small one gives it back.
func TestScratchIsGivenBack(t *testing.T) {
	e := begun(fanIn(4 * largeCall))
	require.GreaterOrEqual(t, cap(e.out.changed), 4*largeCall)
	_, err := e.Apply(began, Event{Type: EventPodRunning, At: openPods(e)[0]})
	require.NoError(t, err)
	assert.LessOrEqual(t, cap(e.out.changed), largeCall)
	assert.Empty(t, e.sched.queue.lists)
	require.NoError(t, e.Check())
}

// After a large call, an event deep inside and then one further up: the queue had forgotten its levels, but not how deep they
// went.
func TestAShallowEventAfterScratchWasGivenBack(t *testing.T) {
	spec := fanIn(4 * largeCall)
	spec.Entrypoint = "outer"
	spec.Templates = append(spec.Templates, &nodegraph.Template{Name: "outer", Kind: nodegraph.DAG, Tasks: []nodegraph.Task{
		{Name: "in", Template: "dag"}, {Name: "b", Template: "pod"},
	}})
	e := begun(spec)
	b := e.graph.Find("w.b")
	deep := openPods(e)
	for _, pod := range []nodegraph.Index{deep[len(deep)-1], b} {
		_, err := e.Apply(began, Event{Type: EventPodRunning, At: pod})
		require.NoError(t, err)
	}
	require.NoError(t, e.Check())
}
