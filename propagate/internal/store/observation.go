package store

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// An Observation is what was seen of one run of a leaf: what an event says, or the engine itself brought about.
type Observation struct {
	fact.Run
	UID        string
	Message    string
	Reason     string
	Conditions []string
	Finished   Stamp
	ExitCode   int
	HasExit    bool
	Ready      bool
	Undated    bool
	Stage      fact.Stage
	Phase      nodegraph.Phase
}

// fact is the observation as a Fact.
func (o *Observation) fact() fact.Fact {
	f := fact.Fact{
		Serial: o.Serial, Attempt: o.Attempt, UID: o.UID, Stage: o.Stage, Ready: o.Ready, Phase: o.Phase, Message: o.Message,
		Reason: o.Reason, ExitCode: int(int32(o.ExitCode)), HasExit: o.HasExit,
		Finished: o.Finished.Time(), Undated: o.Undated,
	}
	f.AddConditions(o.Conditions)
	return f
}

// Knows reports, without a merge, that an observation was made before: hosts report most states many times.
func (s *Store) Knows(i nodegraph.Index, o *Observation) bool {
	return (o.UID == "" || o.UID == s.UID(i)) && s.knowsAllBut(i, o)
}

// knowsAllBut is Knows but for the UID of the pod.
func (s *Store) knowsAllBut(i nodegraph.Index, o *Observation) bool {
	n, d := &s.nodes[i], &s.details[i]
	return o.Stage == n.Stage && o.Serial == d.serial && o.Attempt == int(d.attempt) && o.Phase == n.Phase &&
		(o.Message == s.Text(d.message) || n.Stage.KeepsMessage(o.Stage, o.Phase, o.Message)) && o.Reason == s.more(i).reason &&
		(o.Finished == 0 || s.finished[i] != 0) && (o.Undated || !s.Undated(i)) && (n.Ran || o.Stage != fact.StageRunning) && (n.Ready || !o.Ready) &&
		(!o.HasExit || d.hasExit && int32(o.ExitCode) == d.exitCode) &&
		(len(o.Conditions) == 0 || o.conditions("") == s.more(i).conditions)
}

// conditions is what is known of the pod's conditions after the observation, if that was known before.
func (o *Observation) conditions(before string) string {
	f := fact.Fact{Conditions: before}
	f.AddConditions(o.Conditions)
	return f.Conditions
}

// Join merges an observation into what is known of node i and reports whether anything was learned. It is [fact.Fact.Merge].
// Those that are made most need no copy of what is known: of the run that is known and further on, and of a pod of which nobody knew
// but the UID, as after a record was read.
func (s *Store) Join(i nodegraph.Index, o *Observation) bool {
	n, d := &s.nodes[i], &s.details[i]
	if s.UID(i) == "" && !n.Released && s.knowsAllBut(i, o) {
		s.uids.put(&d.uid, o.UID)
		s.Note(i)
		return o.UID != ""
	}
	if o.Stage <= n.Stage || o.Stage == fact.StageStopped || o.Serial != d.serial || o.Attempt != int(d.attempt) || n.Released {
		return s.joinOther(i, o)
	}
	if o.UID != "" && s.UID(i) == "" {
		s.uids.put(&d.uid, o.UID)
	}
	n.Ran = n.Ran || o.Stage == fact.StageRunning
	n.Ready = n.Ready || o.Ready
	if o.HasExit {
		d.hasExit, d.exitCode = true, int32(o.ExitCode)
	}
	if !n.Stage.KeepsMessage(o.Stage, o.Phase, o.Message) {
		d.message = s.phrases.say(o.Message)
	}
	n.Stage, s.finished[i] = o.Stage, o.Finished
	if o.Stage != fact.StageGone {
		n.Phase = o.Phase
	}
	if d.rare != 0 || o.Reason != "" || len(o.Conditions) > 0 || o.Undated {
		s.joinRare(i, o)
	}
	s.Note(i)
	return true
}

// joinOther is Join for any other observation.
func (s *Store) joinOther(i nodegraph.Index, o *Observation) bool {
	f := s.Fact(i)
	if !f.Merge(o.fact()) {
		return false
	}
	s.Put(i, &f)
	return true
}

// joinRare is the part of Join that few nodes have.
func (s *Store) joinRare(i nodegraph.Index, o *Observation) {
	s.change(i, func(r *rareFact) {
		r.conditions, r.undated = o.conditions(r.conditions), o.Undated
		if o.Stage != fact.StageGone {
			r.reason = o.Reason
		}
	})
}

// SawRun notes that the pod of node i was seen to run.
func (s *Store) SawRun(i nodegraph.Index) {
	if n := &s.nodes[i]; !n.Ran {
		n.Ran = true
		s.Note(i)
	}
}

// SetExit notes the exit code of the main container of node i.
func (s *Store) SetExit(i nodegraph.Index, code int) {
	if d := &s.details[i]; !d.hasExit || d.exitCode != int32(code) {
		d.hasExit, d.exitCode = true, int32(code)
		s.Note(i)
	}
}

// Redate gives the pod of node i another place among the pods of the node, and its name where that is known.
func (s *Store) Redate(i nodegraph.Index, serial int64, uid string) {
	d := &s.details[i]
	d.serial = serial
	if uid != "" {
		s.uids.put(&d.uid, uid)
	}
	s.Note(i)
}

// BeginFirstRun makes what was stopped before it was heard of be in its first run. No verdict reads that.
func (s *Store) BeginFirstRun(i nodegraph.Index) {
	if d := &s.details[i]; d.attempt == 0 {
		d.attempt = 1
	}
}
