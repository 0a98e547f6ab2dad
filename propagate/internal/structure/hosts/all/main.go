// All is a host with everything that the library has for one: it reconciles, and diagnoses, tries losses, replays and draws.
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/propagate/whatif"
)

func main() {
	object, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = run(object)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(object []byte) error {
	var workflows reconcile.Reconciler
	out, err := workflows.Reconcile(time.Now(), object, nil)
	if err != nil {
		return err
	}
	fmt.Println(string(out.Patch))
	w, err := argo.Read(object)
	if err != nil {
		return err
	}
	in, err := diagnose.FromWorkflow(w)
	if err != nil {
		return err
	}
	report, err := diagnose.Diagnose(in)
	if err != nil {
		return err
	}
	losses, err := whatif.Run(whatif.Input{Spec: w.Spec})
	if err != nil {
		return err
	}
	engine, _, err := propagate.FromSnapshot(w.Spec, w.Snapshot)
	if err != nil {
		return err
	}
	recording, err := replay.Read(object)
	if err != nil {
		return err
	}
	verdict, err := replay.Judge(&replay.Player{Recording: recording})
	if err != nil {
		return err
	}
	page, err := draw.Of(engine).HTML()
	fmt.Println(report.Verdict(), losses.Verdict, verdict.Frames, len(page))
	return err
}
