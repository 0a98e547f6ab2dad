package main

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// A misuser is the controller with one misuse of package propagate. The functions of its misuse are called where the controller
// does that part of its work.
type misuser struct {
	*Controller
	misuse
	calls int
	first map[string][]propagate.PodStatus // the first pods of each pipeline
	kept  map[string][]propagate.Action    // what each pipeline is still to do
	last  propagate.Result
}

// A misuse is a mistake that a controller may make, by the words of the section Misuse of package propagate.
type misuse struct {
	row      string
	rule     propagatetest.Rule // that it breaks
	says     string             // what the fault says; empty for whatever it says
	harmless bool               // it breaks none: the section says so
	in       string             // the name of the case in which it shows; empty for any
	of       []*Pipeline        // that the controller has; nil for those of the picture
	begin    func(*misuser) error
	tell     func(*misuser, *telling) error
	told     func(*telling)
	do       func(*misuser, string, *propagate.Action) bool // it reports whether the action is done with
	passes   bool                                           // passes over errors
}

// resources are the pipelines in which the misuse shows.
func (m *misuse) resources() []*Pipeline {
	if m.of == nil {
		return pipelines
	}
	return m.of
}

// contending are pipelines that want a lock at one time.
var contending = []*Pipeline{
	{Name: "web", Stages: []Stage{{Name: "publish", Lock: "registry"}}},
	{Name: "docs", Stages: []Stage{{Name: "publish", Lock: "registry"}}},
}

// A telling is what the controller tells an engine.
type telling struct {
	pipeline string
	engine   *propagate.Engine
	now      time.Time
	pods     []propagate.PodStatus
	events   []propagate.Event
}

func newMisuser(wrong misuse) func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
	return func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
		right, err := NewController(c, wrong.resources()...)
		m := &misuser{Controller: right, misuse: wrong, first: make(map[string][]propagate.PodStatus), kept: make(map[string][]propagate.Action)}
		if err == nil && m.begin != nil {
			err = m.begin(m)
		}
		return m, err
	}
}

// Reconcile is that of the controller, with the parts of the misuser.
func (m *misuser) Reconcile(pipeline string) (err error) {
	for _, h := range m.locks.Grant() {
		err = errors.Join(err, propagate.Drive(m, h.Workflow, h.Granted().Event))
	}
	if err = errors.Join(err, propagate.Drive(m, pipeline)); err == nil {
		return nil
	}
	if m.passes {
		return nil
	}
	return errors.Join(err, m.load())
}

// Call implements [propagate.Host].
func (m *misuser) Call(pipeline string, events []propagate.Event) (r propagate.Result, err error) {
	m.calls++
	t := &telling{pipeline, m.engines[pipeline], m.cluster.Now(), m.cluster.Pods(pipeline), events}
	if m.tell != nil {
		err = m.tell(m, t)
	}
	switch kept, keeps := m.kept[pipeline]; {
	case err != nil:
	case keeps:
		err = t.engine.ApplyTo(&m.last, t.now, t.events...)
		r.Actions, m.kept[pipeline] = kept, m.last.Actions
	default:
		r, err = t.engine.SyncPods(t.now, t.pods, t.events...)
	}
	if err != nil {
		return r, err
	}
	if m.told != nil {
		m.told(t)
	}
	state, err := json.Marshal(t.engine.Save())
	m.cluster.Store(pipeline, state)
	return r, err
}

// Do implements [propagate.Host].
func (m *misuser) Do(pipeline string, a *propagate.Action) ([]propagate.Notice, error) {
	if m.do != nil && m.do(m, pipeline, a) {
		return nil, nil
	}
	return m.Controller.Do(pipeline, a)
}

// also tells an engine more than there is to tell, once the first pod was asked for.
func also(events ...propagate.Event) func(*misuser, *telling) error {
	return func(_ *misuser, t *telling) error {
		if t.engine.Graph().Find("web.fetch") != nodegraph.None {
			t.events = append(t.events, events...)
		}
		return nil
	}
}

// drops leaves out actions of a type.
func drops(which propagate.ActionType) func(*misuser, string, *propagate.Action) bool {
	return func(_ *misuser, _ string, a *propagate.Action) bool { return a.Type == which }
}

// respecified has the pipelines translated otherwise, before anything was stored.
func respecified(change func(*nodegraph.Spec)) func(*misuser) error {
	return func(m *misuser) error {
		for _, p := range m.pipelines {
			spec, err := p.Spec()
			if err != nil {
				return err
			}
			change(spec)
			if m.engines[p.Name], err = propagate.New(spec); err != nil {
				return err
			}
		}
		return nil
	}
}

// when gives each stage a condition.
func when(text string) func(*nodegraph.Spec) {
	return func(s *nodegraph.Spec) {
		for _, t := range s.Templates {
			for k := range t.Tasks {
				t.Tasks[k].When = text
			}
		}
	}
}

const refused = propagatetest.ReturnsAnError

// misuses are all of which that section says that a host may do it.
var misuses = []misuse{
	{row: "an engine is copied", rule: refused, says: "it is a copy of another", tell: func(_ *misuser, t *telling) error {
		c := reflect.New(reflect.TypeFor[propagate.Engine]()) // go vet does not see this copy
		c.Elem().Set(reflect.ValueOf(t.engine).Elem())
		t.engine = c.Interface().(*propagate.Engine)
		return nil
	}},
	{row: "an engine was not made by New", rule: refused, says: "it was not made by New", tell: func(_ *misuser, t *telling) error {
		t.engine = new(propagate.Engine)
		return nil
	}},
	{row: "two goroutines use an engine", rule: refused, says: "it is in use by another goroutine", tell: inTwoGoroutines},
	{row: "nodes are added to the graph", rule: refused, says: "somebody else has added nodes", tell: func(m *misuser, t *telling) error {
		if m.calls == 1 {
			return nil // the hook would be there before the engine
		}
		_, err := t.engine.Graph().AddHook(nodegraph.Entry, &nodegraph.Hook{Name: "more", Template: "publish"})
		return err
	}},
	{row: "the specification is changed", rule: propagatetest.BreaksAnInvariant, tell: func(_ *misuser, t *telling) error {
		for _, x := range t.engine.Graph().Spec().Templates {
			if x.Name == "lint" {
				x.Kind = nodegraph.KindSuspend
			}
		}
		return nil
	}},
	{row: "the specification is nil", rule: refused, says: "is nil", begin: func(*misuser) error {
		_, err := propagate.New(nil)
		return err
	}},
	{row: "a name can't be a node's", rule: refused, says: "has '.' in it", begin: func(m *misuser) error {
		_, err := NewController(m.cluster, &Pipeline{Name: "web", Stages: []Stage{{Name: "build.all"}}})
		return err
	}},
	{row: "a condition does not parse", rule: propagatetest.IgnoresWarnings, begin: respecified(when("x =="))},
	{row: "an index of no node", rule: refused, says: "there is no node -1", tell: func(_ *misuser, t *telling) error {
		t.engine.Verdict(t.engine.Graph().Find("web.typo"))
		return nil
	}},
	{row: "a name that no node has", rule: refused, says: "no such node; ", tell: also(propagate.PodRunning("web.typo"))},
	{row: "an event of another kind of node", rule: refused, says: "not for a node of this kind", tell: also(propagate.PodRunning("web"))},
	{row: "an event of a node not started", rule: refused, says: "not started", tell: also(propagate.PodRunning("web.publish"))},
	{row: "an event of a complete workflow", rule: refused, says: "complete", tell: func(_ *misuser, t *telling) error {
		if !t.engine.Complete() {
			return nil
		}
		_, err := t.engine.Apply(t.now, propagate.Shutdown("Stop"))
		return err
	}},
	{row: "a container that is no node", rule: refused, says: "its containers are clone, modules", tell: also(propagate.ContainerRunning("web.fetch", "typo"))},
	{row: "an exit code without HasExit", rule: refused, says: "WithExit", tell: also(propagate.Event{Type: propagate.EventPodEnded, Node: "web.fetch", Phase: nodegraph.PhaseFailed, ExitCode: 1})},
	{row: "one event of a batch is wrong", rule: refused, says: "event 1 (PodRunning)", tell: also(propagate.PodRunning("web.fetch"), propagate.PodRunning("web.typo"))},
	{row: "an event comes late or twice", harmless: true, tell: eachEnd(func(p propagate.PodStatus) []propagate.Event {
		late := propagate.PodRunning(p.Node).WithPod(p.UID, p.Created)
		return []propagate.Event{late, late}
	})},
	{row: "two ends are told of one pod", rule: propagatetest.TellsAnotherEnd, tell: eachEnd(func(p propagate.PodStatus) []propagate.Event {
		return []propagate.Event{propagate.PodFailed(p.Node, "it failed").WithPod(p.UID, p.Created)}
	})},
	{row: "an answer to no question", rule: refused, says: "not for a node of this kind", tell: also(propagate.Memoized("web.fetch", true))},
	{row: "the time is zero", rule: refused, says: "it is zero", tell: func(_ *misuser, t *telling) error {
		t.now = time.Time{}
		return nil
	}},
	{row: "the time goes back", rule: propagatetest.DropsWake, tell: func(m *misuser, t *telling) error {
		if m.calls > len(pipelines) && m.calls%2 == 0 {
			t.now = t.now.Add(-time.Hour)
		}
		return nil
	}},
	{row: "the time goes back", rule: propagatetest.TellsTimesToCome, tell: func(m *misuser, t *telling) error {
		if m.calls%2 == 0 {
			t.now = t.now.Add(time.Hour)
		}
		return nil
	}},
	{row: "the result to fill in is nil", rule: refused, says: "it is nil", tell: func(_ *misuser, t *telling) error { return t.engine.ApplyTo(nil, t.now) }},
	{row: "a result of ApplyTo is kept", rule: propagatetest.DropsStart, begin: func(m *misuser) error {
		for _, p := range m.pipelines {
			m.kept[p.Name] = nil // all share one result
		}
		return nil
	}},
	{row: "slices of an event are used again", harmless: true, told: func(t *telling) {
		for _, p := range t.pods {
			clear(p.Containers)
		}
		clear(t.pods)
		clear(t.events)
	}},
	{row: "a phase that no pod has", rule: refused, says: "phase \"Terminating\"", tell: func(_ *misuser, t *telling) error {
		for k := range t.pods {
			t.pods[k].Phase = "Terminating"
		}
		return nil
	}},
	{row: "a pod is listed twice", harmless: true, tell: func(_ *misuser, t *telling) error {
		t.pods = append(t.pods, t.pods...)
		return nil
	}},
	{row: "a list of pods is old", rule: propagatetest.SeesStalePods, tell: func(m *misuser, t *telling) error {
		if len(m.first[t.pipeline]) == 0 {
			m.first[t.pipeline] = t.pods
		}
		t.pods = m.first[t.pipeline]
		return nil
	}},
	{row: "a list of pods is not complete", rule: propagatetest.SeesStalePods, tell: func(_ *misuser, t *telling) error {
		t.pods = t.pods[:len(t.pods)/2]
		return nil
	}},
	{row: "a pod that nobody asked for", rule: propagatetest.StartsUnasked, do: func(m *misuser, pipeline string, a *propagate.Action) bool {
		_ = m.cluster.CreatePod(pipeline, "web.lint", "early")
		return false
	}},
	{row: "a pod is made without its lock", rule: propagatetest.StartsWithoutLock, of: contending, do: func(m *misuser, pipeline string, a *propagate.Action) bool {
		return a.Type == propagate.ActionWait && m.cluster.CreatePod(pipeline, a.ID, a.Name) == nil
	}},
	{row: "a pod is not made", rule: propagatetest.DropsStart, do: drops(propagate.ActionStart)},
	{row: "an error of Do is passed over", rule: propagatetest.DropsStart, passes: true},
	{row: "a question is not answered", rule: propagatetest.DropsQuestion, begin: respecified(when("{{branch}} == main"))},
	{row: "a wake-up is missed", rule: propagatetest.DropsWake, do: drops(propagate.ActionWake)},
	{row: "a pod runs past its timeout", rule: propagatetest.NeverEnds, in: "an attempt runs too long", begin: respecified(func(s *nodegraph.Spec) { s.TimeoutsByHost = true })},
	{row: "a release is forgotten", rule: propagatetest.DropsRelease, do: drops(propagate.ActionRelease)},
	{row: "a holder is named by name", rule: propagatetest.DropsRelease, do: func(m *misuser, pipeline string, a *propagate.Action) bool {
		if a.Type == propagate.ActionAcquire {
			a.ID = a.Name
		}
		return false
	}},
	{row: "a holder asks for other locks", rule: propagatetest.SharesALock, of: contending, do: func(m *misuser, pipeline string, a *propagate.Action) bool {
		if a.Type == propagate.ActionAcquire {
			m.locks.Acquire(propagate.Holder{Workflow: pipeline, Node: a.ID}, []nodegraph.Lock{{Key: "default/Mutex/" + pipeline, Limit: 1}})
		}
		return false
	}},
	{row: "a LockTable is nil", rule: refused, says: "the LockTable is nil", do: func(_ *misuser, pipeline string, a *propagate.Action) bool {
		var none *propagate.LockTable
		none.Release(propagate.Holder{Workflow: pipeline, Node: a.ID})
		return true
	}},
}

// inTwoGoroutines calls the engine from two goroutines until a call comes into another.
func inTwoGoroutines(_ *misuser, t *telling) error {
	var seen atomic.Bool
	errs := make(chan error, 2)
	for range cap(errs) {
		go func() {
			var err error
			for until := time.Now().Add(time.Minute); !seen.Load() && time.Now().Before(until); {
				if _, err = t.engine.Apply(t.now); err != nil {
					seen.Store(true)
				}
			}
			errs <- err
		}()
	}
	return errors.Join(<-errs, <-errs)
}

// eachEnd tells more of each pod that has ended.
func eachEnd(more func(propagate.PodStatus) []propagate.Event) func(*misuser, *telling) error {
	return func(_ *misuser, t *telling) error {
		for _, p := range t.pods {
			if p.Phase == propagate.PodPhaseSucceeded && !t.engine.Complete() {
				t.events = append(t.events, more(p)...)
			}
		}
		return nil
	}
}

// The kit names each misuse of package propagate that does harm, and none that does not.
func TestMisuses(t *testing.T) {
	for _, m := range misuses {
		t.Run(m.row, func(t *testing.T) {
			played := []propagatetest.Case{{Name: "they contend", Workflows: specsOf(t, m.resources()...)}}
			if m.of == nil {
				played = slices.DeleteFunc(cases(t)[2:], func(c propagatetest.Case) bool { return m.in != "" && c.Name != m.in })
			}
			faults := propagatetest.Conformance{New: newMisuser(m), Cases: played}.Faults()
			switch {
			case m.harmless && len(faults) > 0:
				t.Errorf("it does no harm, and the kit found %v", faults)
			case m.harmless:
			case len(faults) == 0:
				t.Error("the kit found nothing")
			case faults[0].Rule != m.rule || !strings.Contains(faults[0].Text, m.says):
				t.Errorf("the kit found %v first, not %q: %s", faults, m.rule, m.says)
			}
		})
	}
}

// Each line of that section is put into the controller.
func TestAllMisusesAreTried(t *testing.T) {
	text, err := os.ReadFile("../../propagate/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "// # Misuse\n")
	tried := make(map[string]bool)
	for _, m := range misuses {
		tried[m.row] = true
	}
	rows := regexp.MustCompile(`(?m)^//\t(.+?)\s{2,}`).FindAllStringSubmatch(section, -1)
	for _, row := range rows {
		if !tried[row[1]] {
			t.Errorf("no controller makes the mistake %q", row[1])
		}
	}
	if len(rows) != len(tried) {
		t.Errorf("%d lines, and %d mistakes", len(rows), len(tried))
	}
}
