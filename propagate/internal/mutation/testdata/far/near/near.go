// Package near has no tests of its own.
package near

// Half is half of a number.
func Half(n int) int { return n / 2 }
