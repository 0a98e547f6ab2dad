package rule_test

import (
	"testing"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// The deadline of a workflow is so long after it has started, not after it has asked for its locks.
func TestDeadlineOfWhatWaitsForItsLocks(t *testing.T) {
	set := both(locked, func(spec *nodegraph.Spec) { spec.ActiveDeadline = time.Minute })
	granted := call{time.Hour, []propagate.Event{propagate.LockGranted("")}}
	chapter(t, []scene{
		{text: "dag(a)", set: set, calls: []call{granted}, node: "wf.a", want: "Pod 11: Pending"},
		{text: "dag(a)", set: set, calls: []call{granted, {time.Hour + 59*time.Second, nil}}, node: "wf.a", want: "Pod 11: Pending"},
		{text: "dag(a)", set: set, calls: []call{granted, {time.Hour + time.Minute, nil}}, node: "wf.a", want: "Pod 4: Failed, Step exceeded its deadline"},
	})
}
