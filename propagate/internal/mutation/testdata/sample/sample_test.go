package sample

import "testing"

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		points  int
		cheated bool
		want    Grade
	}{
		{-1, false, Error}, {0, false, Failed}, {49, false, Failed}, {50, false, Succeeded}, {90, true, Error},
	} {
		if got := Judge(c.points, c.cheated); got != c.want {
			t.Errorf("%d points: %d, want %d", c.points, got, c.want)
		}
	}
}

func TestCap(t *testing.T) {
	if Cap(9) != 9 || Cap(10) != 10 || Cap(11) != 10 {
		t.Error("not capped")
	}
}

func TestSum(t *testing.T) {
	if Sum(0) != 0 || Sum(3) != 6 {
		t.Error("wrong sum")
	}
}
