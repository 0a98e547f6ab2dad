// Command stuck plays a recording of a workflow that hung under its controller, and then the same observations through
// the library: what each changed and why, how the workflow completes, and how a second workflow that waited for the same
// lock goes on.
//
//	go run ./examples/stuck           plays the recording of a ContainerSet whose pod was deleted
//	go run ./examples/stuck FILE      plays another recording, - for standard input
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/testdata"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Args[1:], os.Stdin, out)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	data, err := input(args, in)
	if err != nil {
		return err
	}
	r, err := replay.Read(data)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n%s\n\n", r.Name, r.Description)
	hangs, err := showRecorded(out, r)
	if err != nil {
		return err
	}
	return showLibrary(out, r, hangs)
}

func input(args []string, in io.Reader) ([]byte, error) {
	switch {
	case len(args) == 0:
		return testdata.Stuck, nil
	case len(args) > 1:
		return nil, fmt.Errorf("want one recording, got %d", len(args))
	case args[0] == "-":
		return io.ReadAll(in)
	}
	return os.ReadFile(args[0])
}

// second is the workflow that waits for the same locks: one pod, nothing else.
func second(locks []nodegraph.Lock) *nodegraph.Spec {
	return &nodegraph.Spec{
		Name: "second-workflow", Entrypoint: "main", Locks: locks,
		Templates: []*nodegraph.Template{{Name: "main", Kind: nodegraph.KindPod}},
	}
}

// showLibrary plays the recording's observations through the library, beside the second workflow.
func showLibrary(out io.Writer, r *replay.Recording, hangs bool) error {
	spec, err := r.Spec()
	if err != nil {
		return err
	}
	p := &pair{out: out, table: &propagate.LockTable{}}
	player := &replay.Player{Recording: r, Mode: replay.Free, Locks: p.table, Granted: p.granted}
	fmt.Fprintf(out, "The same observations through nodestatus:\n")
	return player.Play(func(m *replay.Moment) error {
		f := &r.Frames[m.Frame]
		p.now = f.Now
		fmt.Fprintf(out, "\n%s  %s\n", f.Now.Format("15:04:05.000"), events(f))
		showResult(out, m.Engine, &m.Result)
		if m.Frame == 0 && len(spec.Locks) > 0 {
			return p.submit(second(spec.Locks))
		}
		if err := p.handOver(); err != nil {
			return err
		}
		if m.Frame == len(r.Frames)-1 {
			return showEnd(out, r, hangs, m.Engine, p)
		}
		return nil
	})
}

// showEnd plays the second workflow to its end and prints how all ended.
func showEnd(out io.Writer, r *replay.Recording, hangs bool, e *propagate.Engine, p *pair) error {
	if err := p.finish(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nWhat the library says at the end:\n")
	showEngine(out, e)
	var second *propagate.Engine
	if p.host != nil {
		second = p.host.Engine
		showEngine(out, second)
	}
	showSummary(out, r, hangs, e, second)
	return nil
}
