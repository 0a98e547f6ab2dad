package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

const whatifUsage = `Say what becomes of a workflow when it loses pods: can it run on spot machines?

Every pod that the workflow has from now on is deleted and evicted, while it is pending, while it runs, and just before it
reports, and the workflow is simulated to its end each time. Pods that are not lost succeed. What only the controller
knows is assumed: conditions hold, loops have one item. Nothing is changed in the cluster.

The verdict comes first, then the losses that do damage, the worst first; -all shows the others, too. -suggest looks for the
smallest change of the specification with which the workflow survives, tries it, and prints it as a JSON patch of the file.

It is played by the rules of this library. -as argo adds what Argo's controller leaves open, so that the workflow never ends, by the
numbers of testdata/DEVIATIONS.md: a ContainerSet that is evicted inside a DAG (2), a Retry in a DAG that fails fast (14), and a
daemon that is a ContainerSet in a DAG (22). It says which others are not played.

Exit code 0: the workflow survives them all. 1: it does not. 2: the input can't be read, or there is too much to simulate.

Examples:
  # Try a workflow before it is submitted
  nodestatus whatif my-wf.yaml

  # What could still go wrong with one that runs
  kubectl get workflow my-wf -o json | nodestatus whatif -

  # Any two pods
  nodestatus whatif -any 2 my-wf.yaml

  # The pods without which it fails
  nodestatus whatif my-wf.yaml -o json | jq -r '.losses[] | select(.survives | not) | .lost[].node' | sort -u

Usage:
  nodestatus whatif [-any 1|2] [-limit N] [-o text|json] FILE|-
  nodestatus whatif -suggest | -as argo | -all | -templates FILE | -name NAME ...
`

// whatifFlags are those of the command.
type whatifFlags struct {
	*workflowFlags
	lose, limit  *int
	all, suggest *bool
	as           *string
}

func newWhatifFlags(std stdio, outputs string) *whatifFlags {
	patience := diagnose.DefaultPatience
	f := &whatifFlags{workflowFlags: &workflowFlags{set: flags("whatif", std), pods: new(string), now: new(string), patience: &patience, runs: true}}
	f.set.Usage = func() {
		fmt.Fprint(f.set.Output(), whatifUsage+"\nOptions:\n")
		f.set.PrintDefaults()
	}
	f.shared(outputs)
	f.lose = f.set.Int("any", 1, "how many pods may be lost in one run: 1 or 2 `pods`")
	f.limit = f.set.Int("limit", whatif.DefaultMaxSimulations, "give up if more than `N` simulations are needed")
	f.chooses()
	f.all = f.set.Bool("all", false, "show the losses that do no damage, too")
	f.suggest = f.set.Bool("suggest", false, "look for the smallest change with which the workflow survives")
	f.as = f.set.String("as", "nodestatus", "by whose `rules` it is played: nodestatus or argo")
	return f
}

// check says what is wrong with the flags, if anything is.
func (f *whatifFlags) check() error {
	switch {
	case *f.lose != 1 && *f.lose != 2:
		return f.wrong(fmt.Sprintf("-any must be 1 or 2, got %d", *f.lose))
	case *f.limit <= 0:
		return f.wrong(fmt.Sprintf("-limit must be positive, got %d", *f.limit))
	case *f.as != "nodestatus" && *f.as != "argo":
		return f.wrong(fmt.Sprintf("-as must be nodestatus or argo, got %q", *f.as))
	}
	return nil
}

// whatifCommand prints what becomes of one workflow when it loses pods.
func whatifCommand(args []string, std stdio) error {
	const outputs = "text|json"
	f := newWhatifFlags(std, outputs)
	file, err := f.parse(args, outputs)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return err
	}
	w, in, err := f.input(file, std)
	if err != nil {
		return err
	}
	pace := &pace{began: time.Now()}
	r, found, err := f.search(std, w, in, pace)
	if tooMany := (*whatif.LimitError)(nil); errors.As(err, &tooMany) {
		return fmt.Errorf("%s: %w (raise it with -limit%s)", shown(file), err, pace.estimate(tooMany.Needed))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	out := newOutput(std.out)
	if *f.output == "json" {
		err = printLosses(out, w, r, *f.as, found)
	} else {
		t := &whatifText{out: out, paint: painterFor(std.out), columns: columnsOf(std.out), w: w, result: r, all: *f.all, as: *f.as, found: found}
		t.print()
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && !r.Verdict.Survives {
		return errFound
	}
	return err
}

// search plays the workflow with every loss, and looks for a change if that is asked for. An interrupt ends it with what is known.
func (f *whatifFlags) search(std stdio, w *argo.Workflow, in diagnose.Input, pace *pace) (*whatif.Result, *suggestion, error) {
	bar := newProgress(std.err)
	defer bar.end()
	interrupted, restore := signal.NotifyContext(context.Background(), os.Interrupt)
	defer restore()
	try := whatif.Input{
		Spec: in.Spec, Snapshot: in.Snapshot, Any: *f.lose, MaxSimulations: *f.limit, AsArgo: *f.as == "argo",
		Progress: func(done, total int) { pace.done = done; bar.show(done, total) },
		Stop:     func() bool { return interrupted.Err() != nil },
	}
	r, err := whatif.Run(try)
	if err != nil || !*f.suggest || r.Verdict.Survives || r.Partial {
		return r, nil, err
	}
	found, err := suggested(try, w)
	return r, found, err
}

// pace is how fast simulations are made.
type pace struct {
	began time.Time
	done  int
}

// estimate is how long so many would take, empty where none was made.
func (p *pace) estimate(needed int) string {
	if p.done == 0 {
		return ""
	}
	return ": at the pace so far they take about " + age(time.Since(p.began)/time.Duration(p.done)*time.Duration(needed))
}

// progress shows on a terminal how far a long run has come.
type progress struct {
	out   io.Writer // nil where it is no terminal
	began time.Time // zero if no estimate is wanted
	next  time.Time
	shown bool
}

func newProgress(w io.Writer) *progress {
	if s, ok := w.(*screen); ok { // which would not let the cursor move
		w = s.out
	}
	file, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{out: file, began: time.Now(), next: time.Now().Add(time.Second)} // short runs show nothing
}

func (p *progress) show(done, total int) {
	if p.out == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.shown = time.Now().Add(200*time.Millisecond), true
	fmt.Fprintf(p.out, "\r\x1b[KSimulated %d of %d (%d%%)%s", done, total, 100*done/max(total, 1), p.estimate(done, total))
}

// estimate is how long the rest will take, once that can be told.
func (p *progress) estimate(done, total int) string {
	if p.began.IsZero() || done == 0 {
		return ""
	}
	return fmt.Sprintf(", about %s left; Ctrl-C shows what is known by then", age(time.Since(p.began)*time.Duration(total-done)/time.Duration(done)))
}

// end takes the line away.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
