package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Recording is what a controller did with one workflow.
type Recording struct {
	Name        string  // of the recording; in a LockTable also that of its workflow
	Description string  // what the recording shows, for people
	Engine      string  // the controller and its version
	Frames      []Frame // one for each reconcile, at least one

	// Settings are what a controller that is not Argo's knows of the workflow and its object has no field for.
	Settings Settings

	workflow map[string]json.RawMessage
	metadata json.RawMessage
}

// A Frame is one reconcile.
type Frame struct {
	Now      time.Time             // the controller's clock when it began
	Events   []string              // what was done to the cluster since the frame before, for people
	Pods     []propagate.PodStatus // all that existed when it began
	Shutdown string                // the strategy in force, empty for none
	Held     bool                  // the workflow is suspended as a whole
	Recorded nodegraph.Snapshot    // the status the controller left
	// Around are the locks of the workflow that others held when the frame began, by key: once for each of them.
	Around []string

	respecified bool           // the specification changed with this frame
	holders     map[string]int // how many held each semaphore
	spec        json.RawMessage
}

// A FormatError says which part of a recording can't be read.
type FormatError struct {
	Recording string // its name, empty where that could not be read
	Frame     int    // -1 for the recording as a whole
	Err       error  // what is wrong with it, or the error of the engine that played it
}

// Error names the recording and the frame.
func (e *FormatError) Error() string {
	if e.Frame < 0 {
		return fmt.Sprintf("replay: recording %q: %v", e.Recording, e.Err)
	}
	return fmt.Sprintf("replay: recording %q: frame %d: %v", e.Recording, e.Frame, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// maxSize bounds a recording once it is unpacked, in bytes.
const maxSize = 1 << 30

// The recording's own form.
type (
	recordingJSON struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Engine      string          `json:"engine"`
		Settings    Settings        `json:"settings"`
		Workflow    json.RawMessage `json:"workflow"`
		Frames      []frameJSON     `json:"frames"`
	}
	frameJSON struct {
		Now    time.Time       `json:"now"`
		Events []string        `json:"events"`
		Spec   json.RawMessage `json:"spec"`
		Pods   []podJSON       `json:"pods"`
		Status json.RawMessage `json:"status"`
		Around []string        `json:"around"`
	}
	// statusJSON is what the status says beside the nodes.
	statusJSON struct {
		Synchronization struct {
			Semaphore struct {
				Holding []struct {
					Semaphore string   `json:"semaphore"`
					Holders   []string `json:"holders"`
				} `json:"holding"`
			} `json:"semaphore"`
		} `json:"synchronization"`
		// Synced tells of nodes whether their results are stored (release 3.6, before it was a field of the node).
		Synced map[string]bool `json:"taskResultsCompletionStatus"`
	}
)

// Read reads a recording, as JSON or as gzipped JSON. The error is a [*FormatError].
func Read(data []byte) (*Recording, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err == nil {
			data, err = io.ReadAll(io.LimitReader(z, maxSize))
		}
		if err != nil {
			return nil, &FormatError{Frame: -1, Err: err}
		}
	}
	var in recordingJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, &FormatError{Recording: in.Name, Frame: -1, Err: err}
	}
	if len(in.Workflow) == 0 || len(in.Frames) == 0 {
		return nil, &FormatError{Recording: in.Name, Frame: -1, Err: errors.New("it has no workflow or no frames")}
	}
	r := &Recording{Name: in.Name, Description: in.Description, Engine: in.Engine, Settings: in.Settings}
	if err := json.Unmarshal(in.Workflow, &r.workflow); err != nil {
		return nil, &FormatError{Recording: in.Name, Frame: -1, Err: err}
	}
	r.metadata = r.workflow["metadata"]
	spec := r.workflow["spec"]
	for k := range in.Frames {
		frame, err := r.frame(&in.Frames[k], &spec)
		if err != nil {
			return nil, &FormatError{Recording: in.Name, Frame: k, Err: err}
		}
		r.Frames = append(r.Frames, frame)
	}
	return r, nil
}

// frame reads one frame; spec is the specification in force, which the frame may replace.
func (r *Recording) frame(in *frameJSON, spec *json.RawMessage) (Frame, error) {
	f := Frame{Now: in.Now.UTC(), Events: in.Events, Around: in.Around}
	if len(in.Spec) > 0 && string(in.Spec) != "null" {
		f.respecified, *spec = true, in.Spec
	}
	f.spec = *spec
	for k := range in.Pods {
		f.Pods = append(f.Pods, in.Pods[k].status())
	}
	w, err := r.readWorkflow(*spec, in.Status)
	if err != nil {
		return f, err
	}
	f.Recorded, f.Shutdown, f.Held = w.Snapshot, w.Snapshot.Shutdown, w.Snapshot.Suspended
	return f, f.readBeside(in.Status)
}

// readBeside reads what the status says beside the nodes.
func (f *Frame) readBeside(status json.RawMessage) error {
	if len(status) == 0 {
		return nil
	}
	var in statusJSON
	if err := json.Unmarshal(status, &in); err != nil {
		return err
	}
	f.holders = make(map[string]int)
	for _, h := range in.Synchronization.Semaphore.Holding {
		f.holders[h.Semaphore] = len(h.Holders)
	}
	for k := range f.Recorded.Nodes {
		n := &f.Recorded.Nodes[k]
		if synced, told := in.Synced[n.ID]; told && !synced {
			n.Unsynced = true
		}
	}
	return nil
}

// node returns the record of a node, nil if there is none.
func (f *Frame) node(id string) *nodegraph.NodeStatus {
	at := slices.IndexFunc(f.Recorded.Nodes, func(n nodegraph.NodeStatus) bool { return n.ID == id })
	if at < 0 {
		return nil
	}
	return &f.Recorded.Nodes[at]
}

// readWorkflow reads the workflow with this specification and status.
func (r *Recording) readWorkflow(spec, status json.RawMessage) (*argo.Workflow, error) {
	object := map[string]json.RawMessage{
		"apiVersion": r.workflow["apiVersion"], "kind": r.workflow["kind"], "metadata": r.metadata, "spec": spec,
	}
	if len(status) > 0 {
		object["status"] = status
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	w, err := argo.Read(text)
	if err == nil {
		r.Settings.apply(w.Spec)
	}
	return w, err
}

// Spec returns the workflow's specification as it was submitted. Each call returns a fresh one.
func (r *Recording) Spec() (*nodegraph.Spec, error) {
	w, err := r.readWorkflow(r.workflow["spec"], nil)
	if err != nil {
		return nil, &FormatError{Recording: r.Name, Frame: -1, Err: err}
	}
	return w.Spec, nil
}

// has tells whether the recorder did something of this name, such as resume, just before the frame.
func (f *Frame) has(event string) bool { return len(f.all(event)) > 0 }

// all returns what stands behind each word of this name among what the recorder did just before the frame.
func (f *Frame) all(event string) []string {
	var found []string
	for _, e := range f.Events {
		for part := range strings.SplitSeq(e, ";") {
			if verb, rest, _ := strings.Cut(strings.TrimSpace(part), " "); verb == event {
				found = append(found, rest)
			}
		}
	}
	return found
}
