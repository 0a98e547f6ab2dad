package propagate

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// A workflow that lives long hears many messages; those that no node has any more are forgotten.
func TestMessagesAreForgotten(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a -> b, c, d when `1 == 2`)")
	require.NoError(t, err)
	e := begun(spec)
	_, err = e.Apply(began, PodPending("wf.c", "this one stays"))
	require.NoError(t, err)
	const few = 256 // phrases that a small workflow may have
	known := store.Phrase(0)
	for k := range 10 * few {
		message := fmt.Sprint("message ", k)
		r, err := e.Apply(began, PodPending("wf.a", message))
		require.NoError(t, err)
		require.Equal(t, message, r.Changes[0].Message)
		known = max(known, e.facts.Intern("other"))
	}
	assert.LessOrEqual(t, int(known), few+1, "phrases that are known at a time")
	_, message := e.Phase(e.graph.Find("wf.c"))
	assert.Equal(t, "this one stays", message)
	_, message = e.Phase(e.graph.Find("wf.d"))
	assert.Equal(t, "when '1 == 2' evaluated false", message, "words that a rule makes are not among them")
	require.NoError(t, e.Check())
}

// The UID and the reason of the pod that is known are those of the newest.
func TestTheNewestPodIsKnown(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a -> b, c)")
	require.NoError(t, err)
	e := begun(spec)
	for k := range 10 {
		uid, reason := fmt.Sprint("uid-", k), fmt.Sprint("reason ", k)
		_, err = e.Apply(began, Event{
			Type: EventPodPending, Node: "wf.a", Reason: reason, Pod: fact.PodInstance{UID: uid, Created: began.Add(time.Duration(k) * time.Minute)},
		})
		require.NoError(t, err)
		f := e.Fact(e.graph.Find("wf.a"))
		require.Equal(t, [...]string{uid, reason}, [...]string{f.UID, f.Reason})
	}
	assert.Zero(t, e.Fact(e.graph.Find("wf.b")).UID)
}

// A call that changes much needs memory while it goes on; the next small one gives it back.
func TestScratchIsGivenBack(t *testing.T) {
	e := begun(fanIn(4 * largeCall))
	require.GreaterOrEqual(t, cap(e.out.changed), 4*largeCall)
	_, err := e.Apply(began, Event{Type: EventPodRunning, At: openPods(e)[0]})
	require.NoError(t, err)
	assert.LessOrEqual(t, cap(e.out.changed), largeCall)
	require.NoError(t, e.Check())
}

// After a large call, an event deep inside and then one further up: the queue had forgotten its levels, but not how deep they
// went.
func TestAShallowEventAfterScratchWasGivenBack(t *testing.T) {
	spec := fanIn(4 * largeCall)
	spec.Entrypoint = "outer"
	spec.Templates = append(spec.Templates, &nodegraph.Template{Name: "outer", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{
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
