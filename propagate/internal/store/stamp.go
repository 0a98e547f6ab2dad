package store

import "time"

// A Stamp is a time in nanoseconds since 1970, 0 for none.
type Stamp int64

const (
	endOfTime  Stamp = 1<<63 - 1
	maxSeconds       = int64(endOfTime) / int64(time.Second) // that fit into a Stamp
)

// StampOf is a time as a Stamp. What lies before 1970 or after the end of the range becomes the nearest Stamp.
func StampOf(t time.Time) Stamp {
	switch seconds := t.Unix(); {
	case seconds >= maxSeconds:
		return endOfTime
	case seconds >= 0:
		return Stamp(max(seconds*int64(time.Second)+int64(t.Nanosecond()), 1))
	case t.IsZero():
		return 0
	}
	return 1
}

// Plus is the Stamp so much later, or the end of the range.
func (s Stamp) Plus(d time.Duration) Stamp {
	if later := s + Stamp(d); later >= s || d < 0 {
		return later
	}
	return endOfTime
}

// Time is the Stamp as a time in UTC, zero for none.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}
