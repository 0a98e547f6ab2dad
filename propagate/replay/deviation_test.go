package replay_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// Each numbered deviation, at the recording and the frame that testdata/DEVIATIONS.md shows it with: what Argo's
// controller left there, and what the library computes from the same observations. A library that did what Argo does
// fails here, although a comparison with the recordings would then find nothing.

// A sight is one node in one frame, as State.String shows it on both sides.
type sight struct {
	frame     int
	node      string // its name; empty for the workflow
	argo      string
	library   string
	deviation int // the number the judge gives the difference; 0 where there is none
}

// played is a recording beside what the library makes of it.
type played struct {
	*replay.Recording
	mode     replay.Mode
	library  []map[string]replay.State // by frame and name of the node; the workflow has the empty name
	results  []propagate.Result        // by frame
	verdict  *replay.Verdict
	complete bool // in the library, after the last frame
}

// play plays a recording, named by its path under testdata/recordings. The invariants are checked after every call.
func play(t testing.TB, file string, mode replay.Mode) *played {
	t.Helper()
	p := playRecording(t, read(t, filepath.Join(recordings, file)), mode, checked(t, file))
	v := judge(t, filepath.Join(recordings, file), mode)
	require.NoError(t, v.err)
	p.verdict = v.Verdict
	return p
}

// playRecording plays a recording, but does not judge it.
func playRecording(t testing.TB, r *replay.Recording, mode replay.Mode, after func(*propagate.Engine) error) *played {
	t.Helper()
	p := &played{Recording: r, mode: mode}
	player := &replay.Player{Recording: r, Mode: mode, After: after}
	require.NoError(t, player.Play(func(m *replay.Moment) error {
		states := make(map[string]replay.State)
		for _, s := range m.States() {
			states[s.Name] = s
		}
		p.library = append(p.library, states)
		p.results = append(p.results, m.Result)
		p.complete = m.Engine.Complete()
		return nil
	}))
	return p
}

// checked checks the invariants, but in a recording that is listed because one does not hold.
func checked(t testing.TB, file string) func(*propagate.Engine) error {
	t.Helper()
	for _, c := range listed(t) {
		if c.Recording == replay.RecordingPath(file) && c.Node == "invariant" {
			return nil
		}
	}
	return (*propagate.Engine).Check
}

// argo is what the controller recorded of a node in a frame, the zero State where it has none.
func (p *played) argo(frame int, node string) replay.State {
	recorded := &p.Frames[frame].Recorded
	if node == "" {
		return replay.State{Phase: recorded.Phase, Message: recorded.Message}
	}
	for _, n := range recorded.Nodes {
		if n.Name == node {
			return replay.State{Name: n.Name, Kind: n.Kind, Phase: n.Phase, Message: n.Message}
		}
	}
	return replay.State{}
}

// number is the number that the judge gave the difference at this place, 0 if there is none.
func (p *played) number(frame int, node string) int {
	for _, d := range p.verdict.Differences {
		if d.Frame == frame && (d.Name == node && d.ID != "" || d.ID == "" && node == "") {
			return d.Deviation
		}
	}
	return 0
}

// shows asserts the sights.
func (p *played) shows(t *testing.T, sights ...sight) {
	t.Helper()
	for _, s := range sights {
		at := fmt.Sprintf("%s, mode %s, frame %d, node %q", p.Name, p.mode, s.frame, s.node)
		assert.Equal(t, s.argo, p.argo(s.frame, s.node).String(), "recorded: %s", at)
		assert.Equal(t, s.library, p.library[s.frame][s.node].String(), "computed: %s", at)
		assert.Equal(t, s.deviation, p.number(s.frame, s.node), "number of the deviation: %s", at)
	}
}

// inBothModes plays a recording from each recorded frame, and freely from the first.
func inBothModes(t *testing.T, file string, test func(t *testing.T, p *played)) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) { test(t, play(t, file, mode)) })
	}
}

// last is the number of the last frame.
func (p *played) last() int { return len(p.Frames) - 1 }

// A container that has ended keeps its result when its pod is deleted afterwards, whatever the result was.
func TestDeviation1EndedContainerIsOverwritten(t *testing.T) {
	inBothModes(t, "argo-4.1/containerset-chain-first-done-then-deleted.json", func(t *testing.T, p *played) {
		p.shows(t,
			sight{2, "chain.build.a", `Container Succeeded`, `Container Succeeded`, 0},
			sight{3, "chain.build.a", `Container Error "container deleted"`, `Container Succeeded`, 1},
			sight{3, "chain.build.b", `Container Error "container deleted"`, `Container Error "container deleted"`, 0},
			sight{3, "chain.build.main", `Container Error "container deleted"`, `Container Error "container deleted"`, 0},
			sight{3, "chain.build", `Pod Error "pod deleted"`, `Pod Error "pod deleted"`, 0},
		)
	})
	inBothModes(t, "random/containerset-all-done-then-deleted-retried-seed1.json.gz", func(t *testing.T, p *played) {
		p.shows(t, sight{
			5, "late-retry.build(1).a", `Container Error "container deleted"`,
			`Container Failed "a: OOMKilled (exit code 137): "`, 1,
		})
	})
}

// A pod that ends without container statuses ends its containers all the same, so the DAG above settles.
func TestDeviation2EvictedPodLeavesContainersOpen(t *testing.T) {
	const failed = `Container Failed "Pod Failed whilst container running"`
	const evicted = `Pod Failed "The node was low on resource: memory."`
	inBothModes(t, "argo-4.1/containerset-evicted-mid-run.json", func(t *testing.T, p *played) {
		p.shows(t,
			sight{3, "evicted.build", evicted, evicted, 0},
			sight{3, "evicted.build.a", `Container Succeeded`, `Container Succeeded`, 0},
			sight{3, "evicted.build.main", `Container Running`, failed, 2},
			sight{3, "evicted", `DAG Running`, `DAG Failed`, 2},
			sight{3, "", `Running`, `Failed`, 2},
			sight{p.last(), "", `Running`, `Failed`, 2},
		)
		require.True(t, p.complete)
		require.Empty(t, p.verdict.Waiting)
	})
	inBothModes(t, "argo-4.1/containerset-evicted-before-start.json", func(t *testing.T, p *played) {
		p.shows(t,
			sight{1, "evicted-early.build.a", `Container Pending`, failed, 2},
			sight{1, "evicted-early.build.main", `Container Pending`, failed, 2},
			sight{p.last(), "evicted-early", `DAG Running`, `DAG Failed`, 2},
		)
	})
}

// Every container of a deleted pod ends, also one that comes after another; the workflow completes and gives its mutex
// back. Argo fixed its part after v3.6.2.
func TestDeviation3LaterContainersAreLeftOpen(t *testing.T) {
	const file, mutex = "argo-3.6.2/containerset-pod-deleted-retry.json", "default/Mutex/warehouse"
	const deleted = `Container Error "container deleted"`
	inBothModes(t, file, func(t *testing.T, p *played) {
		p.shows(t,
			sight{2, "nightly-ingest.extract(0).fetch", deleted, deleted, 0},
			sight{2, "nightly-ingest.extract(0).main", `Container Running`, deleted, 3},
			sight{6, "nightly-ingest.extract", `Retry Succeeded`, `Retry Succeeded`, 0},
			sight{8, "nightly-ingest", `DAG Running`, `DAG Succeeded`, 3},
			sight{8, "", `Running`, `Succeeded`, 3},
			sight{p.last(), "", `Running`, `Succeeded`, 3},
		)
		var released []string
		for _, a := range p.results[8].Actions {
			if a.Type == propagate.ActionRelease {
				for _, l := range a.Locks {
					released = append(released, l.Key)
				}
			}
		}
		require.Equal(t, []string{mutex}, released, "the library gives the mutex back as the workflow completes")
	})
	require.Equal(t, []string{mutex}, mutexesHeldAtTheEnd(t, file), "the controller still holds it after the last frame")
	inBothModes(t, "argo-4.1/containerset-pod-deleted-retry.json", func(t *testing.T, p *played) {
		p.shows(t, sight{2, "nightly-ingest.extract(0).main", deleted, deleted, 0})
	})
}

// mutexesHeldAtTheEnd lists the mutexes that the recorded status says the workflow holds.
func mutexesHeldAtTheEnd(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recordings, file))
	require.NoError(t, err)
	var r struct {
		Frames []struct {
			Status struct {
				Synchronization struct {
					Mutex struct {
						Holding []struct {
							Mutex string `json:"mutex"`
						} `json:"holding"`
					} `json:"mutex"`
				} `json:"synchronization"`
			} `json:"status"`
		} `json:"frames"`
	}
	require.NoError(t, json.Unmarshal(data, &r))
	var list []string
	for _, h := range r.Frames[len(r.Frames)-1].Status.Synchronization.Mutex.Holding {
		list = append(list, h.Mutex)
	}
	return list
}

// A daemon whose pod was deleted stays in Error when its boundary ends: there is nothing left to end well.
func TestDeviation4DeletedDaemonIsRewritten(t *testing.T) {
	inBothModes(t, "argo-4.1/dag-daemon-deleted.json", func(t *testing.T, p *played) {
		p.shows(t,
			sight{2, "daemondel.d", `Pod Running`, `Pod Running`, 0},
			sight{3, "daemondel.d", `Pod Error "pod deleted"`, `Pod Error "pod deleted"`, 0},
			sight{4, "daemondel.d", `Pod Succeeded "pod deleted"`, `Pod Error "pod deleted"`, 4},
			sight{4, "daemondel", `DAG Succeeded`, `DAG Succeeded`, 0},
			sight{4, "", `Succeeded`, `Succeeded`, 0},
		)
		for _, n := range p.Frames[3].Recorded.Nodes {
			require.Equal(t, n.Name == "daemondel.d", n.Daemoned, "the controller leaves the mark of a daemon on %s", n.Name)
		}
	})
}

// A workflow that has completed has nothing unfinished inside.
func TestDeviation5StepsCompleteOverRunningContainers(t *testing.T) {
	inBothModes(t, "argo-3.6.2/containerset-diamond-pod-deleted.json", func(t *testing.T, p *played) {
		const ended = `Failed "child 'diamond-476930904' failed"`
		const deleted = `Container Error "container deleted"`
		for _, frame := range []int{3, p.last()} {
			p.shows(t,
				sight{frame, "", ended, ended, 0},
				sight{frame, "diamond", "Steps " + ended, "Steps " + ended, 0},
				sight{frame, "diamond[0].fan", `Pod Error "pod deleted"`, `Pod Error "pod deleted"`, 0},
				sight{frame, "diamond[0].fan.b", `Container Running`, deleted, 5},
				sight{frame, "diamond[0].fan.c", `Container Running`, deleted, 5},
				sight{frame, "diamond[0].fan.main", `Container Running`, deleted, 5},
			)
		}
	})
}

// A Retry that has ended makes no further attempt, although a container of an older attempt was evicted.
func TestDeviation6AttemptAfterTheRetryEnded(t *testing.T) {
	const further = "evicted-retry.build(2)"
	inBothModes(t, "argo-4.1/containerset-evicted-retried.json", func(t *testing.T, p *played) {
		p.shows(t,
			sight{4, further, `(none)`, `(none)`, 0},
			sight{5, "evicted-retry.build(1)", `Pod Succeeded`, `Pod Succeeded`, 0},
			sight{5, "evicted-retry.build", `Retry Succeeded`, `Retry Succeeded`, 0},
			sight{5, further, `Pod Pending`, `(none)`, 6},
			sight{5, further + ".main", `Container Pending`, `(none)`, 6},
			sight{p.last(), further, `Pod Pending`, `(none)`, 6},
		)
		var alive []string
		for _, pod := range p.Frames[p.last()].Pods {
			if pod.Phase == "Pending" || pod.Phase == "Running" {
				alive = append(alive, pod.Node)
			}
		}
		require.Equal(t, []string{recordedID(t, p, further)}, alive, "the pod of the further attempt outlives its Retry")
	})
	p := play(t, "argo-4.1/containerset-evicted-retried.json", replay.Free)
	require.Equal(t, []string{recordedID(t, p, further)}, p.results[6].Unknown, "a pod that the library never asked for")
	require.True(t, p.complete)

	old := play(t, "argo-3.6.2/containerset-evicted-retried.json", replay.Free)
	for frame := range old.Frames {
		require.Equal(t, "(none)", old.argo(frame, further).String(), "v3.6.2, frame %d: no further attempt", frame)
	}
	// The Retry need not have succeeded.
	inBothModes(t, "random/gen17-seed7.json.gz", func(t *testing.T, p *played) {
		const ended = `Retry Failed "The node was low on resource: memory."`
		p.shows(t,
			sight{2, "gen17.job1", ended, ended, 0},
			sight{2, "gen17.job1(1)", `Pod Pending`, `(none)`, 6},
		)
	})
}

// recordedID is the id that the last frame records for a node.
func recordedID(t *testing.T, p *played, name string) string {
	t.Helper()
	for _, n := range p.Frames[p.last()].Recorded.Nodes {
		if n.Name == name {
			return n.ID
		}
	}
	require.Fail(t, "no node "+name)
	return ""
}

// The library looks at tasks in one order, so the same observations always start the same nodes. Argo looks at what a
// task depends on in the order of a Go map, which is another each time.
func TestDeviation7OrderOfVisitsDecides(t *testing.T) {
	const gen19, gen20 = "random/gen19-seed7.json.gz", "random/gen20-seed7.json.gz"
	// Two pods may run. The controller fills both places from task-0 in frame 0, and so has come to task-0 first. In
	// frame 1 a place is free: now it comes to task-2 first.
	inBothModes(t, gen19, func(t *testing.T, p *played) {
		p.shows(t,
			sight{0, "gen19.task-0.job0(0)", `Pod Pending`, `Pod Pending`, 0},
			sight{0, "gen19.task-0.task-3(0:x)", `Pod Pending`, `Pod Pending`, 0},
			sight{0, "gen19.task-2", `(none)`, `(none)`, 0},
			sight{1, "gen19.task-2", `Retry Running`, `(none)`, 7},
			sight{1, "gen19.task-0.task-3(1:y)", `(none)`, `Pod Pending`, 7},
		)
	})
	// The last attempt has succeeded, but by then task-0 has taken both places: no template is looked at any more, and
	// so the Retry is not settled.
	play(t, gen19, replay.Step).shows(t,
		sight{3, "gen19.task-2(0)", `Pod Succeeded`, `Pod Succeeded`, 0},
		sight{3, "gen19.task-2", `Retry Running`, `Retry Succeeded`, 7},
	)
	// Go visits a map in another order each time, so a library that did would differ from itself sooner or later.
	for _, file := range []string{gen19, gen20} {
		first := play(t, file, replay.Free)
		for range 20 {
			if diff := cmp.Diff(first.library, play(t, file, replay.Free).library); diff != "" {
				t.Fatalf("%s, the same once more (-first +now):\n%s", file, diff)
			}
		}
	}
}

var (
	deviationHeading = regexp.MustCompile(`(?m)^## (\d+)\. .+$`)
	deviationTest    = regexp.MustCompile("`(TestDeviation\\w+)`")
	deviationBreaks  = regexp.MustCompile(`Breaks: .*\bI(10|[1-9])\b`)
	// recording, frame, node, what Argo shows, what the library shows
	deviationRow = regexp.MustCompile("(?m)^\\| `((?:argo-|random|wide)[^`]+)` \\| (\\d+) \\| (?:`([^`]+)`|the workflow) " +
		"\\| `([^`]+)` \\| `([^`]+)` \\|$")
)

// The document has a section for each number; its recordings, frames and nodes show the deviation, with these very
// states, and its test exists.
func TestEveryDeviationIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../../testdata/DEVIATIONS.md")
	require.NoError(t, err)
	files, err := filepath.Glob("deviation*_test.go")
	require.NoError(t, err)
	var source []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		source = append(source, text...)
	}
	sections := documented(t, string(data))
	known := 0
	for n := 1; n <= replay.Deviations; n++ {
		if replay.DeviationName(n) == "" {
			continue // a number that is not given
		}
		known++
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			text, ok := sections[n]
			require.True(t, ok, "testdata/DEVIATIONS.md has no heading for deviation %d", n)
			require.Regexp(t, deviationBreaks, text, "the invariant that it breaks")

			test := deviationTest.FindStringSubmatch(text)
			require.NotNil(t, test, "the section names no test")
			require.Regexp(t, fmt.Sprintf(`^TestDeviation%d\D`, n), test[1], "a test is named after the number")
			require.Contains(t, string(source), "\nfunc "+test[1]+"(t *testing.T) {", "the test that the section names")

			rows := deviationRow.FindAllStringSubmatch(text, -1)
			require.Equal(t, strings.Count(text, "\n| `"), len(rows), "every row of the table has the form the test reads")
			require.NotEqual(t, len(rows) > 0, strings.Contains(text, "No recording shows it."), "the section shows a recording, or says that none does")
			for _, row := range rows {
				frame, err := strconv.Atoi(row[2])
				require.NoError(t, err)
				bars := func(cell string) string { return strings.ReplaceAll(cell, `\|`, "|") } // as a table must have them
				play(t, recordingFile(t, row[1]), replay.Step).shows(t, sight{frame, row[3], bars(row[4]), bars(row[5]), n})
			}
		})
	}
	require.Len(t, sections, known, "sections with a number that is not the code's")
}

// The table for users has each number once, with the invariants of its section.
func TestTheTableForUsersHasEveryDeviation(t *testing.T) {
	data, err := os.ReadFile("../../testdata/DEVIATIONS.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(data), "\n## What you will see\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	sections := documented(t, string(data))
	numbers := make(map[int]bool)
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|(.*)\|$`).FindAllStringSubmatch(table, -1) {
		n, err := strconv.Atoi(row[1])
		require.NoError(t, err)
		assert.False(t, numbers[n], "number %d stands twice", n)
		numbers[n] = true
		cells := strings.Split(row[2], " | ")
		require.Len(t, cells, 4, "number %d: situation, Argo, nodestatus, invariants", n)
		breaks := regexp.MustCompile(`(?m)^Breaks: .*$`).FindString(sections[n])
		invariants := regexp.MustCompile(`\bI\d+\b`).FindAllString(breaks, -1)
		assert.ElementsMatch(t, invariants, strings.Split(strings.TrimSpace(cells[3]), ", "), "number %d", n)
	}
	for n := 1; n <= replay.Deviations; n++ {
		assert.True(t, numbers[n], "number %d, %s, is missing", n, replay.DeviationName(n))
	}
	assert.Len(t, numbers, replay.Deviations)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "testdata/DEVIATIONS.md#what-you-will-see")
	assert.Contains(t, string(readme), fmt.Sprintf("%d kinds of places where", replay.Deviations))
}

// documented returns the text of each numbered section.
func documented(t *testing.T, text string) map[int]string {
	t.Helper()
	sections := make(map[int]string)
	for _, at := range deviationHeading.FindAllStringSubmatchIndex(text, -1) {
		n, err := strconv.Atoi(text[at[2]:at[3]])
		require.NoError(t, err)
		require.NotContains(t, sections, n, "two sections for one deviation")
		body, _, _ := strings.Cut(text[at[1]:], "\n## ")
		sections[n] = body
	}
	return sections
}

// recordingFile is the file of a recording that is named without its ending.
func recordingFile(t *testing.T, name string) string {
	t.Helper()
	for _, ending := range []string{".json", ".json.gz"} {
		if _, err := os.Stat(filepath.Join(recordings, name+ending)); err == nil {
			return name + ending
		}
	}
	require.Fail(t, "there is no recording "+name)
	return ""
}

// Deviation 1, of a container's result, can't change what the message of its pod is.
func TestADeviationExplainsOnlyWhatFollowsFromIt(t *testing.T) {
	r := read(t, filepath.Join(recordings, "argo-4.1/containerset-chain-first-done-then-deleted.json"))
	last := r.Frames[len(r.Frames)-1].Recorded.Nodes
	for k := range last {
		if last[k].Name == "chain.build" {
			last[k].Message = "not what Argo wrote"
		}
	}
	v, err := replay.Judge(&replay.Player{Recording: r, Mode: replay.Free})
	require.NoError(t, err)
	require.Len(t, v.Defects(), 1, "the message of chain.build")
}

// What only follows from an earlier difference is not compared: after the first one a free run of gen24 shows hundreds of
// states that the recording does not.
func TestNothingIsComparedAfterADifference(t *testing.T) {
	r := read(t, filepath.Join(recordings, "random/gen24-seed7.json.gz"))
	follows := 0
	player := &replay.Player{Recording: r, Mode: replay.Free}
	require.NoError(t, player.Play(func(m *replay.Moment) error {
		shown := m.States()
		for _, n := range r.Frames[m.Frame].Recorded.Nodes {
			if shown[n.ID] != (replay.State{Name: n.Name, Kind: n.Kind, Phase: n.Phase, Message: n.Message}) {
				follows++
			}
		}
		return nil
	}))
	v, err := replay.Judge(&replay.Player{Recording: r, Mode: replay.Free})
	require.NoError(t, err)
	require.Empty(t, v.Defects())
	require.Greater(t, follows, 200, "states that the run from the first frame shows otherwise")
	require.Less(t, len(v.Differences), 60, "differences that are judged: those of the first frame of each run that has any")
}
