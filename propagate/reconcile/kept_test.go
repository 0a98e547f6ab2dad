package reconcile_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// twins are three hosts that see the same objects: one begins each call from scratch, the others keep the workflow. Of these one lists
// all pods and one tells of changes.
type twins struct {
	scratch, lister, teller reconcile.Reconciler
	listed, told            *reconcile.Kept
	object                  []byte
	last                    *reconcile.Outcome     // of the one from scratch
	before                  []propagate.PodStatus  // which the teller has told
	differs                 []propagate.ActionType // of which those that keep may ask for others
	anew                    int                    // how often the teller had to list pods
	calls                   int
}

// A frame is what the hosts see.
type frame struct {
	name string
	now  time.Time
	pods []propagate.PodStatus
}

func newTwins(t *testing.T, object []byte) *twins {
	p := &twins{object: object}
	for _, r := range []*reconcile.Reconciler{&p.scratch, &p.lister, &p.teller} {
		r.Answer = noCache
		require.NoError(t, r.Adopt(object))
	}
	p.listed, p.told = p.lister.Keep(), p.teller.Keep()
	return p
}

// call has all hosts make one call, and compares what comes of it. It returns that of the one from scratch, nil if that was an error.
func (p *twins) call(t *testing.T, f *frame, events ...propagate.Event) *reconcile.Outcome {
	t.Helper()
	want, wrong := p.scratch.Reconcile(f.now, p.object, f.pods, events...)
	if wrong != nil {
		_, err := p.listed.Reconcile(f.now, p.object, f.pods, events...)
		require.Equal(t, wrong, err, f.name)
		return nil
	}
	p.last = want

	got, err := p.listed.Reconcile(f.now, p.object, f.pods, events...)
	require.NoError(t, err, f.name)
	p.compare(t, f, want, got)
	require.Equal(t, want.Unknown, got.Unknown, "%s: pods and nodes that nobody asked for", f.name)
	require.ElementsMatch(t, p.compared(want), p.compared(got), "%s: what is asked for, from scratch and kept", f.name)

	changed, gonePods := podChanges(p.before, f.pods)
	got, err = p.told.ReconcileChanged(f.now, p.object, changed, gonePods, events...)
	if p.calls++; err != nil {
		require.ErrorIs(t, err, reconcile.ErrListNeeded, f.name)
		p.anew++
		got, err = p.told.Reconcile(f.now, p.object, f.pods, events...)
		require.NoError(t, err, f.name)
	}
	p.before = slices.DeleteFunc(slices.Clone(f.pods), func(pod propagate.PodStatus) bool { return slices.Contains(got.Unknown, pod.Node) })
	p.compare(t, f, want, got)
	require.Subset(t, want.Unknown, got.Unknown, "%s: pods and nodes that nobody asked for", f.name)
	return want
}

// compared are the actions of an outcome of which both hosts know as much. Whether a pod that is listed alive is the one with which its
// node has ended an object does not hold.
func (p *twins) compared(out *reconcile.Outcome) []string {
	return slices.DeleteFunc(actions(out), func(text string) bool {
		return strings.HasSuffix(text, `"its node has ended"`) || slices.ContainsFunc(p.differs, func(of propagate.ActionType) bool { return strings.HasPrefix(text, of.String()) })
	})
}

// compare compares outcomes, but for actions.
func (p *twins) compare(t *testing.T, f *frame, want, got *reconcile.Outcome) {
	t.Helper()
	require.NoError(t, got.Engine.Check(), f.name)
	if diff := cmp.Diff(looks(want.Engine), looks(got.Engine)); diff != "" {
		t.Fatalf("%s: (-from scratch, +kept)\n%s", f.name, diff)
	}
	require.Equal(t, string(want.Patch), string(got.Patch), "%s: the patch, from scratch and kept", f.name)
	phases := func(o *reconcile.Outcome) map[string]string { // an engine that is made anew may find words on record that it replaces by the same
		all := make(map[string]string)
		for _, c := range o.Changes {
			if c.From != c.To {
				all[c.ID] += fmt.Sprint(c.Kind, " ", c.From, " ", c.To, " ", c.Rule, "\n")
			}
		}
		return all
	}
	require.Equal(t, phases(want), phases(got), "%s: changes", f.name)
	require.Equal(t, [2][]string{want.Others, want.Reset}, [2][]string{got.Others, got.Reset}, "%s: others to call, and pods to delete", f.name)
	if !want.Wake.IsZero() {
		require.False(t, got.Wake.IsZero(), "%s: woken", f.name)
		require.WithinRange(t, got.Wake, time.Time{}, want.Wake.Add(time.Second), "%s: woken in time, to the parts of a second that an object has not", f.name)
	}
}

// podChanges are the pods that differ between two lists, and those that only the first has.
func podChanges(before, now []propagate.PodStatus) (changed, gone []propagate.PodStatus) {
	same := func(a, b *propagate.PodStatus) bool { return a.Node == b.Node && a.UID == b.UID }
	find := func(list []propagate.PodStatus, p *propagate.PodStatus) *propagate.PodStatus {
		for k := range list {
			if same(&list[k], p) {
				return &list[k]
			}
		}
		return nil
	}
	for k := range now {
		if was := find(before, &now[k]); was == nil || !cmp.Equal(*was, now[k]) {
			changed = append(changed, now[k])
		}
	}
	for k := range before {
		if find(now, &before[k]) == nil {
			gone = append(gone, before[k])
		}
	}
	return changed, gone
}

// play plays frame k of a recording until nothing more follows.
func (p *twins) play(t *testing.T, s *script, k int) {
	t.Helper()
	f := frame{now: s.Frames[k].Now, pods: s.Frames[k].Pods, name: fmt.Sprintf("frame %d, %v", k, s.Frames[k].Events)}
	if spec := s.respecified(k); spec != nil {
		p.object = withSpec(t, p.object, spec)
	}
	var events []propagate.Event
	if p.last != nil {
		events = s.resumed(k, p.last.Engine)
	}
	for range mostCalls {
		out := p.call(t, &f, events...)
		p.object, events = patched(t, p.object, out.Patch), nil
		again := !out.Wake.IsZero() && !out.Wake.After(f.now) || slices.Contains(out.Others, out.Workflow)
		for k := range out.Actions {
			if a := &out.Actions[k]; a.Type == propagate.ActionRelease {
				again = slices.Contains(p.scratch.Release(out.Workflow, a), out.Workflow) || again
				p.lister.Release(out.Workflow, a)
				p.teller.Release(out.Workflow, a)
			}
		}
		if !again {
			return
		}
	}
	t.Fatalf("%s: it asks to be called again for ever", f.name)
}

// knownToKept are recordings in which an engine that is kept knows what an object does not hold, and asks for other actions because of that.
var knownToKept = map[string][]propagate.ActionType{
	"daemon-evicted-steps-v3.6": {propagate.ActionTerminate}, // that a daemon was ready once
	"rnd387":                    {propagate.ActionResolve},   // that the host was asked
}

// What a Kept returns is what the call from scratch returns, to the byte. After a manual retry that nobody tells of as an event the
// recordings have pods of nodes that have ended otherwise: which pod is the node's, a Kept knows and an object does not.
func TestKeptIsAsFromScratch(t *testing.T) {
	all, err := filepath.Glob("../../testdata/recordings/*/*")
	require.NoError(t, err)
	calls, anew := 0, 0
	for k := 0; k < len(all); k += *every {
		name, _, _ := strings.Cut(filepath.Base(all[k]), ".json")
		t.Run(name, func(t *testing.T) {
			s := scriptOf(t, all[k])
			p := newTwins(t, s.object)
			p.differs = knownToKept[name]
			for k := range s.Frames {
				if s.did(k, "manual-retry") {
					break
				}
				p.play(t, s, k)
			}
			calls, anew = calls+p.calls, anew+p.anew
		})
	}
	t.Logf("%d calls, %d engines made anew", calls, anew)
	require.Less(t, 4*anew, calls, "engines go on with most calls")
}
