package propagate

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// FromState returns the engine of a state that was saved, and the names in it that the specification never asks for. What the
// host was asked and has not answered it is asked again by the next Apply. The specification may differ from that of the engine
// that was saved in what may change while a workflow runs: see [nodegraph.Spec.Fingerprint].
//
// No state makes an engine that is not sound: FromState tries one, which costs as much as some events. The error is that of
// [New], or a [*StateError], which says what of the state can't be: see its sentinels.
func FromState(spec *nodegraph.Spec, s State, opts ...nodegraph.Option) (*Engine, []string, error) {
	if _, err := nodegraph.New(spec, opts...); err != nil {
		return nil, nil, err
	}
	if err := s.check(spec); err != nil {
		return nil, nil, err
	}
	if err := try(spec, s, opts...); err != nil {
		return nil, nil, err
	}
	return fromState(spec, s, opts...)
}

// try reports what is wrong with the engine of a state, if anything is: before its first call, or after that. A state may have
// nodes where the specification allows none, which no rule expects.
func try(spec *nodegraph.Spec, s State, opts ...nodegraph.Option) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			err = &StateError{Field: "nodes", Err: inconsistent{err}}
		}
	}()
	e, _, err := fromState(spec, s, opts...)
	if err != nil {
		return err
	}
	if err := e.Check(); err != nil {
		return err
	}
	now := s.Now
	if now.IsZero() {
		now = time.Unix(0, 0).UTC()
	}
	if _, err := e.Apply(now); err != nil {
		return err
	}
	return e.Check()
}
