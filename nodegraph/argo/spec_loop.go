package argo

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// loop converts withItems, withParam and withSequence. What has variables in it, and what is no list, only the host
// can resolve.
func (c *converter) loop(field string, in *task) (*nodegraph.Loop, error) {
	switch {
	case len(in.WithItems) > 0:
		for _, raw := range in.WithItems {
			if open(string(raw)) {
				return &nodegraph.Loop{Unresolved: "withItems"}, nil
			}
		}
		return &nodegraph.Loop{Items: items(in.WithItems)}, nil
	case in.WithParam != "":
		list, err := listIn(in.WithParam)
		if open(in.WithParam) || err != nil {
			return &nodegraph.Loop{Unresolved: in.WithParam}, nil
		}
		return &nodegraph.Loop{Items: items(list)}, nil
	case in.WithSequence != nil:
		loop, err := sequenceLoop(in.WithSequence)
		return loop, inField(field+".withSequence", err)
	}
	return nil, nil
}

// listIn reads a text that is a list.
func listIn(text string) (list []rawText, err error) {
	s := &scanner{text: text}
	if err := readList(&list, s, (*rawText).read); err != nil {
		return nil, err
	}
	return list, s.end()
}

const (
	maxSequence = 1_000_000 // items of a sequence
	maxFormat   = 256       // bytes of its format
	maxItem     = 1024      // bytes of an item that a format makes
)

// sequenceLoop counts up or down from start to end.
func sequenceLoop(in *sequence) (*nodegraph.Loop, error) {
	start, ok1 := sequenceNumber(in.Start)
	end, ok2 := sequenceNumber(in.End)
	count, ok3 := sequenceNumber(in.Count)
	switch {
	case !ok1 || !ok2 || !ok3 || open(in.Format):
		return &nodegraph.Loop{Unresolved: "withSequence"}, nil
	case in.End != nil:
	case in.Count == nil:
		return nil, errors.New("has neither end nor count")
	case count == 0:
		return &nodegraph.Loop{}, nil
	case count > math.MaxInt32 || count < -math.MaxInt32:
		return nil, &nodegraph.LimitError{Limit: "Items", Max: maxSequence}
	default:
		end = start + count - 1 // below 0 a count goes down, as in Argo
	}
	step, length := 1, uint64(end)-uint64(start)
	if end < start {
		step, length = -1, uint64(start)-uint64(end)
	}
	if length >= maxSequence {
		return nil, &nodegraph.LimitError{Limit: "Items", Max: maxSequence}
	}
	return formatted(firstText(in.Format, "%d"), start, step, int(length)+1)
}

// sequenceNumber is 0 where there is none, false where there is something else than a number.
func sequenceNumber(v *intOrString) (int, bool) {
	if v == nil {
		return 0, true
	}
	n, err := strconv.Atoi(string(*v))
	return n, err == nil
}

// formatted makes n items, the first from start. The format is the user's, so that what it makes is bounded.
func formatted(format string, start, step, n int) (*nodegraph.Loop, error) {
	if len(format) > maxFormat {
		return nil, fmt.Errorf("format: longer than %d bytes", maxFormat)
	}
	loop := &nodegraph.Loop{Items: make([]nodegraph.Item, n)}
	for i := range loop.Items {
		text := fmt.Sprintf(format, start+i*step)
		raw := rawText(`"` + text + `"`) // as Argo does it: the format may hold escapes
		if len(text) > maxItem || !json.Valid([]byte(raw)) {
			return nil, fmt.Errorf("format: makes no item of up to %d bytes", maxItem)
		}
		loop.Items[i] = item(raw)
	}
	return loop, nil
}

// items converts loop items as Argo names them.
func items(in []rawText) []nodegraph.Item {
	out := make([]nodegraph.Item, len(in))
	for i := range in {
		out[i] = item(in[i])
	}
	return out
}

// item converts one: a map is named by its key:value pairs in order, a list by its elements with spaces between, all
// else by its JSON text without quotes around it.
func item(raw rawText) nodegraph.Item {
	s := &scanner{text: orNull(string(raw))}
	switch s.peek() {
	case '{':
		it := nodegraph.Item{Fields: make(map[string]string)}
		_ = s.object(func(key string) error { // of an object: can't fail
			value, err := s.raw()
			it.Fields[key] = itemText(rawText(value))
			return err
		})
		pairs := make([]string, 0, len(it.Fields))
		for key, value := range it.Fields {
			pairs = append(pairs, key+":"+value)
		}
		slices.Sort(pairs)
		it.Text = strings.Join(pairs, ",")
		return it
	case '[', 'n': // null is a list without elements
		var parts []string
		_ = s.array(func(int) error { // of a list: can't fail
			value, err := s.raw()
			parts = append(parts, itemText(rawText(value)))
			return err
		})
		return nodegraph.Item{Text: "[" + strings.Join(parts, " ") + "]"}
	}
	return nodegraph.Item{Text: itemText(raw)}
}

// unescapeHTML undoes what the JSON encoder does for web pages.
var unescapeHTML = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// itemText is the compact JSON text of a value, a string without its quotes; escapes inside it stay.
func itemText(raw rawText) string {
	compact, _ := json.Marshal(raw) // of valid JSON: can't fail
	text := unescapeHTML.Replace(string(compact))
	if text[0] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}
