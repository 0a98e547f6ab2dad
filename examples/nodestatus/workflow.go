package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// workflowFlags are those of the commands that look at workflows.
type workflowFlags struct {
	set       *flag.FlagSet
	pods      *string
	output    *string
	now       *string
	patience  *time.Duration
	templates *string
	name      *string // of the one workflow or template that is meant; nil where all are
	runs      bool    // templates are read as what is made of them

	library *argo.Templates    // of -templates
	index   *diagnose.PodIndex // of -pods
	at      time.Time          // of -now
}

func newWorkflowFlags(name, usage string, std stdio, outputs string) *workflowFlags {
	f := &workflowFlags{set: flags(name, std)}
	f.set.Usage = func() {
		fmt.Fprint(f.set.Output(), usage+"\nOptions:\n")
		f.set.PrintDefaults()
	}
	f.pods = f.set.String("pods", "", "`FILE` with the pods that exist, as kubectl get pods -o json prints them; - for standard input")
	f.now = f.set.String("now", "", "`time` (RFC 3339) at which the workflow is looked at (default: the clock)")
	f.patience = f.set.Duration("patience", diagnose.DefaultPatience, "how long the controller may take for what it can do at any time; pods and the cluster get six times as long")
	f.shared(outputs)
	return f
}

// shared adds the flags that whatif has, too.
func (f *workflowFlags) shared(outputs string) {
	f.output = f.set.String("o", strings.Split(outputs, "|")[0], "output `format`: "+strings.ReplaceAll(outputs, "|", " or "))
	f.set.StringVar(f.output, "output", strings.Split(outputs, "|")[0], "the same as -o")
	f.templates = f.set.String("templates", "", "`FILE` with WorkflowTemplates and ClusterWorkflowTemplates that the workflow refers to")
}

// chooses adds the flag with which one of several is chosen.
func (f *workflowFlags) chooses() {
	f.name = f.set.String("name", "", "`NAME` of the workflow or template that is meant, where the file has several")
}

// files reads flags and the files; flags may come after them, as with kubectl. What comes after -- is a file.
func (f *workflowFlags) files(args []string, outputs string) (files []string, err error) {
	for {
		if err := f.set.Parse(args); err != nil {
			return nil, usageError(err)
		}
		rest := f.set.Args()
		if at := len(args) - len(rest); at > 0 && args[at-1] == "--" {
			files = append(files, rest...)
			break
		}
		if len(rest) == 0 {
			break
		}
		files, args = append(files, rest[0]), rest[1:]
	}
	wrong := ""
	switch {
	case len(files) == 0:
		wrong = "want one workflow, got 0"
	case slices.Contains(files, "-") && *f.pods == "-":
		wrong = "only one of the workflow and the pods can come from standard input"
	case !strings.Contains("|"+outputs+"|", "|"+*f.output+"|"):
		wrong = fmt.Sprintf("unknown output format %q, want %s", *f.output, strings.ReplaceAll(outputs, "|", " or "))
	case *f.patience <= 0:
		wrong = fmt.Sprintf("-patience must be positive, got %s", *f.patience)
	default:
		return files, nil
	}
	return nil, f.wrong(wrong)
}

// wrong says how the command was called wrongly.
func (f *workflowFlags) wrong(text string) error {
	fmt.Fprintf(f.set.Output(), "error: %s\nSee 'nodestatus %s -h' for help and examples.\n", text, f.set.Name())
	return errUsage
}

// parse reads flags and the one file.
func (f *workflowFlags) parse(args []string, outputs string) (file string, err error) {
	files, err := f.files(args, outputs)
	if err == nil && len(files) > 1 {
		err = f.wrong(fmt.Sprintf("want one workflow, got %d", len(files)))
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
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
	if err := f.prepare(std); err != nil {
		return nil, diagnose.Input{}, err
	}
	data, err := readInput(file, std)
	if err != nil {
		return nil, diagnose.Input{}, err
	}
	w, err := f.one(data)
	if err != nil {
		return nil, diagnose.Input{}, fmt.Errorf("%s: %w", shown(file), hinted(err))
	}
	in, err := f.inputOf(w)
	if err != nil {
		return nil, in, fmt.Errorf("%s: %w", shown(file), err)
	}
	return w, in, nil
}

// one reads the one workflow of an input. The input may hold the templates that the workflow refers to, and other things, too. Where
// it holds nothing but one template, that is read as what is made of it.
func (f *workflowFlags) one(data []byte) (*argo.Workflow, error) {
	w, err := argo.Read(data, f.options()...)
	if f.name == nil || *f.name == "" {
		if err == nil || !f.runs {
			return w, err
		}
	}
	library, other := argo.ReadTemplates(bytes.NewReader(data))
	if other != nil {
		return nil, cmp.Or(err, other)
	}
	for _, more := range [][]argo.Option{nil, {argo.WithRuns()}} {
		var names []string
		d := argo.NewDecoder(bytes.NewReader(data), append(more, argo.WithTemplates(f.library.With(library)))...)
		for {
			next, problem := d.Next()
			if errors.Is(problem, io.EOF) {
				break
			}
			if problem == nil && f.means(next.Name) {
				w, names = next, append(names, next.Name)
			}
		}
		switch {
		case len(names) == 1:
			return w, nil
		case len(names) > 1:
			return nil, fmt.Errorf("want one workflow, found %d (%s): choose one with -name NAME", len(names), tree.Shortened(strings.Join(names, ", "), 200))
		}
	}
	if f.name != nil && *f.name != "" {
		err = fmt.Errorf("no workflow and no template has the name %q", *f.name)
	}
	return nil, err
}

// means reports whether a workflow or template of this name may be meant.
func (f *workflowFlags) means(name string) bool {
	return f.name == nil || *f.name == "" || *f.name == name
}

// hinted adds what a user of the program can do about an error.
func hinted(err error) error {
	if e := (*argo.ReadError)(nil); errors.As(err, &e) && e.Field == "spec.workflowTemplateRef" {
		return fmt.Errorf("%w (give the template with -templates FILE)", err)
	}
	return err
}

// prepare reads what all workflows share: the time, the pods and the templates.
func (f *workflowFlags) prepare(std stdio) error {
	f.at = time.Now()
	if *f.now != "" {
		at, err := time.Parse(time.RFC3339, *f.now)
		if err != nil {
			return fmt.Errorf("-now: %w", err)
		}
		f.at = at
	}
	if *f.pods != "" {
		data, err := readInput(*f.pods, std)
		if err != nil {
			return err
		}
		if f.index, err = diagnose.ReadPodIndex(data); err != nil {
			return fmt.Errorf("%s: %w", shown(*f.pods), err)
		}
	}
	if *f.templates != "" {
		file, err := os.Open(*f.templates)
		if err != nil {
			return err
		}
		defer file.Close()
		if f.library, err = argo.ReadTemplates(file); err != nil {
			return fmt.Errorf("%s: %w", *f.templates, err)
		}
	}
	return nil
}

// options are those with which workflows are read.
func (f *workflowFlags) options() []argo.Option {
	options := []argo.Option{argo.WithTemplates(f.library)}
	if f.runs {
		options = append(options, argo.WithRuns())
	}
	return options
}

// inputOf is what is known of a workflow.
func (f *workflowFlags) inputOf(w *argo.Workflow) (diagnose.Input, error) {
	in, err := diagnose.FromWorkflow(w)
	if err != nil {
		return in, err
	}
	in.Now, in.Patience = f.at, *f.patience
	if f.index != nil {
		pods, err := f.index.Of(w.Namespace, w.Name)
		if err != nil {
			return in, err
		}
		in.UsePods(pods)
	}
	return in, nil
}

// opened opens an input to be read bit by bit.
func opened(file string, std stdio) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(std.in), nil
	}
	return os.Open(file)
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
