package main

import (
	"encoding/json"

	"github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

// argoDecodes is what a controller with Argo's own types does to read the object.
func argoDecodes(s *storedWorkflow) (stopwatch, error) {
	return repeated(func() error { return json.Unmarshal(s.object, new(v1alpha1.Workflow)) }), nil
}

// argoCopies is what such a controller does before it changes what it has in its cache.
func argoCopies(s *storedWorkflow) (stopwatch, error) {
	var w v1alpha1.Workflow
	err := json.Unmarshal(s.object, &w)
	return repeated(func() error { w.DeepCopy(); return nil }), err
}
