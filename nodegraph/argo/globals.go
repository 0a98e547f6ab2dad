package argo

import (
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
func fill(text string, value func(name string) (string, bool), most int) (string, error) {
	var out strings.Builder
	done := 0 // what is in out so far
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			break
		}
		at += open
		end := strings.Index(text[at:min(len(text), at+maxTag)], "}}")
		if end < 0 {
			at += 2
			continue
		}
		value, known := value(strings.TrimSpace(text[at+2 : at+end]))
		if !known {
			at += 2
			continue
		}
		quoted := quote(value)
		out.WriteString(text[done:at])
		out.WriteString(quoted[1 : len(quoted)-1])
		at += end + 2
		done = at
		if out.Len()+len(text)-done > most {
			return "", &nodegraph.LimitError{Limit: "Bytes", Max: most}
		}
	}
	if done == 0 {
		return text, nil
	}
	return out.String() + text[done:], nil
}

// open reports whether text has variables that only the host knows.
func open(text string) bool { return strings.Contains(text, "{{") }
