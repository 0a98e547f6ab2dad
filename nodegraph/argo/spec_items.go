package argo

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// callByItem has every item of a loop run its own template, where what the task calls or passes on depends on the item. It
// reports whether that is so.
func (c *converter) callByItem(field, scope string, in *task, t *nodegraph.Task) (bool, error) {
	if !c.variables || t.Loop == nil || len(t.Loop.Items) == 0 || !c.variesByItem(scope, in.call()) {
		return false, nil
	}
	text, _ := json.Marshal(in.call()) // of what was read: can't fail
	raw := rawItems(in, t.Loop)
	for i := range t.Loop.Items {
		filled, err := fill(text, itemValue(raw(i)), c.limits.Bytes)
		if err != nil {
			return false, inField(field, err)
		}
		var of call
		if err := json.Unmarshal(filled, &of); err != nil {
			return false, inField(field, err)
		}
		if of.Inline != nil {
			if t.Loop.Items[i].Template, err = c.inlineByItem(field, scope, in.Name, &of); err != nil {
				return false, err
			}
			continue
		}
		t.Loop.Items[i].Template = c.call(field, scope, &of, nil)
	}
	t.Template = t.Loop.Items[0].Template
	return true, nil
}

// variesByItem reports whether what decides status about a call depends on the item of its loop.
func (c *converter) variesByItem(scope string, in *call) bool {
	if namesItem(in.Template) || in.TemplateRef != nil && (namesItem(in.TemplateRef.Name) || namesItem(in.TemplateRef.Template)) {
		return true
	}
	var needs []string
	if in.Inline != nil {
		if text, _ := json.Marshal(in.Inline); namesItem(string(text)) {
			return true
		}
		for name := range parametersOf(in.Inline.Inputs) {
			needs = append(needs, name)
		}
	} else if s := c.sources[c.key(scope, in)]; s != nil {
		needs = s.needs
	}
	if len(needs) == 0 || !bytes.Contains(in.Arguments, []byte("item")) {
		return false
	}
	args := in.arguments()
	for _, name := range needs {
		if namesItem(args[name].text()) {
			return true
		}
	}
	return false
}

// namesItem reports whether {{item}} or {{item.key}} is in a text.
func namesItem(text string) bool {
	for {
		_, after, found := strings.Cut(text, "{{")
		if !found {
			return false
		}
		text = strings.TrimLeft(after, " ")
		if rest, ok := strings.CutPrefix(text, "item"); ok && (strings.HasPrefix(rest, ".") || strings.HasPrefix(strings.TrimLeft(rest, " "), "}}")) {
			return true
		}
	}
}

// rawItems returns the items of a loop as they stand in the object, by their numbers.
func rawItems(in *task, loop *nodegraph.Loop) func(i int) json.RawMessage {
	list := in.WithItems
	if len(list) == 0 && in.WithParam != "" {
		_ = json.Unmarshal([]byte(in.WithParam), &list) // it was read before
	}
	return func(i int) json.RawMessage {
		if i < len(list) {
			return list[i]
		}
		return json.RawMessage(`"` + loop.Items[i].Text + `"`) // of a sequence: the name of an item is its text without quotes
	}
}

// itemValue returns the values of {{item}} and {{item.key}} for one item.
func itemValue(raw json.RawMessage) func(name string) (string, bool) {
	fields := make(map[string]string)
	if s := (&scanner{text: orNull(raw)}); s.peek() == '{' {
		_ = s.object(func(quoted []byte) error { // of an object: can't fail
			fields[unquote(quoted)] = variableText(s.skip())
			return nil
		})
	}
	return func(name string) (string, bool) {
		if name == "item" {
			return variableText(raw), true
		}
		key, of := strings.CutPrefix(name, "item.")
		if !of {
			return "", false
		}
		value, ok := fields[key]
		return value, ok
	}
}

// variableText is what a value of an item stands for in a text.
func variableText(raw json.RawMessage) string {
	if raw := bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '"' {
		return unquote(raw)
	}
	return itemText(raw)
}
