package draw

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// luminance is the relative luminance of a colour, as WCAG 2 defines it.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for k, share := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*k:3+2*k], 16, 8)
		require.NoError(t, err)
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += share * v
	}
	return sum
}

// contrast is the contrast ratio of two colours.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Marks, and the names of what is on the chain, can be read on the fill of each phase, by day and by night.
func TestColoursStandOut(t *testing.T) {
	const least = 4.5 // WCAG 2, level AA
	for phase, c := range colours {
		name := nodegraph.Phase(phase).String()
		assert.GreaterOrEqual(t, contrast(t, c.line, c.fill), least, "the mark of %s", name)
		assert.GreaterOrEqual(t, contrast(t, c.darkLine, c.darkFill), least, "the mark of %s by night", name)
		assert.GreaterOrEqual(t, contrast(t, highlight, c.fill), least, "the chain on %s", name)
		assert.GreaterOrEqual(t, contrast(t, darkHighlight, c.darkFill), least, "the chain on %s by night", name)
	}
}
