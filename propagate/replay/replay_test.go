package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// The ContainerSet recordings are the case that the library exists for: 19 on each of two controllers. Step by step every
// phase and message is the recorded one but for the deviations, and every node that is new was asked for.
func TestContainerSetRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings, "argo-*/containerset*"))
	require.NoError(t, err)
	require.Len(t, files, 38)
	each(t, "argo-*/containerset*", func(t *testing.T, file string) {
		r := read(t, file)
		v := judge(t, file, replay.Step)
		require.NoError(t, v.err)
		require.NoError(t, v.broken)
		assert.Equal(t, v.Nodes, v.Equal+v.Count(func(d *replay.Difference) bool { return d.Deviation > 0 || d.Ahead }), "states equal or explained")
		assert.Empty(t, v.Defects())
		known := make(map[string]bool)
		player := &replay.Player{Recording: r, Mode: replay.Step}
		require.NoError(t, player.Play(func(m *replay.Moment) error {
			asked := make(map[string]bool)
			for _, a := range m.Result.Actions {
				if a.Type == propagate.ActionStart || a.Type == propagate.ActionWait {
					asked[a.ID+" "+a.Name+" "+a.Kind.String()] = true
				}
			}
			g := m.Engine.Graph()
			for _, n := range r.Frames[m.Frame].Recorded.Nodes {
				i := g.Find(n.ID)
				if known[n.ID] || i == nodegraph.None || !m.Engine.Exists(i) || n.Phase == nodegraph.PhaseOmitted || n.Kind == nodegraph.KindSkipped {
					continue
				}
				if n.Kind == nodegraph.KindContainer { // comes with its pod
					i = g.Node(i).Parent
				}
				node := g.Node(i)
				assert.True(t, asked[node.ID()+" "+node.Name()+" "+node.Kind.String()], "frame %d: %s %s is new and was not asked for", m.Frame, n.Kind, n.Name)
			}
			for _, n := range r.Frames[m.Frame].Recorded.Nodes {
				known[n.ID] = true
			}
			return nil
		}))
	})
}

// Every deviation of the scripted recordings occurs exactly where the committed list says.
func TestDeviationsOccurWhereListed(t *testing.T) {
	for _, folder := range []string{"argo-3.6.2", "argo-4.1"} {
		files, err := filepath.Glob(filepath.Join(recordings, folder, "*"))
		require.NoError(t, err)
		var b strings.Builder
		for _, file := range files {
			v := judge(t, file, replay.Step)
			require.NoError(t, v.err)
			for k := range v.Differences {
				fmt.Fprintln(&b, v.Differences[k].String())
			}
		}
		list := filepath.Join("testdata", "deviations-"+folder+".txt")
		if *rewrite {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(list, []byte(b.String()), 0o644))
		}
		want, err := os.ReadFile(list)
		require.NoError(t, err)
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
			t.Errorf("%s (-listed +found):\n%s", folder, diff)
		}
	}
}

// No recording hangs: run freely, each workflow completes, or waits for pods that the recording never ran, for the places
// that these keep, or for somebody to resume it.
func TestNoRecordingHangs(t *testing.T) {
	each(t, scripted, func(t *testing.T, file string) {
		r := read(t, file)
		v := judge(t, file, replay.Free)
		require.NoError(t, v.err)
		last := &r.Frames[len(r.Frames)-1]
		for _, o := range v.Waiting {
			switch o.For {
			case propagate.WaitStart:
				for _, p := range last.Pods {
					assert.NotEqual(t, nodegraph.NodeID(r.Frames[0].Recorded.Nodes[0].Name, o.Name), p.Node, "%s waits for a pod that exists", o.Name)
				}
			case propagate.WaitResume:
			case propagate.WaitParallelism:
				owed := slices.ContainsFunc(v.Waiting, func(o propagate.Obligation) bool { return o.For == propagate.WaitStart })
				assert.True(t, owed, "%s waits for parallelism, and no pod is still to be made", o.Name)
			default:
				t.Errorf("%s waits for %s, and nothing runs", o.Name, o.For)
			}
		}
	})
}

// I7: an engine that is saved and loaded, or stored in Argo's terms and restored, goes on as if nothing had happened.
func TestRestartAfterEveryFrame(t *testing.T) {
	each(t, scripted, func(t *testing.T, file string) {
		r := read(t, file)
		spec, err := r.Spec()
		require.NoError(t, err)
		p := &replay.Player{Recording: r, Mode: replay.Free}
		err = p.Play(func(m *replay.Moment) error {
			want := picture(m.Engine)
			loaded, unknown, err := propagate.FromState(spec, m.Engine.Save())
			require.NoError(t, err)
			assert.Empty(t, unknown)
			require.NoError(t, loaded.Check())
			if diff := cmp.Diff(want, picture(loaded)); diff != "" {
				return fmt.Errorf("frame %d, saved and loaded (-before +after):\n%s", m.Frame, diff)
			}
			restored, unknown, err := propagate.FromSnapshot(spec, m.Engine.Snapshot())
			require.NoError(t, err)
			assert.Empty(t, unknown)
			require.NoError(t, restored.Check())
			if diff := cmp.Diff(withoutStarts(want), withoutStarts(picture(restored))); diff != "" {
				return fmt.Errorf("frame %d, stored and restored (-before +after):\n%s", m.Frame, diff)
			}
			return nil
		})
		require.NoError(t, err)
	})
}

// withoutStarts leaves out whether the host still owes a pod: a record in Argo's terms does not tell whether the pod of
// a Pending node was made. The next list of pods does.
func withoutStarts(p map[string]string) map[string]string {
	for name, waits := range p {
		p[name] = strings.ReplaceAll(waits, "start ", "pod ")
	}
	return p
}

// picture is all that a host can see of an engine, by name.
func picture(e *propagate.Engine) map[string]string {
	p := make(map[string]string)
	phase, message := e.Workflow()
	p["workflow"] = fmt.Sprintf("%s %q", phase, message)
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		if e.Exists(i) {
			v := e.Verdict(i)
			p[e.Graph().Node(i).Name()] = fmt.Sprintf("%s %s %q fulfilled=%v daemoned=%v", e.Kind(i), v.Phase, v.Message, v.Fulfilled, v.Daemoned)
		}
	}
	for _, o := range e.Obligations() {
		p[o.Name+" waits"] += o.For.String() + " "
	}
	return p
}
