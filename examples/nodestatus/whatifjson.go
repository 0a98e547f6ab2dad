package main

import (
	"encoding/json"
	"io"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

// The object that -o json prints. Field names are stable; lists are there also where they are empty.
type (
	whatifJSON struct {
		Workflow    string           `json:"workflow"`
		Any         int              `json:"any"` // how many pods may be lost in one run
		Survives    bool             `json:"survives"`
		Because     string           `json:"because"`
		Fatal       int              `json:"fatal"`       // how many of the losses it does not survive
		Pods        int              `json:"pods"`        // of the undisturbed run, from now on
		Simulations int              `json:"simulations"` // the undisturbed run included
		Undisturbed outcomeJSON      `json:"undisturbed"`
		Assumed     []assumedJSON    `json:"assumed"`
		Unresolved  []unresolvedJSON `json:"unresolved"`          // fields of the specification whose value only the controller knows
		Losses      []lossJSON       `json:"losses"`              // the worst first
		Partial     bool             `json:"partial,omitempty"`   // it was interrupted: other losses may be fatal, too
		Rules       string           `json:"rules"`               // nodestatus or argo
		Played      []int            `json:"played,omitempty"`    // with argo: the numbers of the deviations that were played
		NotPlayed   []int            `json:"notPlayed,omitempty"` // and of those that it could have met and were not
		Suggestion  *suggestion      `json:"suggestion,omitempty"`
	}
	outcomeJSON struct {
		Phase   string   `json:"phase"` // of the workflow
		Message string   `json:"message"`
		Waits   []string `json:"waits"` // what it waits for, for ever; empty if it ends
	}
	assumedJSON struct {
		Node  string `json:"node"`
		Text  string `json:"text"`
		Holds *bool  `json:"holds,omitempty"` // of a condition
		Items *int   `json:"items,omitempty"` // of a loop: how many
	}
	unresolvedJSON struct {
		Field    string `json:"field"`
		Text     string `json:"text"`
		CountsAs string `json:"countsAs"`
	}
	lossJSON struct {
		Lost     []lostJSON `json:"lost"` // one or two, in the order in which they are lost
		Survives bool       `json:"survives"`
		outcomeJSON
		Retries      []retryJSON    `json:"retries"`      // the Retry nodes around the lost pods
		MadeAgain    int            `json:"madeAgain"`    // pods made again without a further attempt
		Failed       []lossNodeJSON `json:"failed"`       // that do not fail undisturbed
		Omitted      []lossNodeJSON `json:"omitted"`      // that run undisturbed
		NeverStarted []lossNodeJSON `json:"neverStarted"` // likewise
		FailedFast   []lossNodeJSON `json:"failedFast"`   // what had not begun in these when they failed never begins
	}
	lostJSON struct {
		Node  string `json:"node"` // the name
		ID    string `json:"id"`
		Pod   int    `json:"pod"`   // which pod of the node, from 1
		Agent bool   `json:"agent"` // it is the pod that serves the node
		When  string `json:"when"`  // pending, running or reporting
		How   string `json:"how"`   // deleted or evicted
	}
	retryJSON struct {
		Node     string `json:"node"`
		ID       string `json:"id"`
		Attempts int    `json:"attempts"` // further ones
		Left     *int   `json:"left"`     // null for no limit
	}
	lossNodeJSON struct {
		Node    string `json:"node"`
		ID      string `json:"id"`
		Type    string `json:"type"`
		Phase   string `json:"phase"` // empty for one that never started
		Message string `json:"message"`
	}
)

func printLosses(out io.Writer, w *argo.Workflow, r *whatif.Result, rules string, found *suggestion) error {
	object := whatifJSON{
		Workflow: w.Name, Any: r.Verdict.Any, Survives: r.Verdict.Survives, Because: r.Verdict.Because, Fatal: r.Verdict.Fatal,
		Pods: r.Pods, Simulations: r.Simulations, Undisturbed: outcomeOf(r.Undisturbed),
		Assumed: []assumedJSON{}, Unresolved: []unresolvedJSON{}, Losses: []lossJSON{}, Partial: r.Partial, Rules: rules, Suggestion: found,
	}
	if rules == "argo" {
		object.Played, object.NotPlayed = whatif.Played(), whatif.NotPlayed()
	}
	for _, a := range r.Assumed {
		item := assumedJSON{Node: a.Node, Text: a.Text, Holds: &a.Holds}
		if a.Items >= 0 {
			item.Holds, item.Items = nil, &a.Items
		}
		object.Assumed = append(object.Assumed, item)
	}
	for _, u := range w.Unresolved {
		object.Unresolved = append(object.Unresolved, unresolvedJSON(u))
	}
	for k := range r.Losses {
		l := &r.Losses[k]
		item := lossJSON{
			Survives: l.Survived(), outcomeJSON: outcomeOf(l.Outcome), Retries: []retryJSON{}, MadeAgain: l.Remade,
			Failed: lossNodes(l.Failed), Omitted: lossNodes(l.Omitted), NeverStarted: lossNodes(l.NeverStarted), FailedFast: lossNodes(l.FailedFast),
		}
		for _, p := range l.Lost {
			item.Lost = append(item.Lost, lostJSON{p.Name, p.ID, p.Pod, p.Agent, string(p.When), string(p.How)})
		}
		for _, retried := range l.Retries {
			left := &retried.Left
			if retried.Left == whatif.NoLimit {
				left = nil
			}
			item.Retries = append(item.Retries, retryJSON{retried.Name, retried.ID, retried.Attempts, left})
		}
		object.Losses = append(object.Losses, item)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(object)
}

func outcomeOf(o whatif.Outcome) outcomeJSON {
	return outcomeJSON{o.Phase.String(), o.Message, append([]string{}, o.Waits...)}
}

func lossNodes(nodes []whatif.Node) []lossNodeJSON {
	list := []lossNodeJSON{}
	for _, n := range nodes {
		list = append(list, lossNodeJSON{n.Name, n.ID, n.Kind.String(), n.Phase.String(), n.Message})
	}
	return list
}
