package argo

import (
	"fmt"
	"strconv"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// retry converts a retry strategy. Fields that only the host knows count as not set; a strategy with such an
// expression keeps the policy that goes with one.
func (c *converter) retry(field string, in *retryStrategy) (*retry.Strategy, error) {
	if in == nil {
		return nil, nil
	}
	s := &retry.Strategy{}
	if open(in.RetryPolicy) {
		c.unresolved(field+".retryPolicy", in.RetryPolicy, countsNotSet)
	} else {
		s.Policy = retry.Policy(in.RetryPolicy)
	}
	var err error
	if s.Limit, err = c.number(field+".limit", in.Limit); err != nil {
		return nil, err
	}
	switch {
	case in.Expression == "":
	case open(in.Expression):
		c.unresolved(field+".expression", in.Expression, countsNotSet)
		if s.Policy == "" {
			s.Policy = retry.PolicyAlways
		}
	default:
		if s.Expression, err = retry.Compile(in.Expression); err != nil {
			s.Expression = retry.Uncompiled(in.Expression, err) // an error of the node, once it is asked
		}
	}
	s.Backoff, err = c.backoff(field+".backoff", in.Backoff)
	return s, err
}

// backoff converts a backoff. Without a known duration there is none.
func (c *converter) backoff(field string, in *backoff) (*retry.Backoff, error) {
	if in == nil {
		return nil, nil
	}
	var b retry.Backoff
	var err error
	if b.Duration, err = c.duration(field+".duration", in.Duration); err != nil {
		return nil, err
	}
	if b.Cap, err = c.duration(field+".cap", in.Cap); err != nil {
		return nil, err
	}
	if b.MaxDuration, err = c.duration(field+".maxDuration", in.MaxDuration); err != nil {
		return nil, err
	}
	factor, err := c.number(field+".factor", in.Factor)
	if err != nil {
		return nil, err
	}
	if factor != nil {
		b.Factor = *factor
	}
	if open(in.Duration) {
		return nil, nil
	}
	if b.Duration == nodegraph.AtOnce || b.Cap == nodegraph.AtOnce { // then no wait is longer than nothing
		b.Duration, b.Cap = 0, 0
	}
	return &b, nil
}

// number reads a number that may be given as text; nil where it is not set or only the host knows it.
func (c *converter) number(field string, in *intOrString) (*int, error) {
	if in == nil {
		return nil, nil
	}
	if open(string(*in)) {
		c.unresolved(field, string(*in), countsNotSet)
		return nil, nil
	}
	n, err := strconv.ParseInt(string(*in), 10, 32)
	if err != nil {
		return nil, inField(field, fmt.Errorf("%q is not a number", bounded(string(*in))))
	}
	number := int(n)
	return &number, nil
}
