package whatif

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// DefaultMaxSimulations is how many simulations [Run] makes where the caller does not say.
const DefaultMaxSimulations = 100_000

// An Input is a workflow, and what to try with it.
type Input struct {
	Spec     *nodegraph.Spec    // what the workflow is to do
	Snapshot nodegraph.Snapshot // a workflow under way; the zero value for one that was not begun

	Any        int                         // how many pods may be lost in one run: 1 (or 0) or 2
	Conditions map[string]bool             // by node name: answers to conditions that only the host can evaluate
	Items      map[string][]nodegraph.Item // by node name: the items of loops that only the host can resolve
	Start      time.Time                   // when a workflow that was not begun begins; zero for a fixed time
	Limits     nodegraph.Limits            // of the graphs; the zero value means the defaults

	// AsArgo plays what Argo's controller leaves open, so that the workflow never ends: see [Played] and [NotPlayed].
	AsArgo bool

	MaxSimulations int                   // more are a *LimitError; 0 means DefaultMaxSimulations
	Progress       func(done, total int) // called after every simulation; the total of pairs is known after the single losses
	Stop           func() bool           // asked after every simulation: true ends the search with what is known by then

	rounds bool // play in rounds even where pods do not contend; for tests
}

// A Result is what becomes of the workflow.
type Result struct {
	Undisturbed Outcome      // without any loss
	Pods        int          // how many pods the undisturbed run has from now on, the agent not counted
	Losses      []Loss       // the worst first: see Compare; none if it never ends even undisturbed
	Verdict     Verdict      // whether it survives them all
	Assumed     []Assumption // answers that were made up, in the order in which they were asked for
	Simulations int          // how many runs were simulated
	Partial     bool         // the caller stopped the search: losses that were not tried may be fatal
}

// An Assumption is an answer that only the host could have given.
type Assumption struct {
	Node   string // the name
	Text   string // the condition, the loop, or the fields of its template that only the host knows
	Items  int    // of a loop; -1 for a condition and for fields
	Holds  bool   // of a condition; of fields: the node goes on with what they count as
	Stated bool   // the caller gave it
}

// A LimitError says that more simulations are needed than the caller allows. Raise [Input.MaxSimulations].
type LimitError struct {
	Max, Needed int // simulations: how many are allowed, and how many it takes
	Any         int // 1: the single losses alone are too many; 2: the pairs are
}

// Error says how many simulations would be needed.
func (e *LimitError) Error() string {
	what := "losses of one pod"
	if e.Any == 2 {
		what = "losses of one and two pods"
	}
	return fmt.Sprintf("whatif: %s need %d simulations, more than the limit of %d", what, e.Needed, e.Max)
}

// An AnyError says that [Input.Any] has a value that it can't have.
type AnyError struct {
	Any int // the value
}

// Error shows the value.
func (e *AnyError) Error() string { return fmt.Sprintf("whatif: any: %d: want 1 or 2", e.Any) }

// Run simulates the workflow undisturbed and with every loss. All that does not come after the lost pod has ended before, but for
// daemons that are ready. For the loss of a daemon or of the agent, for pairs, and where the order may decide, all pods make
// their steps together instead. The order may decide where time passes and something may come too late, and after a
// shutdown. It may, too, where daemons take places of limited parallelism, and where something fails undisturbed in a workflow that
// fails fast.
//
// The error is an [*AnyError], a [*LimitError], or that of [propagate.FromSnapshot] or [propagate.Engine.Apply] for a specification or an
// answer that can't be used.
func Run(in Input) (*Result, error) {
	if in.Any == 0 {
		in.Any = 1
	}
	if in.Any < 1 || in.Any > 2 {
		return nil, &AnyError{in.Any}
	}
	if in.MaxSimulations <= 0 {
		in.MaxSimulations = DefaultMaxSimulations
	}
	s := &search{in: &in, result: &Result{}}
	if err := s.undisturbed(); err != nil {
		return nil, err
	}
	if len(s.result.Undisturbed.Waits) == 0 { // else there is nothing to spoil
		err := s.losses()
		if s.result.Partial = errors.Is(err, errStopped); err != nil && !s.result.Partial {
			return nil, err
		}
	}
	slices.SortStableFunc(s.result.Losses, Compare)
	s.result.Verdict = s.verdict()
	return s.result, nil
}

// errStopped ends a search that the caller stopped.
var errStopped = errors.New("whatif: stopped")

// losses simulates every loss.
func (s *search) losses() error {
	if s.in.Any < 2 && !s.contends() {
		if err := s.mostlyApart(); !errors.Is(err, errApart) {
			return err
		}
		s.result.Losses, s.result.Simulations = nil, 1
	}
	if err := s.singles(func(*life, Moment) bool { return true }); err != nil || s.in.Any < 2 {
		return err
	}
	return s.pairs()
}

// mostlyApart simulates every loss of one pod: those of independent pods apart, and again with the others where that leaves a
// doubt.
func (s *search) mostlyApart() error {
	s.doubtful = make(map[visit]bool)
	err := s.singlesApart()
	s.result.Losses = slices.DeleteFunc(s.result.Losses, func(l Loss) bool { return s.doubtful[visitOf(&l)] })
	if s.together = s.together || len(s.doubtful) > 0; err == nil && s.together {
		s.total += len(ways) * len(s.doubtful)
		err = s.singles(func(l *life, when Moment) bool { return !l.apart || s.doubtful[visit{l.id, when}] })
	}
	s.inOrder()
	return err
}

// search is one call of Run.
type search struct {
	in      *Input
	result  *Result
	base    *ending        // of the undisturbed run
	ends    map[string]int // of its daemons: see world.ends
	firsts  []first        // the single losses, in the order in which they happen
	total   int            // simulations known to be needed
	wasOver bool           // the workflow was complete from the start

	// Of the undisturbed run:
	order    map[string]int // the place of each independent pod, by its node
	visits   map[visit]int  // the place of each moment
	remade   bool           // some node had two pods
	together bool           // there were others than independent pods
	timed    bool           // time has passed
	doubtful map[visit]bool // losses apart of which more may come when other pods are under way
}

// first is what is known of a single loss, for the pairs that begin with it.
type first struct {
	survived bool
	ends     map[string]int
}

// undisturbed plays the workflow without a loss, and counts what can be lost.
func (s *search) undisturbed() error {
	w, err := newWorld(s.in)
	if err != nil {
		return err
	}
	s.wasOver = w.e.Complete()
	w.assume = func(a Assumption) { s.result.Assumed = append(s.result.Assumed, a) }
	if err := w.begin(); err != nil {
		return err
	}
	moments, pods, began := 0, make(map[string]bool), w.now
	s.order, s.visits = make(map[string]int), make(map[visit]int)
	if err := w.walk(nil, func(k int, when Moment) error {
		l := &w.lives[k]
		s.visits[visit{l.id, when}] = moments
		moments++
		if _, known := s.order[l.id]; !known && l.apart {
			s.order[l.id] = len(s.order)
		}
		s.remade, s.together = s.remade || l.number > 1, s.together || !l.apart
		if l.kind == nodegraph.KindPod {
			pods[l.uid] = true
		}
		return nil
	}); err != nil {
		return err
	}
	for uid := range w.ends { // each daemon can be lost just before it is ended, too
		moments++
		pods[uid] = true
	}
	s.result.Simulations, s.result.Pods = 1, len(pods)
	s.base, s.ends, s.timed = w.ending(), w.ends, w.now.After(began)
	s.together = s.together || len(s.ends) > 0
	s.result.Undisturbed = s.base.Outcome
	if len(s.base.Waits) > 0 {
		return nil
	}
	s.total = 1 + len(ways)*moments
	return s.check(1)
}

// check refuses to go on where that needs too many simulations.
func (s *search) check(pods int) error {
	if s.total > s.in.MaxSimulations {
		return &LimitError{Max: s.in.MaxSimulations, Needed: s.total, Any: pods}
	}
	return nil
}

// done counts one simulation. The error is errStopped where the caller wants no more.
func (s *search) done() error {
	s.result.Simulations++
	if s.in.Progress != nil {
		s.in.Progress(s.result.Simulations, s.total)
	}
	if s.in.Stop != nil && s.in.Stop() {
		return errStopped
	}
	return nil
}

// fresh returns the workflow as it is before anything has happened.
func (s *search) fresh() (*world, error) {
	w, err := newWorld(s.in)
	if err != nil {
		return nil, err
	}
	return w, w.begin()
}

// singles simulates every loss of one of these pods, while all make their steps together.
func (s *search) singles(these func(*life, Moment) bool) error {
	w, err := s.fresh()
	if err != nil {
		return err
	}
	after, visits := 0, 0 // simulations that pairs would need; moments so far
	which := func(l *life, when Moment) bool {
		s.visits[visit{l.id, when}] = visits
		visits++
		return these(l, when)
	}
	err = s.branch(w, s.ends, which, func(b *world, lost Lost) error {
		moments := 0
		if err := b.walk(nil, func(int, Moment) error { moments++; return nil }); err != nil {
			return err
		}
		loss := s.loss(b, s.base.nodes, lost)
		s.result.Losses = append(s.result.Losses, loss)
		s.firsts = append(s.firsts, first{loss.Survived(), b.ends})
		if loss.Survived() {
			after += len(ways) * (moments + len(b.ends))
		}
		return s.done()
	})
	if err != nil || s.in.Any < 2 {
		return err
	}
	s.total += after
	return s.check(2)
}

// pairs simulates every loss of a second pod after one that the workflow survives.
func (s *search) pairs() error {
	w, err := s.fresh()
	if err != nil {
		return err
	}
	k := 0
	every := func(*life, Moment) bool { return true }
	return s.branch(w, s.ends, every, func(b *world, one Lost) error {
		f := s.firsts[k]
		k++
		if !f.survived {
			return nil
		}
		return s.branch(b, f.ends, every, func(b *world, two Lost) error {
			if err := b.walk(nil, nil); err != nil {
				return err
			}
			s.result.Losses = append(s.result.Losses, s.loss(b, s.base.nodes, one, two))
			return s.done()
		})
	})
}

// branch plays w to its end and, whenever one of these pods can be lost, calls try with a copy of w in which it is, once for each
// way to lose it. Ends tells when the daemons of w are ended.
func (s *search) branch(w *world, ends map[string]int, these func(*life, Moment) bool, try func(b *world, lost Lost) error) error {
	return w.walk(ends, func(k int, when Moment) error {
		if !these(&w.lives[k], when) {
			return nil
		}
		for _, how := range ways {
			b, err := w.clone()
			if err != nil {
				return err
			}
			lost := b.lost(k, when, how)
			if err := b.lose(k, how); err != nil {
				return err
			}
			if err := try(b, lost); err != nil {
				return err
			}
		}
		return nil
	})
}
