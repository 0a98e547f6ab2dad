//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that the process has used, that of the garbage collector included.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // of the process itself: can't fail
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
