package propagate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// stateJSON is the JSON of a State.
type stateJSON struct {
	Version   int                         `json:"version"`
	Name      string                      `json:"workflow"`
	Structure string                      `json:"structure"`
	Now       time.Time                   `json:"now,omitzero"`
	Started   time.Time                   `json:"started,omitzero"`
	Shutdown  string                      `json:"shutdown,omitempty"`
	Status    nodegraph.Phase             `json:"status,omitempty"`
	Suspended bool                        `json:"suspended,omitempty"`
	Overdue   bool                        `json:"overdue,omitempty"`
	Own       *nodeJSON                   `json:"own,omitempty"` // of the workflow itself
	Count     int                         `json:"count"`
	Nodes     []nodeJSON                  `json:"nodes"`
	Older     map[string]map[string]int64 `json:"older,omitempty"`
}

// nodeJSON is the JSON of a NodeState. What is usual is left out. A node with a phase has ended. A pod that runs, or ended and
// has a UID, ran, and for the first time. One of these that succeeded had the exit code 0.
type nodeJSON struct {
	Name       string          `json:"name,omitempty"`
	Stage      *fact.Stage     `json:"stage,omitempty"`
	Phase      nodegraph.Phase `json:"phase,omitempty"`
	Created    *seconds        `json:"from,omitempty"` // when it was created
	Finished   *seconds        `json:"to,omitempty"`   // when it had ended
	Undated    bool            `json:"undated,omitempty"`
	Message    string          `json:"message,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	UID        string          `json:"uid,omitempty"`
	Pod        *seconds        `json:"pod,omitempty"` // when the pod was created, where that is its serial
	Serial     int64           `json:"serial,omitempty"`
	Attempt    *int            `json:"attempt,omitempty"`
	Ran        *bool           `json:"ran,omitempty"`
	Ready      bool            `json:"ready,omitempty"`
	Exit       *int            `json:"exit,omitempty"`
	NoExit     bool            `json:"noExit,omitempty"`
	Conditions string          `json:"conditions,omitempty"`
	Unsynced   bool            `json:"unsynced,omitempty"`
	Synced     bool            `json:"synced,omitempty"`
	Recreate   int64           `json:"recreate,omitempty"`
	Restarts   int             `json:"restarts,omitempty"`
	Halted     string          `json:"halted,omitempty"`
	Released   bool            `json:"released,omitempty"`
	Lock       fact.LockState  `json:"lock,omitempty"`
	Waited     bool            `json:"waited,omitempty"`
	Answer     fact.Answer     `json:"answer,omitempty"`
	Memo       fact.Answer     `json:"memo,omitempty"`
	CacheHit   bool            `json:"cacheHit,omitempty"`
	Reopened   bool            `json:"reopened,omitempty"`
	SeenEnded  bool            `json:"seenEnded,omitempty"`
	Resolved   bool            `json:"resolved,omitempty"`
	Items      []itemJSON      `json:"items,omitempty"`
	Unexpanded bool            `json:"unexpanded,omitempty"`
}

// itemJSON is the JSON of an item of a loop.
type itemJSON struct {
	Text     string            `json:"text"`
	Fields   map[string]string `json:"fields,omitempty"`
	Template string            `json:"template,omitempty"`
}

// seconds is a time after the start of the workflow, as a decimal number of seconds, to the nanosecond.
type seconds time.Duration

// MarshalJSON writes no more digits than there are.
func (s seconds) MarshalJSON() ([]byte, error) {
	sign, n := "", int64(s)
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%s%d", sign, n/int64(time.Second))
	if rest := n % int64(time.Second); rest > 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", rest), "0")
	}
	return []byte(text), nil
}

// UnmarshalJSON reads what MarshalJSON writes, exactly.
func (s *seconds) UnmarshalJSON(data []byte) error {
	text, negative := strings.CutPrefix(string(data), "-")
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > int64(reach/time.Second)*2 || len(part) > 9 {
		return fmt.Errorf("%q is no number of seconds", data)
	}
	rest, err := strconv.ParseUint((part + "000000000")[:9], 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no number of seconds", data)
	}
	*s = seconds(n*int64(time.Second) + int64(rest))
	if negative {
		*s = -*s
	}
	return nil
}

// dated is the serial from which on it is the time at which a pod was created; those below are counted.
const dated = int64(365 * 24 * time.Hour)

// MarshalJSON writes the state as [State] describes it. The error is a [*StateError].
func (s State) MarshalJSON() ([]byte, error) {
	if err := s.checkNode(&NodeState{Fact: s.Workflow}); err != nil {
		return nil, err
	}
	out := stateJSON{
		Version: s.Version, Name: s.Name, Structure: s.Structure, Now: s.Now, Started: s.Started, Shutdown: s.Shutdown, Status: s.Status,
		Suspended: s.Suspended, Overdue: s.Overdue, Count: s.Count, Nodes: make([]nodeJSON, len(s.Nodes)), Older: s.Older,
	}
	if s.Workflow != (fact.Fact{}) {
		own := s.toJSON(&NodeState{Fact: s.Workflow})
		out.Own = &own
	}
	for k := range s.Nodes {
		if err := s.checkNode(&s.Nodes[k]); err != nil {
			return nil, err
		}
		out.Nodes[k] = s.toJSON(&s.Nodes[k])
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads a state of this version. It refuses what it does not know. The error of another version is a
// [*StateError].
func (s *State) UnmarshalJSON(data []byte) error {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.Version != stateVersion {
		return &StateError{Field: "version", Value: strconv.Itoa(head.Version), Err: ErrStateVersion}
	}
	var in stateJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return errors.Join(ErrInvalid, err)
	}
	*s = State{
		Version: in.Version, Name: in.Name, Structure: in.Structure, Now: in.Now.UTC(), Started: in.Started.UTC(), Shutdown: in.Shutdown,
		Status: in.Status, Suspended: in.Suspended, Overdue: in.Overdue, Count: in.Count, Older: in.Older,
	}
	if in.Own != nil {
		s.Workflow = s.fromJSON(in.Own).Fact
	}
	for k := range in.Nodes {
		s.Nodes = append(s.Nodes, s.fromJSON(&in.Nodes[k]))
	}
	return nil
}

// unless returns a pointer to a value, nil for the usual one.
func unless[T comparable](value, usual T) *T {
	if value == usual {
		return nil
	}
	return &value
}

// or returns what a pointer points to, the usual value for nil.
func or[T any](p *T, usual T) T {
	if p == nil {
		return usual
	}
	return *p
}

// usualStage is the stage of a node of which nothing is said but its phase.
func usualStage(p nodegraph.Phase) fact.Stage {
	if p.Completed() {
		return fact.StageEnded
	}
	return fact.StageNone
}

// usualAttempt is the run in which a pod is in a stage.
func usualAttempt(s fact.Stage) int { return min(int(s), 1) }

// usuallyRan reports whether a pod with this UID in a stage has run, in general.
func usuallyRan(s fact.Stage, uid string) bool {
	return s == fact.StageRunning || s == fact.StageEnded && uid != ""
}

// usuallyZero reports whether a pod with this UID had the exit code 0, in general.
func usuallyZero(s fact.Stage, p nodegraph.Phase, uid string) bool {
	return s == fact.StageEnded && p == nodegraph.PhaseSucceeded && uid != ""
}

// toJSON is the JSON of what is known of a node.
func (s *State) toJSON(n *NodeState) nodeJSON {
	f := &n.Fact
	out := nodeJSON{
		Name: n.Name, Stage: unless(f.Stage, usualStage(f.Phase)), Phase: f.Phase, Created: s.since(f.Created), Finished: s.since(f.Finished),
		Undated: f.Undated, Message: f.Message, Reason: f.Reason, UID: f.UID, Serial: f.Serial,
		Attempt: unless(f.Attempt, usualAttempt(f.Stage)), Ran: unless(f.Ran, usuallyRan(f.Stage, f.UID)), Ready: f.Ready,
		Conditions: f.Conditions, Unsynced: f.Unsynced, Synced: f.Synced, Recreate: f.RecreateSerial, Restarts: f.Restarts,
		Halted: f.Halted, Released: f.Released, Lock: f.Lock, Waited: f.Waited, Answer: f.Answer, Memo: f.Memo,
		CacheHit: f.CacheHit, Reopened: f.Reopened, SeenEnded: f.SeenEnded, Resolved: n.Resolved, Unexpanded: n.Unexpanded,
	}
	switch usual := usuallyZero(f.Stage, f.Phase, f.UID); {
	case f.HasExit && !(usual && f.ExitCode == 0):
		out.Exit = &f.ExitCode
	case !f.HasExit && usual:
		out.NoExit = true
	}
	if pod := time.Unix(0, f.Serial); f.Serial >= dated && s.inReach(pod) {
		out.Serial, out.Pod = 0, s.since(pod)
	}
	for _, item := range n.Items {
		out.Items = append(out.Items, itemJSON(item))
	}
	return out
}

// fromJSON is what is known of a node, out of its JSON.
func (s *State) fromJSON(in *nodeJSON) NodeState {
	stage := or(in.Stage, usualStage(in.Phase))
	n := NodeState{Name: in.Name, Resolved: in.Resolved, Unexpanded: in.Unexpanded, Fact: fact.Fact{
		Stage: stage, Phase: in.Phase, Created: s.after(in.Created), Finished: s.after(in.Finished), Undated: in.Undated,
		Message: in.Message, Reason: in.Reason, UID: in.UID, Serial: in.Serial,
		Attempt: or(in.Attempt, usualAttempt(stage)), Ran: or(in.Ran, usuallyRan(stage, in.UID)), Ready: in.Ready,
		HasExit: in.Exit != nil || !in.NoExit && usuallyZero(stage, in.Phase, in.UID), ExitCode: or(in.Exit, 0), Conditions: in.Conditions, Unsynced: in.Unsynced, Synced: in.Synced,
		RecreateSerial: in.Recreate, Restarts: in.Restarts, Halted: in.Halted, Released: in.Released,
		Lock: in.Lock, Waited: in.Waited, Answer: in.Answer, Memo: in.Memo, CacheHit: in.CacheHit, Reopened: in.Reopened,
		SeenEnded: in.SeenEnded,
	}}
	if in.Pod != nil {
		n.Fact.Serial = s.after(in.Pod).UnixNano()
	}
	for _, item := range in.Items {
		n.Items = append(n.Items, nodegraph.Item(item))
	}
	return n
}

// since is how a time is stored, nil for none.
func (s *State) since(t time.Time) *seconds {
	if t.IsZero() {
		return nil
	}
	d := seconds(t.Sub(s.base()))
	return &d
}

// after is the time that was stored, zero for none.
func (s *State) after(d *seconds) time.Time {
	if d == nil {
		return time.Time{}
	}
	return s.base().Add(time.Duration(*d))
}
