//go:build !linux && !darwin

package main

import "os"

// terminalColumns does not know how wide a terminal is: COLUMNS says it.
func terminalColumns(*os.File) int { return 0 }
