package draw

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A bar is a time in the life of a node, in seconds since the first of all.
type bar struct {
	From, To int64
	Class    string // of the phase; wait for one in which it waited; backoff for the time between two attempts
	What     string
}

// waiting are the needs that a bar shows as a wait: the node itself does nothing.
var waiting = []string{"start", "timer", "lock", "resume", "condition", "items", "cache", "parallelism", "suspended"}

// epoch is the first time that anything has.
func (s *show) epoch() time.Time {
	var first time.Time
	for _, looks := range s.looks {
		for i := range looks {
			if t := looks[i].started; !t.IsZero() && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
	}
	if first.IsZero() {
		return s.times[0]
	}
	return first
}

// bars are the times of box i: as long as it was pending, in each frame what it waited for; then the time until it ended, or
// until the last frame, in the colour of its last phase. What has not begun has none.
func (s *show) bars(i int, epoch time.Time) []bar {
	if i == 0 {
		return nil
	}
	var list []bar
	at := time.Time{}
	for frame := range s.looks {
		l := &s.looks[frame][i]
		if l.started.IsZero() || l.undated() && len(list) > 0 && s.looks[frame-1][i].undated() {
			continue
		}
		if at.IsZero() {
			at = l.started
		}
		until, shown := s.times[frame], l
		switch {
		case !l.ended.IsZero():
			until = l.ended
		case l.undated() && frame == 0:
			until = at // nobody knows how long it took
		}
		if frame > 0 && l.ended.IsZero() && s.looks[frame-1][i].phase == nodegraph.PhasePending {
			shown = &s.looks[frame-1][i] // that is how it was until now
		}
		if until.Before(at) {
			until = at // it ended in the second in which it was seen before
		}
		class, what := s.barOf(i, shown)
		if n := len(list) - 1; n >= 0 && list[n].Class == class && list[n].What == what {
			list[n].To = until.Unix() - epoch.Unix()
		} else {
			list = append(list, bar{at.Unix() - epoch.Unix(), until.Unix() - epoch.Unix(), class, what})
		}
		at = until
	}
	if len(list) > 1 { // what took no time is seen only where there is nothing else
		last := list[len(list)-1]
		list = slices.DeleteFunc(list, func(b bar) bool { return b.From == b.To })
		if len(list) == 0 {
			list = []bar{last}
		}
	}
	return append(list, s.backoffs(i, epoch)...)
}

// undated reports whether a node has ended and nobody knows when.
func (l *look) undated() bool { return l.phase.Completed() && l.ended.IsZero() }

// barOf is how a time of box i is shown in which it looked like that.
func (s *show) barOf(i int, l *look) (class, what string) {
	if slices.Contains(waiting, l.needs) && l.kind != nodegraph.KindRetry { // the backoff of a Retry has bars of its own
		return "wait", "waits for " + l.needs
	}
	if last := &s.looks[len(s.looks)-1][i]; l.phase != nodegraph.PhasePending && !last.absent {
		l = last
	}
	return colours[l.phase].class, phaseName(l.phase)
}

// backoffs are the times between the attempts of a Retry, and from the last of them until its next is due.
func (s *show) backoffs(i int, epoch time.Time) []bar {
	looks := s.looks[len(s.looks)-1]
	if looks[i].kind != nodegraph.KindRetry {
		return nil
	}
	var list []bar
	var before time.Time
	for m := i + 1; m < len(s.scene); m++ {
		l := &looks[m]
		if s.scene[m].parent != i || l.started.IsZero() {
			continue
		}
		if !before.IsZero() && l.started.After(before) {
			list = append(list, bar{before.Unix() - epoch.Unix(), l.started.Unix() - epoch.Unix(), "backoff", "until the next attempt"})
		}
		before = l.ended
	}
	if until := looks[i].until; !before.IsZero() && until.After(before) {
		list = append(list, bar{before.Unix() - epoch.Unix(), until.Unix() - epoch.Unix(), "backoff", "until the next attempt is due"})
	}
	return list
}
