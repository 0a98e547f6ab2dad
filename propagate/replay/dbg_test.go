package replay_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

func TestDbg(t *testing.T) {
	args := strings.Split(os.Getenv("DBG"), ",")
	if len(args) < 3 {
		t.Skip()
	}
	data, err := os.ReadFile("../../testdata/recordings/" + args[0])
	require.NoError(t, err)
	r, err := replay.Read(data)
	require.NoError(t, err)
	mode := replay.Step
	if args[1] == "free" {
		mode = replay.Free
	}
	frame, _ := strconv.Atoi(args[2])
	p := &replay.Player{Recording: r, Mode: mode}
	err = p.Play(func(m *replay.Moment) error {
		if m.Frame != frame {
			return nil
		}
		for _, c := range m.Result.Changes {
			t.Log("change", c.String(), c.Rule)
		}
		for _, a := range m.Result.Actions {
			t.Log("action", a.String())
		}
		for _, a := range m.Engine.Obligations() {
			t.Log("owes", a.String())
		}
		for i := range nodegraph.Index(m.Engine.Graph().Len()) {
			v, f := m.Engine.Verdict(i), m.Engine.Fact(i)
			t.Logf("%-40s %s %v ful=%v by=%d | stage=%v lock=%v created=%v", m.Engine.Graph().Node(i).Name, v.Phase, v.Rule, v.Fulfilled, v.By, f.Stage, f.Lock, f.Created.Format("05"))
		}
		return nil
	})
	require.NoError(t, err)
}
