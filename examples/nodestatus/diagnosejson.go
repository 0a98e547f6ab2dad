package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// The object that -o json prints. Field names are stable; lists are there also where they are empty.
type (
	reportJSON struct {
		APIVersion string        `json:"apiVersion"`
		Kind       string        `json:"kind"`
		Workflow   string        `json:"workflow"`
		Phase      string        `json:"phase"`     // as recorded, empty before the controller has begun it
		Verdict    string        `json:"verdict"`   // stuck, wrong, overdue, waiting, healthy or complete
		PodsKnown  bool          `json:"podsKnown"` // else it is not known whether what is recorded as running runs
		Healthy    bool          `json:"healthy"`
		Stuck      bool          `json:"stuck"` // nothing will happen any more
		Findings   []findingJSON `json:"findings"`
		Follows    []followJSON  `json:"follows"` // what the controller settles by itself once the findings are healed
		Waiting    []waitingJSON `json:"waiting"` // what it waits for then
		Locks      []lockJSON    `json:"locks"`
		Ignored    []string      `json:"ignored"` // ids of nodes that the specification never asks for
		Notes      []string      `json:"notes"`
	}
	phaseJSON struct {
		Phase   string `json:"phase"`
		Message string `json:"message"`
	}
	findingJSON struct {
		Kind     string     `json:"kind"` // such as orphaned-container
		Code     string     `json:"code"` // the same as Kubernetes writes reasons: OrphanedContainer
		Node     string     `json:"node"` // the name
		ID       string     `json:"id"`
		Type     string     `json:"type"`
		Lock     string     `json:"lock,omitempty"`
		Pod      string     `json:"pod,omitempty"`
		Recorded *phaseJSON `json:"recorded,omitempty"`
		Should   *phaseJSON `json:"should,omitempty"`
		Reason   string     `json:"reason"`
		Remedy   string     `json:"remedy"`
		Heals    bool       `json:"heals"` // nodestatus heal sets recorded to should
		Since    *time.Time `json:"since,omitempty"`
		Next     string     `json:"next,omitempty"`   // what the controller does then
		Commands []string   `json:"commands"`         // to type
		ByHand   string     `json:"byHand,omitempty"` // why nodestatus heal can't do it
	}
	followJSON struct {
		Node     string    `json:"node"`
		ID       string    `json:"id"`
		Type     string    `json:"type"`
		Recorded phaseJSON `json:"recorded"`
		Should   phaseJSON `json:"should"`
	}
	waitingJSON struct {
		Node    string     `json:"node"`
		ID      string     `json:"id"`
		Type    string     `json:"type"`
		For     string     `json:"for"`
		Since   *time.Time `json:"since,omitempty"`
		Until   *time.Time `json:"until,omitempty"`
		Message string     `json:"message,omitempty"`
		Never   string     `json:"never,omitempty"` // why it can never come true
		Begun   bool       `json:"begun"`           // the node is on record

		Lock     string   `json:"lock,omitempty"`
		HeldBy   []string `json:"heldBy,omitempty"` // namespace/workflow or namespace/workflow/node
		Commands []string `json:"commands,omitempty"`
	}
	lockJSON struct {
		Key     string     `json:"key"`
		Holders []userJSON `json:"holders"`
		Waiters []userJSON `json:"waiters"`
		Others  []string   `json:"others,omitempty"` // holders that are other workflows
	}
	userJSON struct { // of a lock; the workflow itself has no id
		Node  string `json:"node"`
		ID    string `json:"id"`
		Phase string `json:"phase"`
	}
)

func printReport(out io.Writer, w *argo.Workflow, in *diagnose.Input, r *diagnose.Report) error {
	object := reportJSON{
		APIVersion: apiVersion, Kind: "Diagnosis", Workflow: w.Name, Phase: r.Workflow.Recorded.Phase.String(), Verdict: string(r.Verdict()), PodsKnown: in.Pods != nil, Healthy: r.Healthy(), Stuck: r.Stuck,
		Findings: []findingJSON{}, Follows: []followJSON{}, Waiting: []waitingJSON{}, Locks: []lockJSON{}, Ignored: []string{},
		Notes: append([]string{}, r.Notes...),
	}
	for _, f := range r.Findings {
		object.Findings = append(object.Findings, findingJSON{
			string(f.Kind), f.Kind.Code(), f.Name, f.ID, f.Type.String(), f.Lock, f.Pod, optional(f.Recorded), optional(f.Should), f.Reason, f.Remedy, f.Heals,
			moment(f.Since), f.Next, append([]string{}, f.Commands...), f.ByHand,
		})
	}
	for _, n := range r.Follows {
		object.Follows = append(object.Follows, followJSON{n.Name, n.ID, n.Type.String(), *optional(n.Recorded), *optional(n.Should)})
	}
	for _, n := range r.Waits {
		object.Waiting = append(object.Waiting, waitingJSON{
			n.Name, n.ID, n.Type.String(), n.For.String(), moment(n.Since), moment(n.Until), n.Message, n.Never, !n.Next, n.Lock, n.HeldBy, n.Commands,
		})
	}
	for _, l := range r.Locks {
		object.Locks = append(object.Locks, lockJSON{l.Key, users(l.Holders), users(l.Waiters), l.Others})
	}
	object.Ignored = append(object.Ignored, r.Ignored...)
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(object)
}

func optional(s diagnose.State) *phaseJSON {
	if s.Phase == nodegraph.PhasePlanned {
		return nil
	}
	return &phaseJSON{s.Phase.String(), s.Message}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func users(nodes []diagnose.Node) []userJSON {
	list := []userJSON{}
	for _, n := range nodes {
		list = append(list, userJSON{n.Name, n.ID, n.Recorded.Phase.String()})
	}
	return list
}
