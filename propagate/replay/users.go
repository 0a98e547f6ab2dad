package replay

import (
	"fmt"
	"path"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// retried is the event with which a user retries a workflow with frame f; false if no user does, or it has not ended so in the
// engine.
func retried(e *propagate.Engine, f *Frame) (propagate.Event, bool) {
	if phase, _ := e.Workflow(); !f.has("manual-retry") || !e.Complete() || !phase.Completed() {
		return propagate.Event{}, false
	}
	ev := propagate.ManualRetry()
	for _, rest := range f.all("manual-retry") {
		selector, restart := strings.CutPrefix(rest, "restart ")
		for i := nodegraph.Entry; restart && int(i) < e.Graph().Len(); i++ {
			if e.Exists(i) && selects(selector, e, i, f) {
				ev.Restart = append(ev.Restart, e.Graph().Node(i).ID())
			}
		}
	}
	phase, _ := e.Workflow()
	return ev, phase.Unsuccessful() || len(ev.Restart) > 0
}

// told are the events of frame f beside its pods: what users did, what was reported of HTTP and Plugin nodes, and
// whose results were stored. Before is the frame before it, nil for the first.
func told(e *propagate.Engine, before, f *Frame) []propagate.Event {
	if e.Complete() {
		return nil
	}
	shutdown, held := "", e.Graph().Spec().Suspended
	if before != nil {
		shutdown, held = before.Shutdown, before.Held
	}
	var events []propagate.Event
	if f.Shutdown != shutdown && f.Shutdown != "" {
		events = append(events, propagate.Shutdown(f.Shutdown))
	}
	if f.Held != held {
		events = append(events, propagate.Suspended(f.Held))
	}
	events = append(events, resumed(e, f)...)
	events = append(events, served(e, f)...)
	return append(events, stored(e, f)...)
}

// resumed are the Suspend nodes that a user let go on or refused. Argo does either to those that run alone: one that
// waits for a lock or was not started yet is left as it is.
func resumed(e *propagate.Engine, f *Frame) []propagate.Event {
	var events []propagate.Event
	end := func(selector, message string, phase nodegraph.Phase) {
		g := e.Graph()
		for i := nodegraph.Entry; int(i) < g.Len(); i++ {
			now, _ := e.Phase(i)
			if !e.Exists(i) || e.Kind(i) != nodegraph.KindSuspend || now != nodegraph.PhaseRunning || !selects(selector, e, i, f) {
				continue
			}
			ended := propagate.Resumed(g.Node(i).ID())
			ended.Phase, ended.Message = phase, message
			events = append(events, ended)
		}
	}
	for _, selector := range f.all("resume") {
		end(selector, "", nodegraph.PhaseSucceeded)
	}
	for _, rest := range f.all("stopnode") {
		selector, message, _ := strings.Cut(rest, " ")
		end(selector, message, nodegraph.PhaseFailed)
	}
	return events
}

// selects tells whether a node field selector, such as displayName=gate, selects node i. An empty one selects every
// node. Of a field that the engine does not hold the record says whether it selected the node.
func selects(selector string, e *propagate.Engine, i nodegraph.Index, f *Frame) bool {
	n := e.Graph().Node(i)
	phase, _ := e.Phase(i)
	fields := map[string]string{"displayName": e.Graph().DisplayName(i), "name": n.Name(), "id": n.ID(), "phase": phase.String()}
	if n.Template != nil {
		fields["templateName"] = n.Template.RecordedName()
	}
	for term := range strings.SplitSeq(selector, ",") {
		field, want, found := strings.Cut(term, "=")
		if !found {
			continue
		}
		field, differs := strings.CutSuffix(field, "!")
		value, held := fields[strings.TrimSpace(field)]
		if !held {
			r := f.node(n.ID())
			return r != nil && r.Phase.Completed()
		}
		if (value == strings.TrimPrefix(want, "=")) == differs {
			return false
		}
	}
	return true
}

// served are the HTTP and Plugin nodes of which something was reported, and those that lost their agent.
func served(e *propagate.Engine, f *Frame) []propagate.Event {
	var events []propagate.Event
	for _, report := range f.all("http") {
		pattern, end, _ := strings.Cut(report, " ")
		word, message, _ := strings.Cut(end, " ")
		phase, err := nodegraph.ParsePhase(word)
		if err != nil || !phase.Completed() {
			continue
		}
		g := e.Graph()
		for i := nodegraph.Entry; int(i) < g.Len(); i++ {
			if open := e.Exists(i) && !e.Verdict(i).Fulfilled; open && isServed(e.Kind(i)) && named(pattern, g, i) {
				events = append(events, propagate.NodeEnded(g.Node(i).ID(), phase, message))
			}
		}
	}
	for k := range f.Pods {
		if p := &f.Pods[k]; isAgent(p) && p.Phase == "Failed" {
			events = append(events, propagate.AgentEnded(fmt.Sprintf(`agent pod failed with reason:"%s"`, p.Message)))
		}
	}
	return events
}

func isServed(k nodegraph.Kind) bool { return k == nodegraph.KindHTTP || k == nodegraph.KindPlugin }

// named tells whether the recorder means node i by a pattern: its display name, the end of its name, or all of it.
func named(pattern string, g *nodegraph.Graph, i nodegraph.Index) bool {
	name := g.Node(i).Name()
	display, err := path.Match(pattern, g.DisplayName(i))
	return err == nil && display || name == pattern || strings.HasSuffix(name, "."+pattern)
}

// isAgent tells whether a pod serves HTTP and Plugin nodes: it runs no node itself.
func isAgent(p *propagate.PodStatus) bool {
	return p.Node == "" && strings.HasSuffix(p.Name, "-agent")
}

// nodePods are the pods that run nodes.
func nodePods(f *Frame) []propagate.PodStatus {
	var pods []propagate.PodStatus
	for k := range f.Pods {
		if !isAgent(&f.Pods[k]) {
			pods = append(pods, f.Pods[k])
		}
	}
	return pods
}

// stored are the nodes whose results were on their way when the frame was recorded, and those whose results came.
func stored(e *propagate.Engine, f *Frame) []propagate.Event {
	var events []propagate.Event
	for k := range f.Recorded.Nodes {
		r := &f.Recorded.Nodes[k]
		i := e.Graph().Find(r.ID)
		if r.Kind != nodegraph.KindPod || i == nodegraph.None || !e.Exists(i) || e.Kind(i) != nodegraph.KindPod {
			continue
		}
		switch waits := e.Fact(i).Unsynced; {
		case r.Unsynced && !waits && !e.Verdict(i).Fulfilled:
			events = append(events, propagate.ResultPending(r.ID))
		case !r.Unsynced && waits:
			events = append(events, propagate.ResultSynced(r.ID))
		}
	}
	return events
}
