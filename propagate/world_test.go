package propagate_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/nodestatus/nodestatus/propagate/truth"
)

// A world is one host with up to three workflows that share a table of locks, and a cluster that plays their pods. It is
// driven by moves, and does not stop at a violation: it notes which kinds it saw.
type world struct {
	*simhost.Host
	host    worldHost
	flows   []*flow
	crashes int // of the host
	found   map[string]finding
	kinds   []string // of what was found, in order
	census  census
	fuzzy   bool     // moves name nodes of a larger specification
	trace   []string // the calls of the engines, for people; nil where nobody reads them
	traced  bool
}

// worldHost is how the host of a world learns of pods, and what it keeps over a crash.
type worldHost struct {
	lists   bool // it lists all pods in each call, and tells no events of them
	restart restartWay
	indexed bool // its events name nodes by index
	slow    bool // it makes pods some time after it was asked for them
}

type restartWay int

const (
	restartLoad    restartWay = iota // the saved state
	restartRestore                   // the record
	restartObject                    // the record in a Workflow object
)

func (h worldHost) String() string {
	text := []string{"load", "restore", "object"}[h.restart]
	if h.lists {
		text += ", lists"
	}
	if h.slow {
		text += ", slow"
	}
	return text
}

// A finding is the first violation of a kind.
type finding struct{ said string }

// A flow is one workflow of a world.
type flow struct {
	*simhost.Workflow
	untold map[*simhost.Pod]bool      // those that changed, of which the engine is to hear
	todo   []string                   // nodes whose pods are to be made, by name
	ends   map[string]nodegraph.Phase // how Suspend, HTTP and Plugin nodes ended, by name
	said   []propagate.Event          // events that may be said again
	held   []propagate.Event          // events that are told with the next call
	dead   bool                       // its engine panicked
	object []byte                     // the Workflow object as it was written last
	// compared says that the specification was read from the object and compared with the one that was written.
	compared bool
	retry    int // manual retries
	// missed says that the host may have missed what happened to pods.
	missed bool
	// crashed and stopped say that the host crashed, and that a person ended the workflow because it hung.
	crashed, stopped bool
	fresh            bool // its engine was made anew, and was not called yet
	strayed          bool // pods came that the host did not make, after which what had ended may go on
	calls            int
	watch            truth.Watch
	knows            memory
}

func newWorld(specs []*nodegraph.Spec, h worldHost) (*world, error) {
	w := &world{host: h, found: make(map[string]finding), census: make(census)}
	w.Host = &simhost.Host{Now: epoch, Slow: true, Stamp: func(c *simhost.Host, p *simhost.Pod) {
		p.UID, p.Created = fmt.Sprint("u", p.Serial), c.Now.Add(time.Duration(p.Serial))
	}}
	for k, spec := range specs {
		if err := w.Add(fmt.Sprint("w", k+1), spec, nodegraph.Limits{}); err != nil {
			return nil, err
		}
		w.flows = append(w.flows, &flow{Workflow: w.Workflows[k], untold: make(map[*simhost.Pod]bool), ends: make(map[string]nodegraph.Phase)})
	}
	return w, nil
}

// begin starts all workflows.
func (w *world) begin() {
	defer w.survive()
	for _, f := range w.flows {
		w.call(f, 0)
	}
}

// fault notes a violation. The kind is short and names no node: the same fault in another workflow has the same.
func (w *world) fault(f *flow, kind, format string, args ...any) {
	if _, known := w.found[kind]; known {
		return
	}
	said := fmt.Sprintf(format, args...)
	if len(w.flows) > 1 && f != nil {
		said = f.Name + ": " + said
	}
	w.found[kind] = finding{said: said}
	w.kinds = append(w.kinds, kind)
	if w.traced && len(w.trace) < 400 {
		w.trace = append(w.trace, "    VIOLATION "+kind+": "+said)
	}
}

// crashUnsaved is a crash of the host before it has stored what a call did.
const crashUnsaved = -1

// call tells the engine of a flow events, those that were held back first, and carries out what it asks for. A crash of
// the host comes after it has carried out crash-1 actions, at crashUnsaved before it has stored what the call did; 0 is none.
func (w *world) call(f *flow, crash int, events ...propagate.Event) {
	events = append(f.held, events...)
	f.held = nil
	if f.dead {
		return
	}
	var stored kept
	if crash == crashUnsaved {
		stored = f.keep()
	}
	before := f.look()
	result, refused, err := w.tell(f, events)
	if f.dead {
		return
	}
	if err != nil { // one of them can't be taken: the others are told without it
		w.refuse(f, &refused, err)
		w.census.refused(&refused)
		rest := slices.Clone(events)
		var e *propagate.EventError
		if errors.As(err, &e) && e.Index < len(rest) {
			f.held = slices.Delete(rest, e.Index, e.Index+1)
		}
		if len(f.held) > 0 {
			w.call(f, crash)
		}
		return
	}
	f.calls++
	clear(f.untold)
	w.traceCall(f, events, &result)
	w.check(f, before, events, &result)
	f.fresh = false
	if f.dead {
		return
	}
	if f.retry > 0 && slices.ContainsFunc(events, func(ev propagate.Event) bool { return ev.Type == propagate.EventManualRetry }) {
		w.forgetPods(f)
	}
	if crash == crashUnsaved {
		w.crash(f, &stored)
		return
	}
	w.carryOut(f, &result, crash)
	if crash > 0 {
		w.crash(nil, nil)
		return
	}
	w.checkWake(f)
}

// tell calls the engine; a panic is a violation and the end of the flow.
func (w *world) tell(f *flow, events []propagate.Event) (result propagate.Result, refused propagate.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			f.dead = true
			w.fault(f, "panic "+panicSite(debug.Stack()), "%v", p)
		}
	}()
	if w.host.indexed {
		events = byIndex(f.Engine.Graph(), events)
	}
	w.Intake = simhost.Events
	if w.host.lists {
		w.Intake = simhost.List
	}
	result, err = w.Call(f.Name, events)
	var e *propagate.EventError
	if errors.As(err, &e) {
		refused = e.Event
		if refused.Node == "" {
			refused.Node = e.Node
		}
	} else if err == nil {
		w.census.called(events, &result)
	}
	return result, refused, err
}

// byIndex names the nodes of events by their indices.
func byIndex(g *nodegraph.Graph, events []propagate.Event) []propagate.Event {
	events = slices.Clone(events)
	for k := range events {
		if i := g.Find(events[k].Node); i > nodegraph.Root {
			events[k].Node, events[k].At = "", i
		}
	}
	return events
}

var sitePattern = regexp.MustCompile(`nodestatus/(?:propagate|nodegraph|retry)\.(\S+)\(`)

// panicSite is the function of this library that panicked.
func panicSite(stack []byte) string {
	text := string(stack)
	if k := strings.Index(text, "panic("); k >= 0 {
		text = text[k:]
	}
	for _, m := range sitePattern.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "recover") {
			return m[1]
		}
	}
	return "somewhere"
}

// refuse gives back the locks of a grant that the engine refused to hear of. Other refusals must be of the kinds that
// late events have.
func (w *world) refuse(f *flow, ev *propagate.Event, err error) {
	if ev.Type == propagate.EventLockGranted {
		w.release(f, ev.Node)
	}
	for _, expected := range []error{propagate.ErrComplete, propagate.ErrUnknownNode, propagate.ErrNotStarted} {
		if errors.Is(err, expected) {
			return
		}
	}
	if ev.Type == propagate.EventManualRetry && errors.Is(err, propagate.ErrInvalid) {
		return
	}
	if f.strayed && errors.Is(err, propagate.ErrWaitsForLock) { // the host made no pod of a node that waits for its locks
		f.Pods = slices.DeleteFunc(f.Pods, func(p *simhost.Pod) bool { return p.UID == ev.Pod.UID }) // whoever made that ends it
		return
	}
	w.fault(f, "refused "+ev.Type.String(), "%v", err)
}

// carryOut does what the engine asks for, but no more than crash-1 actions before a crash.
func (w *world) carryOut(f *flow, result *propagate.Result, crash int) {
	actions := result.Actions
	if crash > 0 {
		actions = actions[:min(len(actions), crash-1)]
	}
	_ = propagate.Follow(w, f.Name, propagate.Result{Actions: actions}) // Do returns no error
}

// Do carries out an action.
func (w *world) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	f := w.flows[w.Index(workflow)]
	starts := a.Type == propagate.ActionRecreate || a.Type == propagate.ActionStart
	switch {
	case starts && a.Kind == nodegraph.KindPod && w.host.slow:
		f.todo = append(f.todo, a.Name)
	case a.Type == propagate.ActionRelease:
		w.release(f, a.ID)
	default:
		if a.Type == propagate.ActionTerminate {
			f.todo = slices.DeleteFunc(f.todo, func(name string) bool { return name == a.Name })
		}
		return w.Host.Do(workflow, a)
	}
	return nil, nil
}

// makePod makes a pod, unless the node has one that is alive: its name is made from that of the node.
func (w *world) makePod(f *flow, name string) {
	if old := f.Pod(name); old == nil || !old.Alive() {
		w.Make(f.Name, name)
	}
}

// release takes back the locks of a node. Whoever gets them is told later; what the node was asked or granted is void.
func (w *world) release(f *flow, id string) {
	f.held = slices.DeleteFunc(f.held, func(ev propagate.Event) bool {
		return (ev.Type == propagate.EventLockGranted || ev.Type == propagate.EventLockQueued) && ev.Node == id
	})
	w.GiveBack(f.Name, id)
}

// forgetPods deletes the pods of nodes that run anew, and forgets how they ended.
func (w *world) forgetPods(f *flow) {
	f.DeletePods()
	anew := func(name string) bool {
		i := f.Engine.Graph().Find(name)
		return i == nodegraph.None || !f.Engine.Verdict(i).Fulfilled
	}
	maps.DeleteFunc(f.ends, func(name string, _ nodegraph.Phase) bool { return anew(name) })
	f.Served = slices.DeleteFunc(f.Served, anew)
	f.todo, f.said = nil, nil
}

// traceCall notes a call for people.
func (w *world) traceCall(f *flow, events []propagate.Event, result *propagate.Result) {
	if !w.traced {
		return
	}
	var told []string
	for _, ev := range events {
		told = append(told, simhost.Describe(ev))
	}
	if w.host.lists {
		for _, p := range f.Listed() {
			text := fmt.Sprintf("%s@%s:%s", p.Node, p.UID, p.Phase)
			for _, c := range p.Containers {
				switch {
				case c.Terminated:
					text += fmt.Sprintf(" %s=%d", c.Name, c.ExitCode)
				case c.Ready:
					text += " " + c.Name + " ready"
				}
			}
			told = append(told, text)
		}
	}
	line := fmt.Sprintf("+%ds %s", int(w.Now.Sub(epoch)/time.Second), strings.Join(told, ", "))
	if len(w.flows) > 1 {
		line = f.Name + " " + line
	}
	w.trace = append(w.trace, line)
	for _, c := range result.Changes {
		w.trace = append(w.trace, "    "+c.String())
	}
	for _, a := range result.Actions {
		w.trace = append(w.trace, "    -> "+a.String())
	}
	w.trace = append(w.trace, fmt.Sprintf("    waits for %v", f.Engine.Obligations()))
}
