package main

import (
	"encoding/json"
	"fmt"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

// A suggestion is a change of a specification with which the workflow survives.
type suggestion struct {
	Helps   bool       `json:"helps"`
	Because string     `json:"because"` // how the workflow does with it
	Patch   []patchOp  `json:"patch"`   // a JSON patch (RFC 6902) of the object that was read
	Else    []strategy `json:"else"`    // changes of templates that the object does not hold
}

type patchOp struct {
	Op    string         `json:"op"`
	Path  string         `json:"path"`
	Value map[string]any `json:"value"`
}

type strategy struct {
	Template string         `json:"template"`
	Value    map[string]any `json:"retryStrategy"`
}

// suggested looks for a change of a workflow that does not survive.
func suggested(in whatif.Input, w *argo.Workflow) (*suggestion, error) {
	changes, r, helps, err := whatif.Suggest(in)
	if err != nil {
		return nil, err
	}
	s := &suggestion{Helps: helps, Because: r.Verdict.Because, Patch: []patchOp{}, Else: []strategy{}}
	for _, c := range changes {
		path, was, err := w.RetryStrategy(c.Template)
		if err != nil {
			return nil, err
		}
		value := map[string]any{}
		if len(was) > 0 {
			_ = json.Unmarshal(was, &value) // of what was read: can't fail
		}
		value["limit"], value["retryPolicy"] = fmt.Sprint(c.Limit), string(c.Policy)
		if path == "" {
			s.Else = append(s.Else, strategy{c.Template, value})
			continue
		}
		s.Patch = append(s.Patch, patchOp{"add", path, value})
	}
	return s, nil
}

// suggestion prints what would make the workflow safe.
func (t *whatifText) suggestion() {
	s := t.found
	switch {
	case s == nil:
		return
	case !s.Helps:
		fmt.Fprintf(t.out, "\n%s\n", wrapped("No retryStrategy makes it safe: "+said(s.Because)+".", 0, t.columns))
		return
	}
	fmt.Fprintf(t.out, "\n%s\n", wrapped("Safe with this change, which was tried: "+said(s.Because)+".", 0, t.columns))
	for _, e := range s.Else {
		value, _ := json.Marshal(e.Value) // of what was read: can't fail
		fmt.Fprintf(t.out, "  template %s, which the object does not hold: retryStrategy: %s\n", tree.Visible(e.Template), tree.Visible(string(value)))
	}
	if len(s.Patch) > 0 {
		patch, _ := json.Marshal(s.Patch) // likewise
		fmt.Fprintf(t.out, "%s\n", tree.Visible(string(patch)))
	}
}
