package replay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

const causesFile = "testdata/causes.txt"

const causesHead = `# The recordings in which the library differs from the controller, and no deviation says why. A line is a recording: the
# mode, the first frame with a defect, a node that has one there, recorded, computed, how many states differ, and
# the cause. "library:" is a rule that is wrong, "replay:" an answer that the replay's host does not give, "Argo:" an
# invariant that the controller breaks. The tests hold to this list exactly. -rewrite writes all but the causes.
`

// cause says which forms a cause has.
var causeForm = regexp.MustCompile(`^(library|replay): \S.*$|^Argo: I(10|[1-9])\b.*$`)

// listed reads the committed list.
func listed(t testing.TB) []replay.Cause {
	t.Helper()
	text, err := os.ReadFile(causesFile)
	require.NoError(t, err)
	list, err := replay.ReadCauses(string(text))
	require.NoError(t, err)
	return list
}

// findings judges a recording in both modes, and returns the lines on what was found.
func findings(t testing.TB, file string) []replay.Cause {
	t.Helper()
	name := replay.RecordingPath(file)
	r, err := readFile(t, file)
	if err != nil {
		c, _ := replay.Found(name, nil, err)
		c.Modes = "both"
		return []replay.Cause{c}
	}
	var list []replay.Cause
	add := func(c replay.Cause) {
		for k := range list {
			if list[k].Same(c) {
				list[k].Modes = "both"
				return
			}
		}
		list = append(list, c)
	}
	for _, mode := range modes {
		v := judge(t, file, mode)
		if c, ok := replay.Found(name, v.Verdict, v.err); ok {
			add(c)
		}
		if v.broken != nil {
			_, err := replay.Judge(&replay.Player{Recording: r, Mode: mode, After: (*propagate.Engine).Check})
			c, _ := replay.Found(name, nil, err)
			c.Modes, c.Node = mode.String(), "invariant"
			add(c)
		}
	}
	return list
}

// Every frame of every recording shows what the library computes, but for the numbered deviations and for what is listed
// with its cause. A difference that is new fails, and so does a line that says what is not so any more. After every call
// the engine's invariants hold and the reference evaluator agrees. -every chooses among the wide recordings.
func TestRecordings(t *testing.T) {
	if *rewrite {
		rewriteCauses(t)
	}
	known := make(map[string][]replay.Cause)
	for _, c := range listed(t) {
		known[c.Recording] = append(known[c.Recording], c)
	}
	test := func(t *testing.T, file string) {
		want := known[replay.RecordingPath(file)]
		for k := range want {
			assert.Regexp(t, causeForm, want[k].Why, "the cause of %s", want[k].Recording)
			want[k].Why = ""
		}
		if diff := cmp.Diff(want, findings(t, file)); diff != "" {
			t.Errorf("%s (-listed +found):\n%s", file, diff)
		}
	}
	each(t, scripted, test)
	someOf(t, "wide/*", *every, test)
}

// The list has no line of a recording that does not exist, and is in the order of the recordings.
func TestCausesAreOfRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings, "*/*"))
	require.NoError(t, err)
	place := make(map[string]int)
	for k, file := range files {
		place[replay.RecordingPath(file)] = k + 1
	}
	last := 0
	for _, c := range listed(t) {
		assert.Positive(t, place[c.Recording], "%s is no recording", c.Recording)
		assert.LessOrEqual(t, last, place[c.Recording], "the place of %s in the list", c.Recording)
		last = place[c.Recording]
	}
}

// rewriteCauses writes what is found, and keeps the causes of what was found before. A new line has none.
func rewriteCauses(t *testing.T) {
	t.Helper()
	old := listed(t)
	var b strings.Builder
	b.WriteString(causesHead)
	files, err := filepath.Glob(filepath.Join(recordings, "*/*"))
	require.NoError(t, err)
	for _, file := range files {
		for _, c := range findings(t, file) {
			c.Why = keptCause(old, c)
			b.WriteString(c.String() + "\n")
		}
	}
	require.NoError(t, os.WriteFile(causesFile, []byte(b.String()), 0o644))
}

// keptCause is the cause that a person gave for the same state of the same node, in any mode.
func keptCause(old []replay.Cause, c replay.Cause) string {
	for _, o := range old {
		if o.Recording == c.Recording && o.Frame == c.Frame && o.Node == c.Node && o.Want == c.Want {
			return o.Why
		}
	}
	return ""
}

func TestKeptCause(t *testing.T) {
	old := []replay.Cause{{"wide/a", "both", 3, "a.b", "Pod Failed", "Pod Pending", 7, "library: backoff"}}
	for _, c := range []struct {
		why  string
		now  replay.Cause
		want string
	}{
		{"the same", replay.Cause{"wide/a", "both", 3, "a.b", "Pod Failed", "Pod Pending", 7, ""}, "library: backoff"},
		{"found in one mode only, and computed otherwise", replay.Cause{"wide/a", "step", 3, "a.b", "Pod Failed", "Pod Running", 2, ""}, "library: backoff"},
		{"another frame", replay.Cause{"wide/a", "both", 2, "a.b", "Pod Failed", "Pod Pending", 7, ""}, ""},
		{"another node", replay.Cause{"wide/a", "both", 3, "a.c", "Pod Failed", "Pod Pending", 7, ""}, ""},
		{"another recorded state", replay.Cause{"wide/a", "both", 3, "a.b", "Pod Error", "Pod Pending", 7, ""}, ""},
		{"another recording", replay.Cause{"wide/b", "both", 3, "a.b", "Pod Failed", "Pod Pending", 7, ""}, ""},
	} {
		assert.Equal(t, c.want, keptCause(old, c.now), c.why)
	}
}

func TestReadCauses(t *testing.T) {
	c := replay.Cause{"wide/a", "both", 3, "a.b", `Pod Failed "x: y"`, "(none)", 7, "library: backoff"}
	list, err := replay.ReadCauses("# for people\n\n" + c.String() + "\n")
	require.NoError(t, err)
	assert.Equal(t, []replay.Cause{c}, list)
	for _, bad := range []string{"wide/a both 3", strings.Replace(c.String(), "\t3\t", "\tthree\t", 1), strings.Replace(c.String(), "\t7\t", "\t\t", 1)} {
		_, err := replay.ReadCauses("\n" + bad)
		assert.ErrorContains(t, err, "line 2 of the list of causes", bad)
	}
}
