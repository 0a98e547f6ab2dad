package reconcile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

var every = flag.Int("every", 10, "play every recording of so many, beside those that are named; all: 1")

// A host whose only memory is the object shows the same phases, waits for the same and asks for the same as an engine that is
// never made anew. A restart may make it ask for some things again: see repeated.
func TestTheObjectIsMemoryEnough(t *testing.T) {
	files := map[string][]string{
		"shutdown": {"shutdown-stop-retry", "shutdown-stop-exit-handler", "shutdown-terminate", "shutdown-terminate-suspended", "stop-backoff",
			"stop-nested-v3.6", "stop-containerset", "hook-stop", "stop-exit-handler-retried", "stop-before-run", "terminate-evicted-set"},
		"deadline": {"deadline-workflow", "deadline-wf-steps", "par-deadline", "mutex-waiting-deadline"},
		"lock": {"template-mutex", "template-mutex-containerset-deleted", "mutex-waiting-stop", "mutex-crossed", "mutex-several-overlap",
			"mutex-and-semaphore", "mutex-under-retry", "mutex-with-items", "mutex-self-nested", "failfast-lock-leak", "sem-one-slot", "sem-two-slots"},
		"suspend": {"suspend-resume", "suspend-duration", "suspend-workflow", "suspend-terminate-dur", "suspend-duration-loop-v3.7"},
	}
	for kind, names := range files {
		for _, name := range names {
			t.Run(kind+"/"+name, func(t *testing.T) { playBoth(t, recordingFile(t, name)) })
		}
	}
	all, err := filepath.Glob("../../testdata/recordings/*/*")
	require.NoError(t, err)
	for k := 0; k < len(all); k += *every {
		t.Run("every/"+filepath.Base(all[k]), func(t *testing.T) { playBoth(t, all[k]) })
	}
}

// recordingFile finds a recording by its name.
func recordingFile(t *testing.T, name string) string {
	for _, ending := range []string{".json", ".json.gz"} {
		if found, err := filepath.Glob("../../testdata/recordings/*/" + name + ending); err == nil && len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Fatalf("there is no recording %s", name)
	return ""
}

// playBoth plays a recording with an engine that is never made anew and with one that lives for one call, and compares them
// after each frame. What comes after a manual retry is left out: new pods are told from old ones by their UIDs, which no record
// has.
func playBoth(t *testing.T, file string) {
	s := scriptOf(t, file)
	kept, without := newLasting(t, s), newStateless(t, s)
	for k := range s.Frames {
		f := &s.Frames[k]
		if s.did(k, "manual-retry") {
			return
		}
		want := kept.play(t, s, k)
		got := without.play(t, s, k)
		if diff := cmp.Diff(looks(kept.e), looks(without.last.Engine)); diff != "" {
			t.Fatalf("frame %d, %v: (-never restarted, +object alone)\n%s", k, f.Events, diff)
		}
		s.compareActions(t, k, want, got)
	}
}

// repeated are the actions that a host hears again after a restart, which comes with every call here, while they are owed: the
// table in the documentation of the package names them.
var repeated = []propagate.ActionType{
	propagate.ActionRecreate, propagate.ActionTerminate, propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup, propagate.ActionComplete,
}

// compareActions compares what the hosts were asked to do with frame k. In which order pods are to be ended does not matter, nor
// the end of one that nobody has seen yet, nor that a lock is given back twice because a grant came too late.
func (s *script) compareActions(t *testing.T, k int, want, got []propagate.Action) {
	asked := make(map[string]int)
	for _, a := range want {
		asked[a.String()]++
	}
	var again []string
	got = slices.DeleteFunc(slices.Clone(got), func(a propagate.Action) bool {
		if asked[a.String()]--; asked[a.String()] >= 0 || !slices.Contains(repeated, a.Type) {
			return false
		}
		again = append(again, a.String())
		return true
	})
	wantEnds, wantRest := s.divided(k, want)
	gotEnds, gotRest := s.divided(k, got)
	require.Equal(t, wantRest, gotRest, "frame %d; asked again: %v", k, again)
	require.ElementsMatch(t, wantEnds, gotEnds, "frame %d; asked again: %v", k, again)
}

// divided are the ends of pods that frame k lists, and all other actions.
func (s *script) divided(k int, actions []propagate.Action) (ends, rest []string) {
	for n := range actions {
		a := &actions[n]
		text := a.String()
		starts := a.Type == propagate.ActionStart || a.Type == propagate.ActionRecreate
		pod := a.Kind == nodegraph.KindPod || a.Kind == nodegraph.KindHTTP || a.Kind == nodegraph.KindPlugin
		switch {
		case a.Type == propagate.ActionWait, starts && !pod: // nothing is to be done
		case a.Type == propagate.ActionTerminate:
			if slices.ContainsFunc(s.Frames[k].Pods, func(p propagate.PodStatus) bool { return p.Node == a.ID }) {
				ends = append(ends, text)
			}
		case a.Type == propagate.ActionRelease && (len(a.Locks) == 0 || slices.Contains(rest, text)):
		default:
			rest = append(rest, text)
		}
	}
	return ends, rest
}

// looks is how an engine shows the workflow and its nodes, and what it waits for.
func looks(e *propagate.Engine) map[string]string {
	phase, message := e.Workflow()
	all := map[string]string{"(workflow)": phase.String() + " " + message}
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if e.Exists(i) {
			v := e.Verdict(i)
			all[e.Graph().Node(i).Name()] = fmt.Sprint(e.Kind(i), " ", v.Phase, " ", v.Message, " daemoned=", v.Daemoned)
		}
	}
	for _, o := range e.Obligations() {
		all["waits "+o.Name] = o.For.String() + " " + o.Never
	}
	return all
}

// A script is a recording, as both hosts play it.
type script struct {
	*replay.Recording
	object []byte            // as it was submitted
	specs  []json.RawMessage // of each frame, nil where it stays
}

func scriptOf(t *testing.T, file string) *script {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		require.NoError(t, err)
		data, err = io.ReadAll(z)
		require.NoError(t, err)
	}
	s := &script{}
	s.Recording, err = replay.Read(data)
	require.NoError(t, err)
	var raw struct {
		Workflow map[string]any
		Frames   []struct{ Spec json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(data, &raw))
	delete(raw.Workflow, "status")
	raw.Workflow["metadata"].(map[string]any)["resourceVersion"] = "1"
	s.object, err = json.Marshal(raw.Workflow)
	require.NoError(t, err)
	for _, f := range raw.Frames {
		s.specs = append(s.specs, f.Spec)
	}
	return s
}

// did reports whether something of this name was done before frame k.
func (s *script) did(k int, verb string) bool {
	return slices.ContainsFunc(s.Frames[k].Events, func(text string) bool { return strings.HasPrefix(text, verb) })
}

// respecified returns the specification that users have written before frame k, nil if they have not.
func (s *script) respecified(k int) json.RawMessage {
	if spec := s.specs[k]; k > 0 && len(spec) > 0 && string(spec) != "null" {
		return spec
	}
	return nil
}

// resumed are the Suspend nodes that users let go on before frame k.
func (s *script) resumed(k int, e *propagate.Engine) []propagate.Event {
	var events []propagate.Event
	for _, text := range s.Frames[k].Events {
		verb, what, _ := strings.Cut(text, " ")
		_, display, selected := strings.Cut(what, "displayName=")
		for i := nodegraph.Entry; verb == "resume" && int(i) < e.Graph().Len(); i++ {
			phase, _ := e.Phase(i)
			if e.Exists(i) && e.Kind(i) == nodegraph.KindSuspend && phase == nodegraph.PhaseRunning && (!selected || e.Graph().DisplayName(i) == display) {
				events = append(events, propagate.Resumed(e.Graph().Node(i).ID()))
			}
		}
	}
	return events
}

// semaphores are the limits of those that recordings use, by the last part of their keys.
func semaphores(key string) (int, error) {
	return map[string]int{"one": 1, "two": 2, "three": 3}[key[strings.LastIndexByte(key, '/')+1:]], nil
}

// noCache answers that nothing is in any cache.
func noCache(_ *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (propagate.Event, error) {
	if a.Type == propagate.ActionLookup {
		return propagate.Memoized(a.ID, false), nil
	}
	return propagate.Event{}, nil
}

// A stateless host keeps nothing but the object.
type stateless struct {
	reconcile.Reconciler
	object []byte
	last   *reconcile.Outcome
}

func newStateless(t *testing.T, s *script) *stateless {
	h := &stateless{Reconciler: reconcile.Reconciler{Answer: noCache, Limit: semaphores}, object: s.object}
	require.NoError(t, h.Adopt(s.object))
	return h
}

// mostCalls is how often a workflow may ask to be called again at once.
const mostCalls = 20

// play reconciles with frame k until nothing more follows, and returns what it was asked to do.
func (h *stateless) play(t *testing.T, s *script, k int) (all []propagate.Action) {
	f := &s.Frames[k]
	if spec := s.respecified(k); spec != nil {
		h.object = withSpec(t, h.object, spec)
	}
	var events []propagate.Event
	if h.last != nil {
		events = s.resumed(k, h.last.Engine)
	}
	for range mostCalls {
		out, err := h.Reconcile(f.Now, h.object, f.Pods, events...)
		require.NoError(t, err)
		require.NoError(t, out.Engine.Check())
		h.object, h.last, events = patched(t, h.object, out.Patch), out, nil
		all = append(all, out.Actions...)
		again := !out.Wake.IsZero() && !out.Wake.After(f.Now) || slices.Contains(out.Others, out.Workflow)
		for k := range out.Actions {
			if a := &out.Actions[k]; a.Type == propagate.ActionRelease {
				again = slices.Contains(h.Release(out.Workflow, a), out.Workflow) || again
			}
		}
		if !again {
			return all
		}
	}
	t.Fatalf("at %v it asks to be called again for ever", f.Now)
	return nil
}

// withSpec is an object with another specification, which a user has written into it.
func withSpec(t *testing.T, object []byte, spec json.RawMessage) []byte {
	var o map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(object, &o))
	o["spec"] = spec
	text, err := json.Marshal(o)
	require.NoError(t, err)
	return text
}

// patched applies a patch as the API server does: it is refused if the object has another version, and the object gets a new
// one.
func patched(t *testing.T, object, patch []byte) []byte {
	if patch == nil {
		return object
	}
	var is, to map[string]any
	require.NoError(t, json.Unmarshal(object, &is))
	require.NoError(t, json.Unmarshal(patch, &to))
	version := is["metadata"].(map[string]any)["resourceVersion"]
	require.Equal(t, version, to["metadata"].(map[string]any)["resourceVersion"], "the patch is refused: somebody else has written")
	merged := mergePatch(is, to).(map[string]any)
	merged["metadata"].(map[string]any)["resourceVersion"] = fmt.Sprint(version, "+")
	text, err := json.Marshal(merged)
	require.NoError(t, err)
	return text
}

// mergePatch applies a JSON merge patch (RFC 7386).
func mergePatch(to, patch any) any {
	p, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	merged := make(map[string]any)
	if old, ok := to.(map[string]any); ok {
		for key, value := range old {
			merged[key] = value
		}
	}
	for key, value := range p {
		if value == nil {
			delete(merged, key)
		} else {
			merged[key] = mergePatch(merged[key], value)
		}
	}
	return merged
}
