package fact_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

var seed = flag.Uint64("seed", 1, "first seed of the random tests")

// epoch is when the histories of these tests begin.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A history is what really happened to the pods of one leaf. All that a cluster can report of the leaf is true of it at
// some moment, so two reports of one run never contradict each other: they only know more or less.
type history struct {
	lives []life
}

// A life is one run of one pod, the oldest first.
type life struct {
	serial  int64
	uid     string
	attempt int
	last    bool // of its pod: only then can the pod go
	end     fact.Fact
}

// drawHistory draws a history of up to three pods with up to three runs each.
func drawHistory(r *rand.Rand) history {
	var h history
	serial := int64(0)
	for range 1 + r.IntN(3) {
		serial += 1 + r.Int64N(5)
		runs := 1 + r.IntN(3)
		for attempt := 1; attempt <= runs; attempt++ {
			at := epoch.Add(time.Duration(len(h.lives)) * time.Minute)
			end := fact.Fact{Stage: fact.StageEnded, Phase: nodegraph.PhaseSucceeded, Finished: at, HasExit: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				end.Phase = []nodegraph.Phase{nodegraph.PhaseFailed, nodegraph.PhaseError}[r.IntN(2)]
				end.Message, end.Reason, end.ExitCode = fmt.Sprintf("end of %d.%d", serial, attempt), "Evicted", 1+r.IntN(200)
				if !end.HasExit {
					end.ExitCode = 0
				}
			}
			h.lives = append(h.lives, life{serial, fmt.Sprint("uid-", serial), attempt, attempt == runs, end})
		}
	}
	return h
}

// report draws one observation.
func (h *history) report(r *rand.Rand) fact.Fact {
	l := h.lives[r.IntN(len(h.lives))]
	o := fact.Fact{}
	switch stage := r.IntN(4); {
	case stage == 0:
		o.Stage, o.Message = fact.StagePending, []string{"", "ContainerCreating", "Unschedulable"}[r.IntN(3)]
	case stage == 1:
		o.Stage = fact.StageRunning
	case stage == 2 && l.last:
		o.Stage, o.Finished = fact.StageGone, l.end.Finished.Add(time.Second)
	default:
		o = l.end
	}
	o.Serial, o.UID, o.Attempt = l.serial, l.uid, l.attempt
	o.Conditions = []string{"", "", "DisruptionTarget", "PodScheduled", "DisruptionTarget,Ready"}[r.IntN(5)] // seen by now
	return o
}

// known draws a fact: what is known after up to five reports in some order.
func (h *history) known(r *rand.Rand) fact.Fact {
	var f fact.Fact
	for range r.IntN(6) {
		f.Merge(h.report(r))
	}
	return f
}

// merged is the join of facts, from left to right. Its arguments stay as they are.
func merged(f fact.Fact, others ...fact.Fact) fact.Fact {
	for _, o := range others {
		f.Merge(o)
	}
	return f
}

// sameFact compares facts. Until a result is known the message is that of the latest report, and explains only.
func sameFact(a, b fact.Fact) string {
	if a.Stage == fact.StageEnded && b.Stage == fact.StageEnded {
		return cmp.Diff(a, b)
	}
	return cmp.Diff(a, b, cmpopts.IgnoreFields(fact.Fact{}, "Message"))
}

// That a pod is gone says by itself nothing of whether it had run; one fact of it may know that, and another not.
func TestMergeKnowsThatAPodRan(t *testing.T) {
	ran := fact.Fact{Attempt: 1, Stage: fact.StageGone, Ran: true}
	for _, other := range []fact.Stage{fact.StageNone, fact.StagePending, fact.StageGone, fact.StageEnded} {
		f := fact.Fact{Attempt: 1, Stage: other}
		require.True(t, merged(f, ran).Ran, "%v, then that it ran", other)
		require.True(t, merged(ran, f).Ran, "that it ran, then %v", other)
	}
}

// Facts that true reports make are a join-semilattice: order, grouping and repetition do not matter.
func TestMergeIsAJoin(t *testing.T) {
	laws := []struct {
		name string
		hold func(a, b, c fact.Fact) string // the difference between the two sides, empty if the law holds
	}{
		{"idempotent", func(a, _, _ fact.Fact) string { return cmp.Diff(a, merged(a, a)) }},
		{"commutative", func(a, b, _ fact.Fact) string { return sameFact(merged(a, b), merged(b, a)) }},
		{"associative",
			func(a, b, c fact.Fact) string { return sameFact(merged(merged(a, b), c), merged(a, merged(b, c))) }},
		{"absorbing", func(a, b, _ fact.Fact) string { return sameFact(merged(a, b), merged(merged(a, b), a)) }},
		{"nothing is neutral on the right",
			func(a, _, _ fact.Fact) string { return cmp.Diff(a, merged(a, fact.Fact{})) }},
		{"nothing is neutral on the left",
			func(a, _, _ fact.Fact) string { return cmp.Diff(a, merged(fact.Fact{}, a)) }},
	}
	t.Logf("seeds %d to %d", *seed, *seed+4999)
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			for s := *seed; s < *seed+5000; s++ {
				r := rand.New(rand.NewPCG(s, 1))
				h := drawHistory(r)
				a, b, c := h.known(r), h.known(r), h.known(r)
				if diff := law.hold(a, b, c); diff != "" {
					t.Fatalf("-seed %d: Merge is not %s:\na = %+v\nb = %+v\nc = %+v\n(-left +right)\n%s", s, law.name, a, b, c, diff)
				}
			}
		})
	}
}

// Of two ends of one run, which a cluster never reports, the worse one counts, whichever comes first.
func TestMergeOfTwoEnds(t *testing.T) {
	for _, stage := range []fact.Stage{fact.StageStopped, fact.StageEnded} {
		better := fact.Fact{Stage: stage, Phase: nodegraph.PhaseFailed, Message: "better"}
		worse := fact.Fact{Stage: stage, Phase: nodegraph.PhaseError, Message: "worse"}
		require.Equal(t, worse, merged(better, worse), stage)
		require.Equal(t, worse, merged(worse, better), stage)
		again := better
		again.Message = "again"
		require.Equal(t, again, merged(better, again), "%s: of the same the latest message", stage)
		first, second := better, better
		first.Finished, second.Finished = epoch, epoch.Add(1)
		require.Equal(t, first, merged(better, first), "%s: when it ended may be heard later", stage)
		require.Equal(t, first, merged(first, second), "%s: but only once", stage)
	}
}

// Reports in any order, each as often as it likes, come to what the newest run and its highest stage say.
func TestMergeKeepsTheNewestRunAndItsHighestStage(t *testing.T) {
	t.Logf("seeds %d to %d", *seed, *seed+4999)
	for s := *seed; s < *seed+5000; s++ {
		r := rand.New(rand.NewPCG(s, 2))
		h := drawHistory(r)
		var f, want fact.Fact
		for range 1 + r.IntN(8) {
			o := h.report(r)
			before := f
			changed := f.Merge(o)
			require.Equal(t, before != f, changed, "-seed %d: what Merge says of %+v and %+v", s, before, o)
			switch newer := o.Serial > want.Serial || o.Serial == want.Serial && o.Attempt > want.Attempt; {
			case newer:
				want = o
				want.Ran = o.Stage == fact.StageRunning
			case o.Serial == want.Serial && o.Attempt == want.Attempt:
				ran := want.Ran || o.Stage == fact.StageRunning
				if o.Stage > want.Stage {
					want = o
				}
				want.Ran = ran
			default:
				require.Equal(t, before, f, "-seed %d: a late report of run %d.%d changed what is known of %d.%d", s, o.Serial, o.Attempt, before.Serial, before.Attempt)
			}
		}
		if diff := cmp.Diff(want, f, cmpopts.IgnoreFields(fact.Fact{}, "Message", "Reason", "Conditions")); diff != "" {
			t.Fatalf("-seed %d: (-the newest run at its highest stage +got)\n%s", s, diff)
		}
	}
}

// What the engine itself decided is not the cluster's to change, neither by a newer pod nor by more of the same one.
func TestMergeKeepsWhatTheEngineDecided(t *testing.T) {
	own := fact.Fact{
		Created: epoch, RecreateSerial: 4, Restarts: 2, Halted: "Stop", Lock: fact.LockHeld, Waited: true,
		Answer: fact.AnswerRun, Memo: fact.AnswerRun,
	}
	decided := func(f fact.Fact) fact.Fact {
		return fact.Fact{
			Created: f.Created, RecreateSerial: f.RecreateSerial, Restarts: f.Restarts, Halted: f.Halted, Lock: f.Lock, Waited: f.Waited,
			Answer: f.Answer, Memo: f.Memo,
		}
	}
	for s := *seed; s < *seed+1000; s++ {
		r := rand.New(rand.NewPCG(s, 3))
		h := drawHistory(r)
		f := own
		for range 1 + r.IntN(8) {
			f.Merge(h.report(r))
		}
		if diff := cmp.Diff(own, decided(f)); diff != "" {
			t.Fatalf("-seed %d: reports changed what the engine decided (-before +after):\n%s", s, diff)
		}
	}
}

// A daemon that was ended with its boundary stays as it is, whatever is heard of it or of a later pod.
func TestMergeIntoAReleasedDaemonChangesNothing(t *testing.T) {
	for s := *seed; s < *seed+1000; s++ {
		r := rand.New(rand.NewPCG(s, 4))
		h := drawHistory(r)
		f := h.known(r)
		f.Released, f.Stage, f.Phase = true, fact.StageEnded, nodegraph.PhaseSucceeded
		before := f
		o := h.report(r)
		require.False(t, f.Merge(o), "-seed %d: %+v", s, o)
		require.Equal(t, before, f, "-seed %d: %+v", s, o)
	}
}

// The cases that the laws do not tell apart, one by one.
func TestMerge(t *testing.T) {
	at := func(stage fact.Stage, more ...func(*fact.Fact)) fact.Fact {
		f := fact.Fact{Serial: 5, UID: "uid-5", Attempt: 1, Stage: stage}
		for _, m := range more {
			m(&f)
		}
		return f
	}
	attempt := func(n int) func(*fact.Fact) { return func(f *fact.Fact) { f.Attempt = n } }
	serial := func(n int64, uid string) func(*fact.Fact) {
		return func(f *fact.Fact) { f.Serial, f.UID = n, uid }
	}
	says := func(message, reason string) func(*fact.Fact) {
		return func(f *fact.Fact) { f.Message, f.Reason = message, reason }
	}
	phase := func(p nodegraph.Phase) func(*fact.Fact) { return func(f *fact.Fact) { f.Phase = p } }
	finished := func(s int) func(*fact.Fact) {
		return func(f *fact.Fact) { f.Finished = epoch.Add(time.Duration(s) * time.Second) }
	}
	exit := func(code int) func(*fact.Fact) {
		return func(f *fact.Fact) { f.HasExit, f.ExitCode = true, code }
	}
	conditions := func(c string) func(*fact.Fact) { return func(f *fact.Fact) { f.Conditions = c } }
	ran := func(f *fact.Fact) { f.Ran = true }
	ready := func(f *fact.Fact) { f.Ready = true }
	const (
		pending, running = fact.StagePending, fact.StageRunning
		gone, stop, end  = fact.StageGone, fact.StageStopped, fact.StageEnded
	)
	tests := []struct {
		name          string
		known, o, now fact.Fact
	}{
		{"running after pending forgets why it was pending",
			at(pending, says("ContainerCreating", "")), at(running), at(running, ran)},
		{"another word on why it is pending",
			at(pending, says("ContainerCreating", "")), at(pending, says("Unschedulable", "")),
			at(pending, says("Unschedulable", ""))},
		{"pending is late", at(running, ran), at(pending, says("ContainerCreating", "")), at(running, ran)},
		{"it becomes ready", at(running, ran), at(running, ready), at(running, ran, ready)},
		{"ready once is ready for good", at(running, ran, ready), at(running), at(running, ran, ready)},
		{"a result keeps that it was ready",
			at(running, ran, ready), at(end, phase(nodegraph.PhaseFailed)), at(end, ran, ready, phase(nodegraph.PhaseFailed))},
		{"running heard after the end says that it ran",
			at(end, phase(nodegraph.PhaseFailed)), at(running), at(end, ran, phase(nodegraph.PhaseFailed))},
		{"an absence keeps what was said before",
			at(pending, says("ContainerCreating", "")), at(gone, finished(1)),
			at(gone, says("ContainerCreating", ""), finished(1))},
		{"an absence after a result is no news",
			at(end, phase(nodegraph.PhaseSucceeded), finished(1)), at(gone, finished(2)),
			at(end, phase(nodegraph.PhaseSucceeded), finished(1))},
		{"a result after an absence takes its time",
			at(gone, ran, finished(2)), at(end, phase(nodegraph.PhaseSucceeded), finished(1)),
			at(end, ran, phase(nodegraph.PhaseSucceeded), finished(1))},
		{"an absence twice keeps the first time", at(gone, finished(1)), at(gone, finished(2)), at(gone, finished(1))},
		{"a success that is told after a stop is no news",
			at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""), finished(1)),
			at(end, phase(nodegraph.PhaseSucceeded), finished(2)), at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""), finished(1))},
		{"a failure explains a stop",
			at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""), finished(1)),
			at(end, phase(nodegraph.PhaseError), says("killed", ""), finished(2)), at(stop, phase(nodegraph.PhaseFailed), says("killed", ""), finished(1))},
		{"a stop keeps what explains it",
			at(end, phase(nodegraph.PhaseError), says("killed", ""), finished(1)),
			at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""), finished(2)), at(stop, phase(nodegraph.PhaseFailed), says("killed", ""), finished(2))},
		{"no other pod undoes a stop",
			at(stop, phase(nodegraph.PhaseFailed), says("stopped", "")), at(running, serial(6, "uid-6")),
			at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""))},
		{"a stop beats an absence",
			at(gone, finished(1)), at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""), finished(2)),
			at(stop, phase(nodegraph.PhaseFailed), says("stopped", ""), finished(2))},
		{"the worse of two results",
			at(end, phase(nodegraph.PhaseSucceeded), finished(1)), at(end, phase(nodegraph.PhaseFailed), says("bad", "Evicted")),
			at(end, phase(nodegraph.PhaseFailed), says("bad", "Evicted"), finished(1))},
		{"the better of two results is no news",
			at(end, phase(nodegraph.PhaseError), says("worse", "")), at(end, phase(nodegraph.PhaseFailed), says("bad", "")),
			at(end, phase(nodegraph.PhaseError), says("worse", ""))},
		{"an exit code that comes after the result",
			at(end, phase(nodegraph.PhaseFailed)), at(running, exit(3)), at(end, ran, phase(nodegraph.PhaseFailed), exit(3))},
		{"conditions add up",
			at(running, ran, conditions("DisruptionTarget,Ready")), at(running, conditions("PodScheduled,Ready")),
			at(running, ran, conditions("DisruptionTarget,PodScheduled,Ready"))},
		{"a condition that is heard late",
			at(end, phase(nodegraph.PhaseFailed)), at(running, conditions("DisruptionTarget")),
			at(end, ran, phase(nodegraph.PhaseFailed), conditions("DisruptionTarget"))},
		{"the next pod has conditions of its own",
			at(gone, ran, conditions("DisruptionTarget")), at(running, serial(6, "uid-6")),
			at(running, ran, serial(6, "uid-6"))},
		{"the UID is learned", at(running, ran, serial(5, "")), at(running), at(running, ran)},
		{"a report without a UID",
			at(running, ran), at(end, serial(5, ""), phase(nodegraph.PhaseSucceeded)),
			at(end, ran, phase(nodegraph.PhaseSucceeded))},
		{"the next run begins from nothing",
			at(end, ran, ready, phase(nodegraph.PhaseFailed), says("bad", "Evicted"), finished(1), exit(1)),
			at(pending, attempt(2)), at(pending, attempt(2))},
		{"the run before is late", at(pending, attempt(2)), at(end, phase(nodegraph.PhaseFailed)), at(pending, attempt(2))},
		{"a pod that is gone does not run once more",
			at(gone, ran, finished(1)), at(running, attempt(2)), at(gone, ran, attempt(2))},
		{"but it may have ended in a run that was not heard of",
			at(gone, ran, finished(1)), at(end, attempt(2), phase(nodegraph.PhaseSucceeded), finished(1)),
			at(end, attempt(2), phase(nodegraph.PhaseSucceeded), finished(1))},
		{"the next pod runs",
			at(gone, ran, finished(1)), at(running, serial(6, "uid-6")), at(running, ran, serial(6, "uid-6"))},
		{"the next pod counts its runs from 1",
			at(end, attempt(7), phase(nodegraph.PhaseFailed)), at(pending, serial(6, "uid-6")),
			at(pending, serial(6, "uid-6"))},
		{"the pod before is late, however many runs it had",
			at(pending, serial(6, "uid-6")), at(end, attempt(7), phase(nodegraph.PhaseFailed)),
			at(pending, serial(6, "uid-6"))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := test.known
			changed := f.Merge(test.o)
			if diff := cmp.Diff(test.now, f); diff != "" {
				t.Errorf("%+v\nand %+v\nmerge to (-want +got):\n%s", test.known, test.o, diff)
			}
			require.Equal(t, test.now != test.known, changed, "Merge tells whether the fact changed")
		})
	}
}

// The stages are ordered as they beat each other, and have names for people.
func TestStageOrder(t *testing.T) {
	order := []fact.Stage{
		fact.StageNone, fact.StagePending, fact.StageRunning, fact.StageGone, fact.StageEnded, fact.StageStopped,
	}
	names := []string{"none", "pending", "running", "gone", "ended", "stopped"}
	for k, s := range order {
		require.Equal(t, names[k], s.String())
		require.Equal(t, fact.Stage(k), s, "%s is stage %d", s, k)
	}
}

// A newer pod that ran says so, however far it has come when it is first heard of.
func TestANewerRunKeepsThatItRan(t *testing.T) {
	f := fact.Fact{Serial: 1, Attempt: 1, Stage: fact.StageRunning}
	require.True(t, f.Merge(fact.Fact{Serial: 2, Attempt: 1, Stage: fact.StageGone, Ran: true}))
	require.True(t, f.Ran)
}

// A pod that was seen ready was ready, whatever else was seen of it and when.
func TestMergeKeepsThatAPodWasReady(t *testing.T) {
	running := fact.Fact{Serial: 1, UID: "u", Attempt: 1, Stage: fact.StageRunning, Ready: true, Ran: true}
	for _, stage := range []fact.Stage{fact.StageGone, fact.StageEnded} {
		over := fact.Fact{Serial: 1, UID: "u", Attempt: 1, Stage: stage}
		require.Equal(t, merged(running, over).Ready, merged(over, running).Ready, "running and ready, and %s", stage)
	}
}
