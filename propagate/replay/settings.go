package replay

import (
	"cmp"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// Settings are what a controller knows of a workflow beside its object. The zero Settings are Argo's.
type Settings struct {
	TimeoutsByEngine bool                    `json:"timeoutsByEngine,omitempty"` // not nodegraph.Spec.TimeoutsByHost
	PodRestarts      int                     `json:"podRestarts,omitempty"`      // that of nodegraph.Spec
	TransientErrors  string                  `json:"transientErrors,omitempty"`  // that of nodegraph.Spec
	Limits           map[string]int          `json:"limits,omitempty"`           // of semaphores, by key
	Retries          map[string]RetrySetting `json:"retries,omitempty"`          // by the name of the template
}

// A RetrySetting is what a retry strategy has beyond Argo.
type RetrySetting struct {
	IgnoreDisruptions bool                `json:"ignoreDisruptions,omitempty"` // that of retry.Strategy
	Jitter            float64             `json:"jitter,omitempty"`            // that of retry.Backoff
	Rules             []retry.FailureRule `json:"rules,omitempty"`             // those of retry.Strategy
}

// SettingsOf are the settings of a specification.
func SettingsOf(s *nodegraph.Spec) Settings {
	out := Settings{TimeoutsByEngine: !s.TimeoutsByHost, PodRestarts: s.PodRestarts, TransientErrors: s.TransientErrors}
	s.EachLock(func(l *nodegraph.Lock) {
		if l.Limit > 1 {
			if out.Limits == nil {
				out.Limits = make(map[string]int)
			}
			out.Limits[l.Key] = l.Limit
		}
	})
	for _, t := range s.Templates {
		if t.Retry == nil {
			continue
		}
		r := RetrySetting{IgnoreDisruptions: t.Retry.IgnoreDisruptions, Rules: t.Retry.Rules}
		if t.Retry.Backoff != nil {
			r.Jitter = t.Retry.Backoff.Jitter
		}
		if r.IgnoreDisruptions || r.Jitter != 0 || len(r.Rules) > 0 {
			if out.Retries == nil {
				out.Retries = make(map[string]RetrySetting)
			}
			out.Retries[t.Name] = r
		}
	}
	return out
}

// apply fills in the settings where the object has no field for them.
func (x *Settings) apply(s *nodegraph.Spec) {
	if x.TimeoutsByEngine {
		s.TimeoutsByHost = false
	}
	s.PodRestarts, s.TransientErrors = cmp.Or(x.PodRestarts, s.PodRestarts), cmp.Or(x.TransientErrors, s.TransientErrors)
	s.EachLock(func(l *nodegraph.Lock) { l.Limit = cmp.Or(l.Limit, x.Limits[l.Key]) })
	for _, t := range s.Templates {
		r, set := x.Retries[t.RecordedName()]
		if !set || t.Retry == nil {
			continue
		}
		t.Retry.IgnoreDisruptions, t.Retry.Rules = r.IgnoreDisruptions, r.Rules
		if t.Retry.Backoff != nil {
			t.Retry.Backoff.Jitter = r.Jitter
		}
	}
}
