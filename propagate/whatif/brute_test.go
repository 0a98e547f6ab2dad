package whatif_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

const recordings = "../../testdata/recordings/"

// opened holds the recordings that were read, by file.
var opened = make(map[string]*replay.Recording)

// read reads a recording, each once for all tests: these run one after another, and change none.
func read(t testing.TB, file string) *replay.Recording {
	t.Helper()
	if opened[file] == nil {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		r, err := replay.Read(data)
		require.NoError(t, err)
		opened[file] = r
	}
	return opened[file]
}

// A brute is a second simulation that shares nothing with the package: it plays every loss from the very beginning, one
// pod at a time and not in rounds, and knows no more than the engine.
type brute struct {
	t     *testing.T
	e     *propagate.Engine
	now   time.Time
	locks propagate.LockTable
	pods  []*brutePod
	made  int

	lose string         // what is lost, as moment() names it; empty for nothing
	how  string         // deleted or evicted
	seen []string       // every moment at which something can be lost
	ends map[string]int // daemons by name: how many events there were when each was ended
	said int            // events so far

	order *schedule // which pod goes on; nil for the oldest
}

// A schedule says which of several pods goes on, and is the next of all schedules each time it is advanced.
type schedule struct {
	chosen, options []int
	at              int
}

func (s *schedule) choose(options int) int {
	if s.at == len(s.chosen) {
		s.chosen, s.options = append(s.chosen, 0), append(s.options, options)
	}
	s.at++
	return s.chosen[s.at-1]
}

// advance turns to the next schedule; false after the last.
func (s *schedule) advance() bool {
	s.at = 0
	for k := len(s.chosen) - 1; k >= 0; k-- {
		if s.chosen[k]++; s.chosen[k] < s.options[k] {
			s.chosen, s.options = s.chosen[:k+1], s.options[:k+1]
			return true
		}
	}
	return false
}

type brutePod struct {
	node   nodegraph.Node
	uid    string
	script []func() []propagate.Event // what is still to come
	when   []string                   // beside each part of script: the moment just before it, empty for none
	over   bool
}

// moment names a moment in the life of the first pod of a node.
func moment(name, when string) string { return name + " " + when }

func (b *brute) apply(events ...propagate.Event) {
	require.NoError(b.t, propagate.Drive(b, "", events...))
}

// Call tells the engine, unless it is complete.
func (b *brute) Call(_ string, events []propagate.Event) (propagate.Result, error) {
	if b.e.Complete() {
		return propagate.Result{}, nil
	}
	b.said++
	r, err := b.e.Apply(b.now, events...)
	if err == nil && b.order == nil {
		err = b.e.Check()
	}
	return r, err
}

// Do makes and ends pods, and answers.
func (b *brute) Do(_ string, a *propagate.Action) ([]propagate.Notice, error) {
	say := func(ev propagate.Event) ([]propagate.Notice, error) { return []propagate.Notice{{Event: ev}}, nil }
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		if a.Type == propagate.ActionRecreate || a.Message == "" {
			b.create(*b.e.Graph().Node(a.Node))
		}
	case propagate.ActionTerminate:
		for _, p := range b.pods {
			if p.node.ID() == a.ID && !p.over {
				p.over, b.ends[a.Name] = true, b.said
				return say(named(p, propagate.PodDeleted(a.ID)))
			}
		}
	case propagate.ActionResolve:
		return say(propagate.Resolved(a.ID, true, ""))
	case propagate.ActionExpand:
		return say(propagate.Expanded(a.ID, nodegraph.Item{Text: "item"}))
	case propagate.ActionLookup:
		return say(propagate.Memoized(a.ID, false))
	}
	return b.locks.Answer("", a), nil
}

func named(p *brutePod, ev propagate.Event) propagate.Event {
	ev.Pod.UID = p.uid
	return ev
}

// create makes a pod and writes down what it will do.
func (b *brute) create(n nodegraph.Node) {
	for _, p := range b.pods {
		if p.node.ID() == n.ID() && !p.over {
			return
		}
	}
	b.made++
	p := &brutePod{node: n, uid: fmt.Sprint("uid-", b.made)}
	part := func(when string, events ...propagate.Event) {
		p.when = append(p.when, when)
		p.script = append(p.script, func() []propagate.Event { return events })
	}
	id := n.ID()
	switch {
	case n.Kind == nodegraph.KindHTTP || n.Kind == nodegraph.KindPlugin:
		part("pending")
		part("running")
		part("reporting", propagate.NodeEnded(id, nodegraph.PhaseSucceeded, ""))
	case n.Kind != nodegraph.KindPod:
		return
	case n.Template.Daemon:
		part("", propagate.PodPending(id, ""))
		part("pending", propagate.PodRunning(id))
		part("running")
	default:
		part("", propagate.PodPending(id, ""))
		part("pending", propagate.PodRunning(id))
		part("running")
		done := make(map[string]bool)
		for range n.Template.Containers { // one container after the other
			for _, c := range n.Template.Containers {
				if !done[c.Name] && !slices.ContainsFunc(c.Dependencies, func(d string) bool { return !done[d] }) {
					done[c.Name] = true
					part("", propagate.ContainerRunning(id, c.Name), propagate.ContainerEnded(id, c.Name, 0, ""))
				}
			}
		}
		part("reporting", propagate.PodSucceeded(id))
	}
	b.pods = append(b.pods, p)
}

// reached notes that a pod can be lost now, and loses it if it is to be.
func (b *brute) reached(p *brutePod, when string) (lost bool) {
	m := moment(p.node.Name(), when)
	if slices.Contains(b.seen, m) {
		return false // another pod of the node
	}
	b.seen = append(b.seen, m)
	if m != b.lose {
		return false
	}
	p.over = true
	switch {
	case p.node.Kind != nodegraph.KindPod:
		for _, other := range b.pods {
			other.over = other.over || other.node.Kind != nodegraph.KindPod
		}
		b.apply(propagate.AgentEnded("gone"))
	case b.how == "deleted":
		b.apply(named(p, propagate.PodDeleted(p.node.ID())))
	default:
		b.apply(named(p, propagate.PodEvicted(p.node.ID(), "evicted")))
	}
	return true
}

// run plays the workflow to its end and returns its phase. Ends tells when the daemons are ended.
func (b *brute) run(ends map[string]int) nodegraph.Phase {
	b.apply()
	for limit := 0; !b.e.Complete(); limit++ {
		require.Less(b.t, limit, 100_000, "it does not end")
		lost := false
		for _, p := range b.pods {
			if p.node.Template.Daemon && !p.over && len(p.script) == 0 && ends[p.node.Name()] == b.said+1 {
				lost = lost || b.reached(p, "reporting")
			}
		}
		if lost || b.podStep() {
			continue
		}
		if !b.elsewhere() {
			phase, _ := b.e.Workflow()
			return phase
		}
	}
	phase, _ := b.e.Workflow()
	return phase
}

// podStep lets a pod that has something to do go on by one step: the oldest, unless a schedule says which.
func (b *brute) podStep() bool {
	ready := slices.DeleteFunc(slices.Clone(b.pods), func(p *brutePod) bool { return p.over || len(p.script) == 0 })
	if b.order != nil && len(ready) > 1 {
		ready = ready[b.order.choose(len(ready)):]
	}
	if len(ready) == 0 {
		return false
	}
	p := ready[0]
	if when := p.when[0]; when != "" && b.reached(p, when) {
		return true
	}
	for _, ev := range p.script[0]() {
		b.apply(named(p, ev))
	}
	p.script, p.when = p.script[1:], p.when[1:]
	p.over = p.over || len(p.script) == 0 && !p.node.Template.Daemon
	return true
}

// elsewhere resumes, or lets time pass.
func (b *brute) elsewhere() bool {
	for _, o := range b.e.Obligations() {
		switch o.For {
		case propagate.WaitSuspended:
			b.apply(propagate.Suspended(false))
			return true
		case propagate.WaitResume:
			b.apply(propagate.Resumed(o.Name))
			return true
		case propagate.WaitTimer:
			b.now = b.now.Add(time.Second)
			if o.Until.After(b.now) {
				b.now = o.Until
			}
			b.apply()
			return true
		}
	}
	return false
}

// bruteRun plays the workflow once.
func bruteRun(t *testing.T, spec *nodegraph.Spec, lose, how string, ends map[string]int) (*brute, nodegraph.Phase) {
	e, err := propagate.New(spec)
	require.NoError(t, err)
	b := &brute{t: t, e: e, now: start, lose: lose, how: how, ends: make(map[string]int)}
	return b, b.run(ends)
}

// bruteLosses returns how the workflow ends after every single loss.
func bruteLosses(t *testing.T, spec *nodegraph.Spec) (undisturbed nodegraph.Phase, losses map[string]string) {
	first, undisturbed := bruteRun(t, spec, "", "", nil)
	second, _ := bruteRun(t, spec, "", "", first.ends)
	losses = make(map[string]string)
	for _, m := range second.seen {
		for _, how := range []string{"deleted", "evicted"} {
			_, phase := bruteRun(t, spec, m, how, first.ends)
			losses[m+" "+how] = phase.String()
		}
	}
	return undisturbed, losses
}

// compare runs the package and the brute force on one specification.
func compare(t *testing.T, spec *nodegraph.Spec) {
	t.Helper()
	r, err := whatif.Run(whatif.Input{Spec: spec, Start: start})
	require.NoError(t, err)
	undisturbed, want := bruteLosses(t, spec)
	assert.Equal(t, undisturbed.String(), r.Undisturbed.Phase.String(), "undisturbed")
	got := make(map[string]string)
	for _, l := range r.Losses {
		got[moment(l.Lost[0].Name, string(l.Lost[0].When))+" "+string(l.Lost[0].How)] = l.Phase.String()
	}
	if len(r.Undisturbed.Waits) == 0 {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("phase of the workflow after each loss (-brute force +whatif):\n%s", diff)
		}
	}
	survives := undisturbed == nodegraph.PhaseSucceeded
	for phase := range maps.Values(want) {
		survives = survives && phase == nodegraph.PhaseSucceeded.String()
	}
	assert.Equal(t, survives, r.Verdict.Survives, "verdict: %s", r.Verdict)
}

// Every workflow that was recorded ends after every loss as a simulation does that shares no code with the package.
func TestRecordingsAgreeWithBruteForce(t *testing.T) {
	files, err := filepath.Glob(recordings + "argo-*/*")
	require.NoError(t, err)
	require.Len(t, files, 92, "scripted recordings of two controllers")
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, recordings), func(t *testing.T) {
			recording := read(t, file)
			spec, err := recording.Spec()
			require.NoError(t, err)
			compare(t, spec)
		})
	}
}

// So does every workflow that is drawn in the scripts of package propagate.
func TestScriptsAgreeWithBruteForce(t *testing.T) {
	files, err := filepath.Glob("../../testdata/scripts/*.txt")
	require.NoError(t, err)
	drawings := 0
	for _, file := range files {
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			// The brute force knows the moment at which one daemon is ended, not of several that are ended at once.
			if d.Cmd == "workflow" && strings.Count(d.Input, "daemon") <= 1 && !strings.Contains(d.Input, "daemon over") {
				drawings++
				spec := drawn(t, d.Input)
				if d.HasArg("parallelism") {
					d.ScanArgs(t, "parallelism", &spec.Parallelism)
				}
				compare(t, spec)
			}
			return d.Expected
		})
	}
	assert.GreaterOrEqual(t, drawings, 8, "workflows drawn in %d scripts", len(files))
}

// maxSchedules bounds the orders in which the pods of one workflow go on that are tried for one loss.
var maxSchedules = flag.Int("schedules", 30, "how many orders of the pods' steps to try for each loss")

// In whatever order pods go on, a workflow that was recorded ends after a loss as the package says: all orders are tried
// where they are few, and as many as the flag says where they are not.
func TestEveryOrderAgrees(t *testing.T) {
	files, err := filepath.Glob(recordings + "argo-4.1/*")
	require.NoError(t, err)
	losses, all, schedules := 0, 0, 0
	for _, file := range files {
		recording := read(t, file)
		spec, err := recording.Spec()
		require.NoError(t, err)
		r, err := whatif.Run(whatif.Input{Spec: spec, Start: start})
		require.NoError(t, err)
		if len(r.Undisturbed.Waits) > 0 {
			continue
		}
		for _, l := range r.Losses {
			lost := l.Lost[0]
			daemon := lost.When == whatif.Reporting && hasDaemon(spec) // it is ended, and has no step of its own
			if daemon || lost.Agent || lost.Pod > 1 {
				continue
			}
			losses++
			order := new(schedule)
			for k := 0; ; k++ {
				e, err := propagate.New(spec)
				require.NoError(t, err)
				b := &brute{t: t, e: e, now: start, lose: moment(lost.Name, string(lost.When)), how: string(lost.How), ends: make(map[string]int), order: order}
				got := b.run(nil)
				schedules++
				require.Equal(t, l.Phase.String(), got.String(), "%s: %s, in the order %v", file, lost, order.chosen)
				if !order.advance() {
					all++
					break
				}
				if k == *maxSchedules {
					break
				}
			}
		}
	}
	t.Logf("%d losses, %d of them in every order, %d orders", losses, all, schedules)
}

func hasDaemon(spec *nodegraph.Spec) bool {
	return slices.ContainsFunc(spec.Templates, func(t *nodegraph.Template) bool { return t.Daemon })
}

// Every frame of every scripted recording is a workflow under way that can be tried, and trying it twice gives the same.
func TestRecordedFrames(t *testing.T) {
	files, err := filepath.Glob(recordings + "argo-4.1/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, recordings), func(t *testing.T) {
			recording := read(t, file)
			for k, frame := range recording.Frames {
				run := func() *whatif.Result {
					spec, err := recording.Spec()
					require.NoError(t, err)
					r, err := whatif.Run(whatif.Input{Spec: spec, Snapshot: frame.Recorded})
					require.NoError(t, err, "frame %d", k)
					return r
				}
				r := run()
				assert.Empty(t, r.Undisturbed.Waits, "frame %d: undisturbed it waits for ever", k)
				for _, l := range r.Losses {
					assert.Empty(t, l.Waits, "frame %d: with %s it waits for ever", k, l.Lost)
				}
				if diff := cmp.Diff(r, run()); diff != "" {
					t.Errorf("frame %d: two runs differ:\n%s", k, diff)
				}
			}
		})
	}
}
