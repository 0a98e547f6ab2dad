package propagate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// A player is a host of workflows that are written as manifests. It hands out locks, evaluates what the library asks with the
// values that the test gives it, and looks keys up in a cache.
type player struct {
	t       *testing.T
	now     time.Time
	engines map[string]*propagate.Engine
	locks   propagate.LockTable
	limits  map[string]int    // of semaphores, by their key
	values  map[string]string // of what manifests refer to in double braces
	cache   map[string]bool   // keys for which something was stored
	did     []string          // what the library asked for since the last call of take, but for locks, questions and times
}

// played begins workflows called after their letters: wf, then wf2 and so on. Each text is what follows after metadata.
func played(t *testing.T, specs ...string) *player {
	t.Helper()
	p := &player{t: t, now: epoch, engines: make(map[string]*propagate.Engine), values: make(map[string]string), cache: make(map[string]bool),
		limits: make(map[string]int)}
	for k, spec := range specs {
		p.begin("wf"+strings.Repeat("2", k), k, spec)
	}
	return p
}

// begin adds a workflow that was created so many seconds after the first.
func (p *player) begin(name string, created int, spec string) {
	p.t.Helper()
	at := epoch.Add(time.Duration(created) * time.Second).Format(time.RFC3339)
	w, err := argo.Read([]byte("kind: Workflow\nmetadata: {name: " + name + ", namespace: default, creationTimestamp: " + at + "}\nspec:\n" + spec))
	require.NoError(p.t, err)
	p.engines[name], err = propagate.New(w.Spec)
	require.NoError(p.t, err)
	p.locks.Rank(name, w.Spec)
	p.tell(name)
}

// tell says what happened to a workflow, and carries out all that follows.
func (p *player) tell(workflow string, events ...propagate.Event) {
	p.t.Helper()
	require.NoError(p.t, propagate.Drive(p, workflow, events...))
}

// wait lets time pass, and calls the workflow then.
func (p *player) wait(workflow string, d time.Duration) {
	p.t.Helper()
	p.now = p.now.Add(d)
	p.tell(workflow)
}

// take returns what the library asked for since it was called last.
func (p *player) take() []string {
	did := p.did
	p.did = nil
	return did
}

// shows are the phases and messages of nodes, empty for one that was not created.
func (p *player) shows(workflow string, names ...string) []string {
	var list []string
	e := p.engines[workflow]
	for _, name := range names {
		i := e.Graph().Find(name)
		if i == nodegraph.None || !e.Exists(i) && !e.Verdict(i).Fulfilled {
			list = append(list, "")
			continue
		}
		list = append(list, looks(e, name)[name])
	}
	return list
}

// Call tells an engine, and writes down what it asks for.
func (p *player) Call(workflow string, events []propagate.Event) (propagate.Result, error) {
	e := p.engines[workflow]
	r, err := e.Apply(p.now, events...)
	if err != nil {
		return r, err
	}
	require.NoError(p.t, propagatetest.Check(e))
	for _, a := range r.Actions {
		switch a.Type {
		case propagate.ActionStart:
			if a.Kind != nodegraph.KindDAG && a.Kind != nodegraph.KindSteps && a.Kind != nodegraph.KindStepGroup &&
				a.Kind != nodegraph.KindTaskGroup && a.Kind != nodegraph.KindRetry {
				p.did = append(p.did, a.String())
			}
		case propagate.ActionRecreate, propagate.ActionTerminate, propagate.ActionComplete:
			p.did = append(p.did, a.String())
		}
	}
	return r, nil
}

// Do answers what is asked.
func (p *player) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	answer := func(ev propagate.Event) []propagate.Notice {
		return []propagate.Notice{{Workflow: workflow, Event: ev}}
	}
	switch a.Type {
	case propagate.ActionLookup:
		return answer(propagate.Memoized(a.Name, p.cache[a.Message])), nil
	case propagate.ActionResolve:
		result, err := nodegraph.EvalWhen(p.filled(a.Message))
		require.NoError(p.t, err)
		return answer(propagate.Resolved(a.Name, result == nodegraph.WhenTrue, p.filled(a.Message))), nil
	case propagate.ActionExpand:
		var items []nodegraph.Item
		var values []json.RawMessage
		require.NoError(p.t, json.Unmarshal([]byte(p.filled(a.Message)), &values))
		for _, v := range values {
			items = append(items, nodegraph.Item{Text: strings.Trim(string(v), `"`)})
		}
		return answer(propagate.Expanded(a.Name, items...)), nil
	case propagate.ActionAcquire:
		asked := *a
		asked.Locks = slices.Clone(a.Locks)
		for k, l := range asked.Locks {
			if l.Limit == 0 {
				asked.Locks[k].Limit = p.limits[l.Key]
			}
		}
		return p.locks.Answer(workflow, &asked), nil
	}
	return p.locks.Answer(workflow, a), nil
}

// filled puts in the values that the test gives.
func (p *player) filled(text string) string {
	for name, value := range p.values {
		text = strings.ReplaceAll(text, "{{"+name+"}}", value)
	}
	return text
}
