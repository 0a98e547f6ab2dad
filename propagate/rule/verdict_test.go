package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/rule"
)

func TestBriefOf(t *testing.T) {
	for r := rule.RulePlanned; r <= rule.RuleBranchFailed; r++ {
		v := rule.BriefOf(nodegraph.PhaseFailed, r)
		require.Equal(t, nodegraph.PhaseFailed, v.Phase())
		require.Equal(t, r, v.Rule())
	}
	require.NotZero(t, rule.BriefOf(nodegraph.PhasePlanned, rule.RulePlanned), "no line is that of the zero Brief but Planned 5")
}
