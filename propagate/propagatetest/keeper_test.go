package propagatetest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A mistake is something that a keeper does wrong.
type mistake int

const (
	none mistake = iota
	forgetsTerminateAfterACrash
	neverTerminates
	actsBeforeItPersists
	storesWhatItHadBefore
	storesOnce
	namesPodsAtRandom
	makesPodsAgain
	dropsRelease
	dropsGrantsToOthers
	dropsAcquire
	startsWhatWaits
	grantsEveryLock
	adoptsNothing
	listsPodsOnce
	listsNoPodsAfterARestart
	dropsRecreate
	dropsStart
	setsNoTimers
	setsTheFirstTimerOnly
	answersNoQuestions
	servesNothing
	dropsEvents
	deletesAllPods
	startsEverything
	storesTheTime
	hidesEngines
	fails
	leaves
	namesHoldersByName
	tellsNoTime
	copiesItsEngines
	tellsOfNobody
	makesUpPhases
	addsNodes
	makesBarePods
	goesOn // after an error, with the engines that it has
)

// A keeper is a host that keeps its engines, and saves the state of each after each call. simhost has its engines and locks.
type keeper struct {
	*simhost.Host
	c      *propagatetest.Cluster
	wrong  mistake
	calls  int
	random int
	first  map[string][]propagate.PodStatus // the first list of each workflow
	before map[string][]byte                // the state before the last call
}

// newKeeper starts a keeper that makes one mistake. What it makes at random is different in each process.
func newKeeper(wrong mistake) func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
	return func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
		k := &keeper{Host: &simhost.Host{Now: c.Now()}, c: c, wrong: wrong, random: 100 * (c.Deaths() + 1),
			first: make(map[string][]propagate.PodStatus), before: make(map[string][]byte)}
		for _, name := range c.Workflows() {
			if err := k.Add(name, c.Spec(name), nodegraph.Limits{}); err != nil {
				return nil, err
			}
			var s propagate.State
			if stored := c.Stored(name); stored == nil {
				continue
			} else if err := json.Unmarshal(stored, &s); err != nil {
				return nil, err
			}
			if _, err := k.Workflow(name).Load(s); err != nil {
				return nil, err
			}
		}
		if wrong != adoptsNothing {
			k.Adopt()
		}
		return k, nil
	}
}

// Engine implements [propagatetest.Controller].
func (k *keeper) Engine(workflow string) *propagate.Engine {
	if k.wrong == hidesEngines {
		return nil
	}
	return k.engine(workflow)
}

func (k *keeper) engine(workflow string) *propagate.Engine { return k.Workflow(workflow).Engine }

// Reconcile implements [propagatetest.Controller].
func (k *keeper) Reconcile(workflow string) error {
	switch k.wrong {
	case fails:
		return errors.New("the API server is gone")
	case leaves:
		runtime.Goexit()
	}
	err := k.reconcile(workflow)
	if err != nil && k.wrong != goesOn {
		fresh, loaded := newKeeper(k.wrong)(k.c)
		if loaded != nil {
			return errors.Join(err, loaded)
		}
		*k = *fresh.(*keeper)
	}
	return err
}

func (k *keeper) reconcile(workflow string) error {
	k.Now = k.c.Now()
	for len(k.Owed) > 0 { // those whose locks were granted when the keeper started
		e, ev := k.Run(0)
		if err := propagate.Drive(k, e.Workflow, ev); err != nil {
			return err
		}
	}
	var events []propagate.Event
	if k.wrong != dropsEvents {
		events = k.c.Events(workflow)
	}
	return propagate.Drive(k, workflow, events...)
}

// Call implements [propagate.Host].
func (k *keeper) Call(workflow string, events []propagate.Event) (propagate.Result, error) {
	k.calls++
	e := k.engine(workflow)
	now, pods := k.Now, k.pods(workflow)
	switch k.wrong {
	case tellsNoTime:
		now = time.Time{}
	case copiesItsEngines:
		e = copied(e)
	case tellsOfNobody:
		events = append(events, propagate.PodRunning("nobody"))
	case makesUpPhases:
		for i := range pods {
			pods[i].Phase = "Terminating"
		}
	case addsNodes:
		if k.calls > 1 {
			_, _ = e.Graph().AddHook(nodegraph.Entry, &nodegraph.Hook{Name: fmt.Sprint("more", k.calls), Template: "pod"})
		}
	}
	r, err := e.SyncPods(now, pods, events...)
	if err != nil {
		return r, err
	}
	state, err := json.Marshal(e.Save())
	switch k.wrong {
	case actsBeforeItPersists: // what the engine asks for, and then the state
		for i := range r.Actions {
			if a := &r.Actions[i]; a.Type == propagate.ActionStart || a.Type == propagate.ActionRecreate {
				k.start(workflow, a)
			}
		}
	case storesWhatItHadBefore:
		if k.before[workflow] != nil {
			k.c.Store(workflow, k.before[workflow])
		}
		k.before[workflow] = state
		return r, err
	case storesOnce:
		if k.c.Stored(workflow) != nil {
			return r, err
		}
	}
	if k.wrong == storesTheTime {
		state = fmt.Appendf(state, "%*s", k.calls, "")
	}
	k.c.Store(workflow, state)
	return r, err
}

// pods are those that the keeper tells of.
func (k *keeper) pods(workflow string) []propagate.PodStatus {
	list := k.c.Pods(workflow)
	first, listed := k.first[workflow]
	switch {
	case k.wrong == listsPodsOnce && len(first) > 0:
		return first
	case k.wrong == listsNoPodsAfterARestart && !listed && k.c.Stored(workflow) != nil:
		list = nil
	}
	k.first[workflow] = list
	return list
}

// Do implements [propagate.Host].
func (k *keeper) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate, propagate.ActionWait:
		if k.starts(a) {
			return nil, k.start(workflow, a)
		}
	case propagate.ActionTerminate:
		if k.wrong != neverTerminates && !(k.wrong == forgetsTerminateAfterACrash && k.c.Deaths() > 0) {
			k.c.DeletePod(workflow, a.Name)
		}
	case propagate.ActionAcquire:
		return k.acquire(workflow, a), nil
	case propagate.ActionRelease:
		if k.wrong == dropsRelease {
			return nil, nil
		}
		notices := k.Locks.Answer(workflow, a)
		if k.wrong == dropsGrantsToOthers {
			return nil, nil
		}
		return notices, nil
	case propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
		if k.wrong != answersNoQuestions {
			return []propagate.Notice{{Workflow: workflow, Event: k.c.Answer(workflow, a)}}, nil
		}
	case propagate.ActionWake:
		k.wake(workflow, a.At)
	case propagate.ActionComplete:
		if k.wrong == deletesAllPods {
			k.c.DeletePod(k.c.Workflows()[0], k.c.Workflows()[0]+".a")
		}
	}
	return nil, nil
}

// starts reports whether the keeper carries out an action that may make a pod.
func (k *keeper) starts(a *propagate.Action) bool {
	switch k.wrong {
	case startsWhatWaits:
		return true
	case dropsRecreate:
		return a.Type == propagate.ActionStart
	case dropsStart:
		return a.Type == propagate.ActionRecreate
	}
	return a.Type != propagate.ActionWait
}

// start makes the pod of a node, or has it served.
func (k *keeper) start(workflow string, a *propagate.Action) error {
	switch {
	case a.Kind == nodegraph.KindHTTP && k.wrong != servesNothing:
		k.c.Serve(workflow, a.ID)
		return nil
	case a.Kind != nodegraph.KindPod && !(k.wrong == startsEverything && a.Kind.Composite()):
		return nil
	}
	name := a.Name
	switch k.wrong {
	case namesPodsAtRandom:
		k.random++
		name = fmt.Sprint(a.Name, "-", k.random)
	case makesPodsAgain:
		name = fmt.Sprint(a.Name, "-", k.calls)
	}
	containers := k.engine(workflow).Graph().Node(a.Node).Template.Containers
	if k.wrong == makesBarePods {
		containers = nil
	}
	if err := k.c.CreatePod(workflow, a.ID, name, containers...); err != nil && !errors.Is(err, simhost.ErrExists) {
		return err
	}
	return nil
}

func (k *keeper) acquire(workflow string, a *propagate.Action) []propagate.Notice {
	switch k.wrong {
	case dropsAcquire:
		return nil
	case grantsEveryLock:
		return []propagate.Notice{propagate.Holder{Workflow: workflow, Node: a.ID}.Granted()}
	case namesHoldersByName:
		named := *a
		named.ID = a.Name
		return k.Locks.Answer(workflow, &named)
	}
	return k.Locks.Answer(workflow, a)
}

func (k *keeper) wake(workflow string, at time.Time) {
	switch {
	case k.wrong == setsNoTimers:
	case k.wrong == setsTheFirstTimerOnly && !k.Workflow(workflow).Wake.IsZero():
	default:
		k.Workflow(workflow).Wake = at
		k.c.WakeAt(workflow, at)
	}
}

// copied is a copy of an engine, made so that go vet does not see it.
func copied(e *propagate.Engine) *propagate.Engine {
	c := reflect.New(reflect.TypeOf(e).Elem())
	c.Elem().Set(reflect.ValueOf(e).Elem())
	return c.Interface().(*propagate.Engine)
}
