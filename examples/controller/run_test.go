package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is due first is done first, and that does not make the other be forgotten.
func TestNextLook(t *testing.T) {
	w := describedRun(t, "dag(a)")
	now := time.Now()
	require.Zero(t, w.next(now), "nothing is due")
	w.timer = now.Add(time.Hour)
	require.Equal(t, time.Hour, w.next(now))
	w.lookAgain(now.Add(time.Minute))
	w.lookAgain(now.Add(2 * time.Minute))
	require.Equal(t, time.Minute, w.next(now))
	w.recheck = time.Time{}
	require.Equal(t, time.Hour, w.next(now), "the timer is still there")
	require.Equal(t, time.Millisecond, w.next(now.Add(2*time.Hour)), "what is overdue is due now")
}
