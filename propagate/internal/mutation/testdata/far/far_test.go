package far

import (
	"testing"

	"github.com/nodestatus/nodestatus/propagate/internal/mutation/testdata/far/near"
)

func TestHalf(t *testing.T) {
	if near.Half(4) != 2 {
		t.Error("4 is not 2 and 2")
	}
}
