// Package sample is code for the mutation program to break.
package sample

// Grade is a named constant's type.
type Grade uint8

// The grades.
const (
	Failed Grade = iota
	Error
	Succeeded
)

// Judge has tests that notice most mutants.
func Judge(points int, cheated bool) Grade {
	if cheated || points < 0 {
		return Error
	}
	if points >= 50 {
		return Succeeded
	}
	return Failed
}

// Cap never shows whether a value at the limit is replaced by the limit.
func Cap(n int) int {
	if n > 10 {
		n = 10
	}
	return n
}

// Sum can be made to run for ever.
func Sum(n int) int {
	sum := 0
	for n > 0 {
		sum += n
		n--
	}
	return sum
}

// Untested is called by no test.
func Untested(a, b bool) string {
	switch {
	case a && b:
		a = false
		return "both"
	case a:
		return "one"
	}
	return ""
}
