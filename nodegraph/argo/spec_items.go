package argo

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// callByItem has every item of a loop run its own template, where what the task calls or passes on depends on the item. It
// reports whether that is so.
func (c *converter) callByItem(field, scope string, in *task, t *nodegraph.Task) (bool, error) {
	if !c.variables || t.Loop == nil || len(t.Loop.Items) == 0 || !c.variesByItem(scope, in.call()) {
		return false, nil
	}
	text := textOf(in.call())
	raw := rawItems(in, t.Loop)
	for i := range t.Loop.Items {
		filled, err := fill(text, itemValue(raw(i)), c.limits.Bytes)
		if err != nil {
			return false, inField(field, err)
		}
		var of call
		if err := of.read(&scanner{text: filled}); err != nil {
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
		if namesItem(textOf(in.Inline)) {
			return true
		}
		for name := range parametersOf(in.Inline.Inputs) {
			needs = append(needs, name)
		}
	} else if s := c.sources[c.key(scope, in)]; s != nil {
		needs = s.needs
	}
	if len(needs) == 0 || !strings.Contains(string(in.Arguments), "item") {
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
func rawItems(in *task, loop *nodegraph.Loop) func(i int) rawText {
	list := in.WithItems
	if len(list) == 0 && in.WithParam != "" {
		list, _ = listIn(in.WithParam) // it was read before
	}
	return func(i int) rawText {
		if i < len(list) {
			return list[i]
		}
		return rawText(`"` + loop.Items[i].Text + `"`) // of a sequence: the name of an item is its text without quotes
	}
}

// itemValue returns the values of {{item}} and {{item.key}} for one item.
func itemValue(raw rawText) func(name string) (string, bool) {
	fields := make(map[string]string)
	if s := (&scanner{text: orNull(string(raw))}); s.peek() == '{' {
		_ = s.object(func(key string) error { // of an object: can't fail
			value, err := s.raw()
			fields[key] = variableText(rawText(value))
			return err
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
func variableText(raw rawText) string {
	if s := (&scanner{text: string(raw)}); s.peek() == '"' {
		text, _ := s.str() // of a string: can't fail
		return text
	}
	return itemText(raw)
}
