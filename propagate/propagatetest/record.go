package propagatetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/retry"
)

// A Recorder writes what a controller does with one workflow, in the form that package replay reads: see RECORDING.md and
// recording.schema.json beside this package. The controller may be one that embeds the library, or any other. A frame is one
// reconcile: Now, Pods and Locks are taken before it, and State after it.
type Recorder struct {
	Name        string // of the recording
	Description string // what it shows, for people
	Engine      string // the controller and its version

	spec     *nodegraph.Spec
	workflow object
	frames   []frameJSON
	last     nodegraph.Snapshot
}

// A Frame is what a controller saw of a workflow, and what it left, in one reconcile.
type Frame struct {
	Now   time.Time             // when it began
	State nodegraph.Snapshot    // what it left: propagate.Engine.Snapshot, or a record of another controller
	Pods  []propagate.PodStatus // all that it saw
	// Locks, if set, is the table of locks when the reconcile began, a Clone from then. A workflow that waits for what another
	// holds needs it, or its replay gets the lock.
	Locks *propagate.LockTable
	// Events are what happened beside the pods since the frame before: see RECORDING.md for those that the player carries out.
	Events []string
}

// frameJSON is a frame as it is stored.
type frameJSON struct {
	Now    time.Time       `json:"now"`
	Events []string        `json:"events"`
	Spec   json.RawMessage `json:"spec,omitempty"`
	Around []string        `json:"around,omitempty"`
	Pods   []object        `json:"pods"`
	Status json.RawMessage `json:"status"`
}

// A RecordError says what the form of recordings has no place for.
type RecordError struct {
	Workflow string // its name
	What     string // the specification, or the pods
	Diff     string // between what was given and what would be read back
}

// Error names the workflow and shows the difference.
func (e *RecordError) Error() string {
	return fmt.Sprintf("propagatetest: %s of workflow %s can't be recorded (-given +read back):\n%s", e.What, e.Workflow, e.Diff)
}

// NewRecorder begins the recording of a workflow. The error is a [*RecordError] if the specification has something that the form
// has no place for, such as a template that can't run.
func NewRecorder(name string, spec *nodegraph.Spec) (*Recorder, error) {
	r := &Recorder{Name: name, Engine: "propagatetest", spec: spec, last: nodegraph.Snapshot{Suspended: spec.Suspended}}
	if err := json.Unmarshal(Manifest(spec), &r.workflow); err != nil {
		return nil, err
	}
	r.frames = []frameJSON{{Now: epoch, Pods: []object{}, Events: []string{}, Status: json.RawMessage("{}")}}
	back, err := r.read()
	r.frames = nil
	if err != nil {
		return nil, err
	}
	given := *spec
	given.AnyNames = back.AnyNames
	same := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b *retry.Expression) bool {
		return a == b || a != nil && b != nil && a.String() == b.String()
	})}
	if diff := cmp.Diff(&given, back, same); diff != "" {
		return nil, &RecordError{spec.Name, "the specification", diff}
	}
	return r, nil
}

// read reads the specification back.
func (r *Recorder) read() (*nodegraph.Spec, error) {
	data, err := r.Encode()
	if err != nil {
		return nil, err
	}
	recording, err := replay.Read(data)
	if err != nil {
		return nil, err
	}
	return recording.Spec()
}

// Frame adds a frame. The error is a [*RecordError] for pods that the form has no place for, or that of the status.
func (r *Recorder) Frame(f Frame) error {
	w, err := argo.Read(encoded(r.workflow))
	if err != nil {
		return err
	}
	if err := w.SetStatus(f.State); err != nil {
		return err
	}
	text, err := w.Encode()
	if err != nil {
		return err
	}
	var written struct {
		Status json.RawMessage `json:"status"`
	}
	if err := json.Unmarshal(text, &written); err != nil {
		return err
	}
	out := frameJSON{Now: f.Now, Events: f.Events, Pods: podObjects(f.Pods), Status: written.Status, Around: r.around(f.Locks)}
	if out.Events == nil {
		out.Events = []string{}
	}
	if err := r.checkPods(f.Pods, out.Pods); err != nil {
		return err
	}
	if f.State.Shutdown != r.last.Shutdown || f.State.Suspended != r.last.Suspended {
		out.Spec = r.specWith(f.State.Shutdown, f.State.Suspended)
	}
	r.last = f.State
	r.frames = append(r.frames, out)
	return nil
}

// specWith is the spec with the requests to stop or to hold the workflow.
func (r *Recorder) specWith(shutdown string, held bool) json.RawMessage {
	spec := make(object)
	for key, value := range r.workflow["spec"].(object) {
		spec[key] = value
	}
	delete(spec, "suspend")
	set(spec, "shutdown", shutdown)
	set(spec, "suspend", held)
	return encoded(spec)
}

// around are the locks of the workflow that others hold.
func (r *Recorder) around(table *propagate.LockTable) []string {
	var keys, seen []string
	if table == nil {
		return nil
	}
	r.spec.EachLock(func(l *nodegraph.Lock) {
		if slices.Contains(seen, l.Key) {
			return
		}
		seen = append(seen, l.Key)
		for _, h := range table.Holders(l.Key) {
			if h.Workflow != r.spec.Name {
				keys = append(keys, l.Key)
			}
		}
	})
	return keys
}

// checkPods reads pods back: nothing of them is lost.
func (r *Recorder) checkPods(given []propagate.PodStatus, written []object) error {
	back, err := replay.ReadPods(encoded(object{"kind": "List", "items": written}))
	if err != nil {
		return err
	}
	if diff := cmp.Diff(given, back, cmpopts.EquateEmpty()); diff != "" {
		return &RecordError{r.spec.Name, "a pod", diff}
	}
	return nil
}

// Encode returns the recording as JSON.
func (r *Recorder) Encode() ([]byte, error) {
	return json.Marshal(struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Engine      string          `json:"engine"`
		Settings    replay.Settings `json:"settings"`
		Workflow    object          `json:"workflow"`
		Frames      []frameJSON     `json:"frames"`
	}{r.Name, r.Description, r.Engine, replay.SettingsOf(r.spec), r.workflow, r.frames})
}
