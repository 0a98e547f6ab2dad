package propagate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A condition of a loop is filled in for each item, as the message of an item that is skipped shows. What no item stands
// for is left to the host.
func TestConditionsOfItems(t *testing.T) {
	item := nodegraph.Item{Text: "i", Fields: map[string]string{"k": "v", "empty": ""}}
	for _, c := range []struct{ when, filled string }{
		{"{{item}} == no", "i == no"},
		{"a{{item}}b == no", "aib == no"},
		{"{{ item }}{{item}} == no", "ii == no"},
		{"'{{item.k}}' == '{{item}}'", "'v' == 'i'"},
		{"'{{item.empty}}' == no", "'' == no"},
		{"no == a{{item.k}}", "no == av"},
		{"'}}{{item}}' == no", "'}}i' == no"},
		{"{{item}} == {{item.other}}", ""},
		{"{{item}} == {{items}}", ""},
		{"{{item}} == {{}}", ""},
		{"{{item}} == '{{item'", ""},
		{"no == {{item", ""},
		{"{{k}} == no", ""},
	} {
		t.Run(c.when, func(t *testing.T) {
			spec := &nodegraph.Spec{Name: "wf", Entrypoint: "main", Templates: []*nodegraph.Template{
				{Name: "main", Kind: nodegraph.DAG, Tasks: []nodegraph.Task{
					{Name: "l", Template: "pod", When: c.when, Loop: &nodegraph.Loop{Items: []nodegraph.Item{item}}}}},
				{Name: "pod", Kind: nodegraph.Pod},
			}}
			e, err := propagate.New(spec)
			require.NoError(t, err)
			r := tell(t, e).Actions
			if c.filled == "" {
				require.Equal(t, propagate.ActionResolve, r[len(r)-1].Type, "%v", r)
				return
			}
			require.Equal(t, "Skipped: when '"+c.filled+"' evaluated false", looks(e, "wf.l(0:i)")["wf.l(0:i)"])
		})
	}
}
