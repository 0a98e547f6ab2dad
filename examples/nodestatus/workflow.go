package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/replay"
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
	in := diagnose.Input{Now: time.Now(), Patience: *f.patience}
	if *f.now != "" {
		now, err := time.Parse(time.RFC3339, *f.now)
		if err != nil {
			return nil, in, fmt.Errorf("-now: %w", err)
		}
		in.Now = now
	}
	data, err := readInput(file, std)
	if err != nil {
		return nil, in, err
	}
	w, err := argo.Read(data)
	if err != nil {
		return nil, in, fmt.Errorf("%s: %w", shown(file), err)
	}
	in.Spec, in.Snapshot = w.Spec, w.Snapshot
	if in.Holdings, err = holdings(w); err != nil {
		return nil, in, fmt.Errorf("%s: status.synchronization: %w", shown(file), err)
	}
	if *f.pods != "" {
		if data, err = readInput(*f.pods, std); err != nil {
			return nil, in, err
		}
		if in.Pods, err = podsOf(w, data); err != nil {
			return nil, in, fmt.Errorf("%s: %w", shown(*f.pods), err)
		}
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

// labelWorkflow is the label by which a pod names its workflow.
const labelWorkflow = "workflows.argoproj.io/workflow"

// podsOf reads the pods of w out of all that kubectl has printed. Pods without a label may be those of recordings, and
// are told by their node.
func podsOf(w *argo.Workflow, data []byte) ([]propagate.PodStatus, error) {
	var list struct {
		Kind  string            `json:"kind"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("pods: %w", err)
	}
	switch list.Kind {
	case "Pod":
		list.Items = []json.RawMessage{data}
	case "List", "PodList":
	default:
		return nil, fmt.Errorf("pods: want a List of pods as kubectl get pods -o json prints it, found kind %q", list.Kind)
	}
	own := []json.RawMessage{}
	for k, item := range list.Items {
		var pod struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Namespace string            `json:"namespace"`
				Labels    map[string]string `json:"labels"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(item, &pod); err != nil {
			return nil, fmt.Errorf("pods: items[%d]: %w", k, err)
		}
		if pod.Kind != "" && pod.Kind != "Pod" {
			return nil, fmt.Errorf("pods: items[%d]: want a Pod, found kind %q", k, pod.Kind)
		}
		label := pod.Metadata.Labels[labelWorkflow]
		if (label == "" || label == w.Name) && (pod.Metadata.Namespace == "" || w.Namespace == "" || pod.Metadata.Namespace == w.Namespace) {
			own = append(own, item)
		}
	}
	text, err := json.Marshal(map[string]any{"kind": "List", "items": own})
	if err != nil {
		return nil, err
	}
	return replay.ReadPods(text)
}

// holdings reads from the status which locks the workflow holds: nil where it does not say.
func holdings(w *argo.Workflow) ([]diagnose.Holding, error) {
	text, err := w.Encode()
	if err != nil {
		return nil, err
	}
	var object struct {
		Status struct {
			Synchronization *struct {
				Mutex struct {
					Holding []struct {
						Mutex  string `json:"mutex"`
						Holder string `json:"holder"`
					} `json:"holding"`
				} `json:"mutex"`
				Semaphore struct {
					Holding []struct {
						Semaphore string   `json:"semaphore"`
						Holders   []string `json:"holders"`
					} `json:"holding"`
				} `json:"semaphore"`
			} `json:"synchronization"`
		} `json:"status"`
	}
	var wrong *json.UnmarshalTypeError
	if err := json.Unmarshal(text, &object); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s: found %s", wrong.Field, wrong.Value)
	}
	s := object.Status.Synchronization
	if s == nil {
		return nil, nil
	}
	list := []diagnose.Holding{}
	add := func(key, holder string) {
		if workflow, node := splitHolder(w, holder); workflow {
			list = append(list, diagnose.Holding{Key: key, Node: node})
		}
	}
	for _, h := range s.Mutex.Holding {
		add(h.Mutex, h.Holder)
	}
	for _, h := range s.Semaphore.Holding {
		for _, holder := range h.Holders {
			add(h.Semaphore, holder)
		}
	}
	return list, nil
}

// splitHolder reads a holder as Argo writes it, namespace/workflow or namespace/workflow/node; false if it is another
// workflow. Older releases wrote the workflow or the node alone.
func splitHolder(w *argo.Workflow, holder string) (ours bool, node string) {
	parts := strings.Split(holder, "/")
	switch len(parts) {
	case 1:
		node = parts[0]
		if node == w.Name {
			node = ""
		}
		return true, node
	case 2:
		return parts[1] == w.Name, ""
	}
	return parts[1] == w.Name, parts[2]
}
