package argo

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// maxTag bounds the text between the braces of a variable.
const maxTag = 1024

// globals knows the variables whose values the object itself holds.
type globals struct {
	meta *metadata
	spec *spec
}

// value returns the value of a variable, false if only the host knows it.
func (g *globals) value(name string) (string, bool) {
	switch name {
	case "workflow.name":
		return g.meta.Name, true
	case "workflow.namespace":
		return g.meta.Namespace, true
	case "workflow.uid":
		return g.meta.UID, g.meta.UID != ""
	case "workflow.mainEntrypoint":
		return g.spec.Entrypoint, g.spec.Entrypoint != ""
	case "workflow.serviceAccountName":
		return g.spec.ServiceAccountName, g.spec.ServiceAccountName != ""
	}
	if key, ok := strings.CutPrefix(name, "workflow.labels."); ok {
		value, ok := g.meta.Labels[key]
		return value, ok
	}
	if key, ok := strings.CutPrefix(name, "workflow.annotations."); ok {
		value, ok := g.meta.Annotations[key]
		return value, ok
	}
	if key, ok := strings.CutPrefix(name, "workflow.parameters."); ok {
		return g.parameter(key)
	}
	return "", false
}

func (g *globals) parameter(name string) (string, bool) {
	for i := range g.spec.Arguments.Parameters {
		if p := &g.spec.Arguments.Parameters[i]; p.Name == name && p.Value != nil {
			return string(*p.Value), true
		}
	}
	return "", false
}

// fill puts values in place of the variables in JSON, as far as they are known: {{ can only stand inside a string. A
// value is not looked at again. The result may not be longer than most.
func fill(text json.RawMessage, value func(name string) (string, bool), most int) (json.RawMessage, error) {
	if !bytes.Contains(text, []byte("{{")) {
		return text, nil
	}
	var out bytes.Buffer
	for {
		open := bytes.Index(text, []byte("{{"))
		if open < 0 {
			out.Write(text)
			return out.Bytes(), nil
		}
		out.Write(text[:open])
		text = text[open:]
		n := 2
		if end := bytes.Index(text[:min(len(text), maxTag)], []byte("}}")); end > 0 {
			if value, ok := value(strings.TrimSpace(string(text[2:end]))); ok {
				value := quote(value)
				out.Write(value[1 : len(value)-1])
				text, n = text[end+2:], 0
			}
		}
		out.Write(text[:n])
		text = text[n:]
		if out.Len()+len(text) > most {
			return nil, &nodegraph.LimitError{Limit: "Bytes", Max: most}
		}
	}
}

// open reports whether text has variables that only the host knows.
func open(text string) bool { return strings.Contains(text, "{{") }
