package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/nodestatus/nodestatus/propagate/replay"
)

func TestPatterns(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/recordings/*/*")
	for _, mode := range []replay.Mode{replay.Step, replay.Free} {
		count := map[string]int{}
		ex := map[string]string{}
		for _, f := range files {
			data, _ := os.ReadFile(f)
			r, _ := replay.Read(data)
			v, _ := replay.Judge(&replay.Player{Recording: r, Mode: mode})
			for _, d := range v.Differences {
				k := fmt.Sprintf("dev%d ahead=%v %v %v %.25q -> %v %v %.25q", d.Deviation, d.Ahead, d.Want.Kind, d.Want.Phase, d.Want.Message, d.Got.Kind, d.Got.Phase, d.Got.Message)
				count[k]++
				if ex[k] == "" {
					ex[k] = d.Recording + " " + fmt.Sprint(d.Frame) + " " + d.Name
				}
			}
		}
		var keys []string
		for k := range count {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			t.Logf("%v %5d %s   [%s]", mode, count[k], k, ex[k])
		}
	}
}
