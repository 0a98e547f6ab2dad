package nodegraph_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Every lock is met once: those of the workflow, of its templates, and of templates that are written inside tasks and steps.
func TestEachLock(t *testing.T) {
	locked := func(key string, tasks ...nodegraph.Task) *nodegraph.Template {
		return &nodegraph.Template{Locks: []nodegraph.Lock{{Key: key}}, Tasks: tasks}
	}
	inner := locked("inner")
	spec := &nodegraph.Spec{Locks: []nodegraph.Lock{{Key: "workflow"}}, Templates: []*nodegraph.Template{
		locked("dag", nodegraph.Task{Inline: locked("inline", nodegraph.Task{Inline: inner})}, nodegraph.Task{Inline: inner}),
		{Steps: [][]nodegraph.Task{{{Inline: locked("step")}}}}, nil,
	}}
	var keys []string
	spec.EachLock(func(l *nodegraph.Lock) {
		keys = append(keys, l.Key)
		l.Limit = len(keys)
	})
	assert.Equal(t, []string{"workflow", "dag", "inline", "inner", "step"}, keys)
	assert.Equal(t, 4, inner.Locks[0].Limit, "what is filled in stays")
}
