package retry

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"
)

// backoff decides by time, if the node is done or waits. Otherwise the next attempt may start. Where nobody knows when the
// last attempt ended, its backoff has long passed (Argo: getLatestFinishedAt is zero).
func (s *Strategy) backoff(d *Decision, attempts []Attempt, counted int, env Environment) (decided bool) {
	last := &attempts[len(attempts)-1]
	var deadline time.Time
	if s.Backoff.MaxDuration > 0 {
		deadline = attempts[0].Started.Add(s.Backoff.MaxDuration)
	}
	wait := s.Backoff.wait(max(counted, 1), len(attempts), env.Key)
	until := last.Finished.Add(wait)
	if message := pastMax(deadline, env.seen(last), until); message != "" {
		*d = d.stop(CheckMaxDuration, last, message)
		return true
	}
	if s.Limit == nil || counted <= *s.Limit {
		d.Until = until
	}
	if env.Now.Before(d.Until) {
		d.Verb, d.Check, d.Backoff, d.Remaining = Wait, CheckBackoff, wait, d.Until.Sub(env.Now)
		d.Message = "Backoff for " + HumanDuration(wait)
		return true
	}
	d.ExecutionDeadline = deadline
	return false
}

// pastMax says how the maximal duration is passed: when the end of the attempt was seen, or by the backoff after it.
func pastMax(deadline, seen, until time.Time) string {
	switch {
	case deadline.IsZero():
	case seen.After(deadline):
		return maxExceeded
	case until.After(deadline):
		return "Backoff would exceed max duration limit"
	}
	return ""
}

const maxExceeded = "Max duration limit exceeded"

// wait is duration * factor^(counted-1), no more than the cap, with jitter. It does not overflow.
func (b *Backoff) wait(counted, attempt int, key string) time.Duration {
	wait := float64(b.Duration)
	if b.Factor > 0 {
		wait *= math.Pow(float64(b.Factor), float64(counted-1))
	}
	if b.Cap > 0 {
		wait = min(wait, float64(b.Cap))
	}
	if b.Jitter > 0 {
		wait += wait * b.Jitter * fraction(key, attempt)
	}
	if wait >= math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return time.Duration(wait)
}

// fraction is a number in [0,1) that depends on nothing but the node and the attempt.
func fraction(key string, attempt int) float64 {
	h := fnv.New64a()
	h.Write([]byte(key))
	h.Write([]byte(strconv.Itoa(attempt)))
	x := h.Sum64()
	x ^= x >> 30 // FNV alone leaves the high bits of short keys alike
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}
