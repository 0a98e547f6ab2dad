//go:build !unix

package main

import "time"

var start = time.Now()

// cpuTime is the time since the process began, where nobody says how much of the processor it has used.
func cpuTime() time.Duration { return time.Since(start) }
