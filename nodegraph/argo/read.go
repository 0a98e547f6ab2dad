package argo

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Workflow is one Argo Workflow that was read.
type Workflow struct {
	Name, Namespace, UID string

	Spec     *nodegraph.Spec
	Snapshot nodegraph.Snapshot

	raw      map[string]json.RawMessage // the whole object
	status   map[string]json.RawMessage // its status
	nodes    map[string]json.RawMessage // its nodes, by id
	deflated bool                       // the nodes came compressed
}

// A ReadError says what could not be read, and where.
type ReadError struct {
	Workflow string // the name, if it was read
	Node     string // the id of the node, if one is at fault
	Field    string
	Err      error
}

// Error names the workflow, the node and the field.
func (e *ReadError) Error() string {
	var b strings.Builder
	b.WriteString("argo: ")
	if e.Workflow != "" {
		fmt.Fprintf(&b, "workflow %q: ", e.Workflow)
	}
	if e.Node != "" {
		fmt.Fprintf(&b, "node %q: ", e.Node)
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	fmt.Fprintf(&b, "%v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// ErrOffloaded is in the chain of the error for a workflow whose nodes Argo keeps in a database.
var ErrOffloaded = errors.New("the nodes are offloaded to a database: ask the Argo server for the workflow, or turn off nodeStatusOffload")

// Limits bound what is read. The zero value means the defaults.
type Limits struct {
	Bytes        int // of input; default 256 MiB
	Decompressed int // of compressedNodes once unpacked; default 256 MiB
}

const defaultBytes = 256 << 20

// Read reads one Workflow from JSON or YAML: the object, or a list with one item as kubectl prints it. Errors are
// [*ReadError] and [*nodegraph.SpecError]; nothing of the input is kept then.
func Read(data []byte) (*Workflow, error) { return ReadLimited(data, Limits{}) }

// ReadLimited is Read with the host's own limits.
func ReadLimited(data []byte, limits Limits) (*Workflow, error) {
	if limits.Bytes <= 0 {
		limits.Bytes = defaultBytes
	}
	if limits.Decompressed <= 0 {
		limits.Decompressed = defaultBytes
	}
	if len(data) > limits.Bytes {
		return nil, &ReadError{Err: &nodegraph.LimitError{Limit: "Bytes", Max: limits.Bytes}}
	}
	text, err := toJSON(data)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, &ReadError{Err: err}
	}
	if o.Items != nil && strings.HasSuffix(o.Kind, "List") {
		if len(o.Items) != 1 {
			return nil, &ReadError{Field: "items", Err: fmt.Errorf("want one workflow, found %d", len(o.Items))}
		}
		return ReadLimited(o.Items[0], limits)
	}
	return newWorkflow(text, &o, limits)
}

// toJSON returns data as JSON: as it is if it looks like that, else converted from YAML.
func toJSON(data []byte) ([]byte, error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(trimmed) == 0 {
		return nil, &ReadError{Err: errors.New("the input is empty")}
	}
	if trimmed[0] == '{' {
		return trimmed, nil
	}
	if !bytes.Contains(trimmed[:min(len(trimmed), 1<<20)], []byte(":")) {
		return nil, &ReadError{Err: errors.New("the input is neither a JSON object nor YAML")}
	}
	text, err := yaml.YAMLToJSON(trimmed)
	if err != nil {
		return nil, &ReadError{Err: err}
	}
	return text, nil
}

func newWorkflow(text []byte, o *object, limits Limits) (*Workflow, error) {
	w := &Workflow{Name: o.Metadata.Name, Namespace: o.Metadata.Namespace, UID: o.Metadata.UID}
	bad := func(field string, err error) error { return &ReadError{Workflow: w.Name, Field: field, Err: err} }
	if o.Kind != "Workflow" {
		return nil, bad("kind", fmt.Errorf("want Workflow, found %q", bounded(o.Kind)))
	}
	if o.Metadata.Name == "" {
		return nil, bad("metadata.name", errors.New("is empty"))
	}
	if o.Status.OffloadVersion != "" {
		return nil, bad("status.offloadNodeStatusVersion", ErrOffloaded)
	}
	if err := json.Unmarshal(text, &w.raw); err != nil {
		return nil, bad("", err)
	}
	if s := w.raw["status"]; len(s) > 0 {
		if err := json.Unmarshal(s, &w.status); err != nil {
			return nil, bad("status", err)
		}
	}
	w.nodes = o.Status.Nodes
	if o.Status.CompressedNodes != "" {
		nodes, err := decompress(o.Status.CompressedNodes, limits.Decompressed)
		if err != nil {
			return nil, bad("status.compressedNodes", err)
		}
		w.nodes, w.deflated = nodes, true
	}
	var err error
	if w.Spec, err = convertSpec(o); err != nil {
		return nil, err
	}
	if w.Snapshot, err = convertStatus(o, w.nodes); err != nil {
		return nil, err
	}
	return w, nil
}

// decompress unpacks compressedNodes: base64 around gzip around JSON.
func decompress(packed string, most int) (map[string]json.RawMessage, error) {
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(text) > most {
		return nil, &nodegraph.LimitError{Limit: "Decompressed", Max: most}
	}
	var nodes map[string]json.RawMessage
	if err := json.Unmarshal(text, &nodes); err != nil {
		return nil, err
	}
	return nodes, nil
}

// convertStatus reads the recorded nodes, in the order of their names.
func convertStatus(o *object, nodes map[string]json.RawMessage) (nodegraph.Snapshot, error) {
	s := nodegraph.Snapshot{
		Message: o.Status.Message, Started: moment(o.Status.StartedAt), Finished: moment(o.Status.FinishedAt),
		Shutdown: o.Spec.Shutdown, Held: o.Spec.Suspend != nil && *o.Spec.Suspend,
	}
	var err error
	if s.Phase, err = nodegraph.ParsePhase(o.Status.Phase); err != nil {
		return s, &ReadError{Workflow: o.Metadata.Name, Field: "status.phase", Err: err}
	}
	for id, text := range nodes {
		r, err := convertNode(id, text)
		if err != nil {
			err.(*ReadError).Workflow = o.Metadata.Name
			return s, err
		}
		s.Nodes = append(s.Nodes, r)
	}
	slices.SortFunc(s.Nodes, func(a, b nodegraph.Recorded) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}

func convertNode(id string, text json.RawMessage) (nodegraph.Recorded, error) {
	bad := func(field string, err error) (nodegraph.Recorded, error) {
		return nodegraph.Recorded{}, &ReadError{Node: id, Field: field, Err: err}
	}
	var n node
	if err := json.Unmarshal(text, &n); err != nil {
		return bad("", err)
	}
	if n.ID == "" || n.ID != id {
		return bad("id", fmt.Errorf("is %q", bounded(n.ID)))
	}
	if n.Name == "" {
		return bad("name", errors.New("is empty"))
	}
	phase, err := nodegraph.ParsePhase(n.Phase)
	if err != nil {
		return bad("phase", err)
	}
	if phase == nodegraph.Planned {
		return bad("phase", errors.New("is empty"))
	}
	kind, err := nodegraph.ParseKind(n.Type)
	if err != nil || kind == nodegraph.Workflow {
		return bad("type", fmt.Errorf("%q is not a node type", bounded(n.Type)))
	}
	r := nodegraph.Recorded{
		ID: n.ID, Name: n.Name, DisplayName: n.DisplayName, Kind: kind, Phase: phase, Message: n.Message,
		Started: moment(n.StartedAt), Finished: moment(n.FinishedAt), Restarts: n.FailedPodRestarts,
		Daemoned: n.Daemoned != nil && *n.Daemoned, Unsynced: n.TaskResultSynced != nil && !*n.TaskResultSynced,
		CacheHit: n.Memoization != nil && n.Memoization.Hit, Boundary: n.BoundaryID, Template: n.TemplateName, Children: n.Children,
	}
	if n.NodeFlag != nil {
		r.Hooked, r.Retried = n.NodeFlag.Hooked, n.NodeFlag.Retried
	}
	if n.Synchronization != nil {
		r.WaitsFor = n.Synchronization.Waiting
	}
	if n.Outputs != nil && n.Outputs.ExitCode != nil {
		if code, err := strconv.Atoi(*n.Outputs.ExitCode); err == nil {
			r.ExitCode, r.HasExit = code, true
		}
	}
	return r, nil
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// bounded keeps error texts short whatever the input says.
func bounded(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
