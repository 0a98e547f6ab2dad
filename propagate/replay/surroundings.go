package replay

import (
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// surroundings answer for what was around the controller while it was recorded: caches, and the values of variables
// that only it knew. They read off the record what the controller was told, never what it concluded.
type surroundings struct {
	recording *Recording
	frame     int // the one that is being played
}

// answer is the Answer of a Host.
func (s *surroundings) answer(a *propagate.Action) []propagate.Event {
	switch a.Type {
	case propagate.ActionAcquire:
		return s.refused(a)
	case propagate.ActionResolve:
		return s.resolved(a)
	case propagate.ActionExpand:
		return s.expanded(a)
	case propagate.ActionLookup:
		return []propagate.Event{propagate.Memoized(a.ID, s.cached(a))}
	}
	return nil
}

// seen returns how the record shows the node first from the frame on that is being played; nil if it never does.
func (s *surroundings) seen(id string) *nodegraph.NodeStatus {
	for k := s.frame; k < len(s.recording.Frames); k++ {
		if r := s.recording.Frames[k].node(id); r != nil {
			return r
		}
	}
	return nil
}

// unreadable is what the controller says of a semaphore whose limit it can't read.
const unreadable = "failed to initialize semaphore "

// refused says of locks that they can't be had: the record shows the node, or the workflow, as ended by that.
func (s *surroundings) refused(a *propagate.Action) []propagate.Event {
	f := &s.recording.Frames[s.frame]
	phase, message := f.Recorded.Phase, f.Recorded.Message
	if a.ID != "" {
		r := f.node(a.ID)
		if r == nil {
			return nil
		}
		phase, message = r.Phase, r.Message
	}
	if !phase.Unsuccessful() || !strings.Contains(message, unreadable) {
		return nil
	}
	return []propagate.Event{propagate.Unanswerable(a.ID, message)}
}

// resolved answers a when: the record shows the node as skipped, with the condition as it was evaluated, or as begun.
func (s *surroundings) resolved(a *propagate.Action) []propagate.Event {
	switch r := s.seen(a.ID); {
	case r == nil || r.Phase == nodegraph.PhaseOmitted:
		return nil
	case r.Kind == nodegraph.KindSkipped && r.Phase == nodegraph.PhaseError:
		return []propagate.Event{propagate.Unanswerable(a.ID, r.Message)}
	case r.Phase == nodegraph.PhaseSkipped:
		when := strings.TrimSuffix(strings.TrimPrefix(r.Message, "when '"), "' evaluated false")
		return []propagate.Event{propagate.Resolved(a.ID, false, when)}
	}
	return []propagate.Event{propagate.Resolved(a.ID, true, "")}
}

// expanded answers a loop: its items stand in the names of their nodes. A loop without items is skipped.
func (s *surroundings) expanded(a *propagate.Action) []propagate.Event {
	r := s.seen(a.ID)
	if r != nil && r.Kind == nodegraph.KindSkipped && r.Phase == nodegraph.PhaseError {
		return []propagate.Event{propagate.Unanswerable(a.ID, r.Message)}
	}
	items := s.items(a.Name)
	if len(items) == 0 && (r == nil || r.Phase != nodegraph.PhaseSkipped) {
		return nil
	}
	return []propagate.Event{propagate.Expanded(a.ID, items...)}
}

// items reads the items of a loop off the names of its nodes, loop(0:text), in all frames: a limit of parallelism may
// have begun some of them late. There are none if one between others is missing.
func (s *surroundings) items(loop string) []nodegraph.Item {
	texts := make(map[int]string)
	for k := s.frame; k < len(s.recording.Frames); k++ {
		nodes := s.recording.Frames[k].Recorded.Nodes
		for n := range nodes {
			if number, text, ok := itemOf(nodes[n].Name, loop); ok {
				texts[number] = text
			}
		}
	}
	items := make([]nodegraph.Item, len(texts))
	for number, text := range texts {
		if number >= len(items) {
			return nil
		}
		items[number] = nodegraph.Item{Text: text}
	}
	return items
}

// itemOf returns the number and the text of the item of a loop that has this name.
func itemOf(name, loop string) (int, string, bool) {
	rest, ok := strings.CutPrefix(name, loop+"(")
	digits, text, item := strings.Cut(rest, ":")
	number, err := strconv.Atoi(digits)
	text, last := strings.CutSuffix(text, ")")
	return number, text, ok && item && err == nil && number >= 0 && last && !strings.Contains(text, ")")
}

// cached tells whether the cache had the key: the controller recorded a hit.
func (s *surroundings) cached(a *propagate.Action) bool {
	r := s.seen(a.ID)
	return r != nil && r.CacheHit
}
