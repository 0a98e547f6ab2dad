package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// workflowFlags are those of the commands that look at one workflow.
type workflowFlags struct {
	set      *flag.FlagSet
	pods     *string
	output   *string
	now      *string
	patience *time.Duration
}

func newWorkflowFlags(name, usage string, std stdio, outputs string) *workflowFlags {
	f := &workflowFlags{set: flags(name, std)}
	f.set.Usage = func() {
		fmt.Fprint(std.err, usage+"\nOptions:\n")
		f.set.PrintDefaults()
	}
	f.pods = f.set.String("pods", "", "`FILE` with the pods that exist, as kubectl get pods -o json prints them; - for standard input")
	f.output = f.set.String("o", strings.Split(outputs, "|")[0], "output `format`: "+strings.ReplaceAll(outputs, "|", " or "))
	f.now = f.set.String("now", "", "`time` (RFC 3339) at which the workflow is looked at (default: the clock)")
	f.patience = f.set.Duration("patience", diagnose.DefaultPatience, "how long the controller may take for what it can do at any time")
	return f
}

// parse reads flags and the one file; flags may come after it, as with kubectl.
func (f *workflowFlags) parse(args []string, outputs string) (file string, err error) {
	var files []string
	for {
		if err := f.set.Parse(args); err != nil {
			return "", usageError(err)
		}
		if f.set.NArg() == 0 {
			break
		}
		files, args = append(files, f.set.Arg(0)), f.set.Args()[1:]
	}
	wrong := ""
	switch {
	case len(files) != 1:
		wrong = fmt.Sprintf("want one workflow, got %d", len(files))
	case files[0] == "-" && *f.pods == "-":
		wrong = "only one of the workflow and the pods can come from standard input"
	case !strings.Contains("|"+outputs+"|", "|"+*f.output+"|"):
		wrong = fmt.Sprintf("unknown output format %q, want %s", *f.output, strings.ReplaceAll(outputs, "|", " or "))
	case *f.patience <= 0:
		wrong = fmt.Sprintf("-patience must be positive, got %s", *f.patience)
	default:
		return files[0], nil
	}
	fmt.Fprintf(f.set.Output(), "error: %s\nSee 'nodestatus %s -h' for help and examples.\n", wrong, f.set.Name())
	return "", errUsage
}

// read parses the arguments and reads what they name.
func (f *workflowFlags) read(args []string, outputs string, std stdio) (file string, w *argo.Workflow, in diagnose.Input, err error) {
	if file, err = f.parse(args, outputs); err == nil {
		w, in, err = f.input(file, std)
	}
	return file, w, in, err
}

// input reads the workflow, its pods and what it holds.
func (f *workflowFlags) input(file string, std stdio) (*argo.Workflow, diagnose.Input, error) {
	now := time.Now()
	if *f.now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, *f.now); err != nil {
			return nil, diagnose.Input{}, fmt.Errorf("-now: %w", err)
		}
	}
	data, err := readInput(file, std)
	if err != nil {
		return nil, diagnose.Input{}, err
	}
	w, err := argo.Read(data)
	if err != nil {
		return nil, diagnose.Input{}, fmt.Errorf("%s: %w", shown(file), err)
	}
	in, err := diagnose.FromWorkflow(w)
	if err != nil {
		return nil, in, fmt.Errorf("%s: %w", shown(file), err)
	}
	in.Now, in.Patience = now, *f.patience
	if *f.pods != "" {
		if data, err = readInput(*f.pods, std); err != nil {
			return nil, in, err
		}
		pods, err := diagnose.ReadPods(data, w.Namespace, w.Name)
		if err != nil {
			return nil, in, fmt.Errorf("%s: %w", shown(*f.pods), err)
		}
		in.UsePods(pods)
	}
	return w, in, nil
}

func readInput(file string, std stdio) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(std.in)
	}
	return os.ReadFile(file)
}

// shown is how errors name a file.
func shown(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
