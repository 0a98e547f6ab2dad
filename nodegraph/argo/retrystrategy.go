package argo

import (
	"encoding/json"
	"fmt"
)

// RetryStrategy returns the JSON pointer of the retryStrategy of a template of the object that was read, and its value as it stands
// there. The pointer is empty for a template that the object does not hold in its specification; the value is empty where there is
// none yet. The error is a [*ReadError].
func (w *Workflow) RetryStrategy(template string) (pointer string, value json.RawMessage, err error) {
	r := &reader{w: w}
	spec, err := split(w.object.get("spec"))
	if err != nil {
		return "", nil, r.named(inField("spec", err))
	}
	items, err := itemsOf(orNull(spec.get("templates")))
	if err != nil {
		return "", nil, r.named(inField("spec.templates", err))
	}
	for k, item := range items {
		t, err := split(item)
		if err != nil {
			return "", nil, r.named(inField(fmt.Sprintf("spec.templates[%d]", k), err))
		}
		if name, _ := (&scanner{text: orNull(t.get("name"))}).str(); name == template {
			return fmt.Sprintf("%s/templates/%d/retryStrategy", w.specAt(), k), json.RawMessage(t.get("retryStrategy")), nil
		}
	}
	return "", nil, nil
}

// specAt is the JSON pointer of the specification in the object that was read.
func (w *Workflow) specAt() string {
	if w.cron {
		return "/spec/workflowSpec"
	}
	return "/spec"
}
