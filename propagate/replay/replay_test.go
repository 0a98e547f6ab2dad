package replay_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

func TestScratch(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/recordings/*/*")
	for _, mode := range []replay.Mode{replay.Step, replay.Free} {
		total := map[string]int{}
		for _, f := range files {
			data, err := os.ReadFile(f)
			require.NoError(t, err)
			r, err := replay.Read(data)
			require.NoError(t, err, f)
			v, err := replay.Judge(&replay.Player{Recording: r, Mode: mode, After: (*propagate.Engine).Check})
			if err != nil {
				t.Log(f, err)
			}
			total["nodes"] += v.Nodes
			total["equal"] += v.Equal
			n := 0
			for _, d := range v.Differences {
				switch {
				case d.Defect():
					total["defects"]++
					if n < 3 {
						t.Log(mode, filepath.Base(filepath.Dir(f)), d.String())
					}
					n++
				case d.Ahead:
					total["ahead"]++
				default:
					total["dev"+string(rune('0'+d.Deviation))]++
				}
			}
			if n > 0 {
				total["files"]++
			}
		}
		t.Log(mode, total)
	}
}
