package argo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Decoder reads one Workflow after another: the items of lists and arrays, several objects, events of a watch, and the documents
// of a YAML stream. It keeps one object of JSON at a time, however many there are.
type Decoder struct {
	options *options
	in      io.Reader
	budget  *budget
	json    *json.Decoder // of an input that is JSON
	depth   int           // of arrays that are open
	inside  []bool        // for each open array whether it is the items of a list
	waiting []string      // objects that were read together
	begun   bool
	err     error // after it nothing is read
}

// budget lets no more than so many bytes be read for one object.
type budget struct {
	in   io.Reader
	left int
	max  int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &nodegraph.LimitError{Limit: "Bytes", Max: b.max}
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// NewDecoder returns a decoder of r. Options are those of [Read].
func NewDecoder(r io.Reader, opts ...Option) *Decoder { return &Decoder{options: chosen(opts), in: r} }

// Next returns the next Workflow, and io.EOF after the last one. Another error is a [*ReadError]: after one about a single object
// the next one can be read, after one about the text as a whole io.EOF follows.
func (d *Decoder) Next() (*Workflow, error) {
	text, err := d.next()
	if err != nil {
		return nil, err
	}
	if !utf8.ValidString(text) {
		return nil, &ReadError{Err: errNotUTF8}
	}
	return d.options.object(text)
}

// next returns the text of the next object.
func (d *Decoder) next() (string, error) {
	if !d.begun {
		d.begun = true
		if err := d.begin(); err != nil {
			return "", d.end(err)
		}
	}
	for {
		if len(d.waiting) > 0 {
			text := d.waiting[0]
			d.waiting = d.waiting[1:]
			return text, nil
		}
		if d.err != nil {
			return "", d.err
		}
		if err := d.more(); err != nil {
			return "", d.end(err)
		}
	}
}

// end notes that nothing more is read, and returns why.
func (d *Decoder) end(err error) error {
	d.err = io.EOF
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	if e := (*ReadError)(nil); errors.As(err, &e) {
		return err
	}
	return &ReadError{Err: err}
}

// begin looks at the first bytes of the input.
func (d *Decoder) begin() error {
	in, err := opened(d.in, d.options.limits)
	if err != nil {
		return err
	}
	for {
		c, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			return &ReadError{Err: errors.New("the input is empty")}
		}
		if err != nil {
			return err
		}
		if strings.IndexByte(" \t\r\n", c) >= 0 {
			continue
		}
		_ = in.UnreadByte() // after a read: can't fail
		d.budget = &budget{in: in, left: d.options.limits.Bytes, max: d.options.limits.Bytes}
		if c == '{' || c == '[' {
			d.json = json.NewDecoder(d.budget)
			return nil
		}
		return d.documents()
	}
}

// documents reads all documents of a YAML stream.
func (d *Decoder) documents() error {
	data, err := io.ReadAll(d.budget)
	if err != nil {
		return err
	}
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	for _, document := range splitDocuments(data) {
		text, err := documentJSON(document, d.options.limits)
		if err != nil {
			return err
		}
		if err := d.take(string(text)); err != nil {
			return err
		}
	}
	d.err = io.EOF
	return nil
}

// documentJSON converts one YAML document.
func documentJSON(document []byte, limits Limits) ([]byte, error) {
	text, err := yaml.YAMLToJSONStrict(document)
	switch {
	case err != nil:
		return nil, &ReadError{Err: explained(document, err)}
	case len(text) > limits.Bytes: // aliases make text grow
		return nil, &ReadError{Err: &nodegraph.LimitError{Limit: "Bytes", Max: limits.Bytes}}
	case text[0] != '{' && text[0] != '[':
		return nil, &ReadError{Err: errors.New("the input is neither a JSON object nor YAML")}
	}
	return text, nil
}

// explained adds what people can do about an error of the YAML reader.
func explained(document []byte, err error) error {
	if bytes.Contains(document, []byte("\n\t")) || bytes.Contains(document, []byte(" \t")) {
		return fmt.Errorf("%w (YAML can't be indented with tabs)", err)
	}
	return err
}

// splitDocuments takes a YAML stream apart. Documents that hold nothing are left out.
func splitDocuments(data []byte) [][]byte {
	var list [][]byte
	from, at := 0, 0
	add := func(to int) {
		if documents(data[from:to]) > 0 {
			list = append(list, data[from:to])
		}
		from = to
	}
	for line := range bytes.Lines(data) {
		if isMark(bytes.TrimRight(line, " \t\r\n")) {
			add(at)
		}
		at += len(line)
	}
	add(len(data))
	return list
}

// take puts an object, or the items of a list, to those that wait.
func (d *Decoder) take(text string) error {
	list := text
	if text[0] == '{' {
		inner, object, err := unwrapped(text)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(kindOf(object), "List") {
			d.waiting = append(d.waiting, inner)
			return nil
		}
		list = orNull(object.get("items"))
	}
	items, err := itemsOf(list)
	if err != nil {
		return inField("items", err)
	}
	d.waiting = append(d.waiting, items...)
	return nil
}

// more reads the next object of JSON. Items of a list come one by one: nobody has to keep a list of ten thousand.
func (d *Decoder) more() error {
	d.budget.left = d.options.limits.Bytes
	if d.depth > 0 {
		if d.json.More() {
			var item json.RawMessage
			if err := d.json.Decode(&item); err != nil {
				return d.placed(err)
			}
			d.waiting = append(d.waiting, string(item))
			return nil
		}
		return d.closeArray()
	}
	token, err := d.json.Token()
	if err != nil {
		return d.placed(err)
	}
	switch token {
	case json.Delim('['):
		d.open(false)
		return nil
	case json.Delim('{'):
		return d.members(nil)
	}
	return &ReadError{Err: fmt.Errorf("want an object, found %v", token)}
}

func (d *Decoder) open(items bool) {
	d.depth++
	d.inside = append(d.inside, items)
}

// closeArray goes behind an array, and behind the list whose items it was.
func (d *Decoder) closeArray() error {
	if _, err := d.json.Token(); err != nil {
		return d.placed(err)
	}
	items := d.inside[len(d.inside)-1]
	d.depth, d.inside = d.depth-1, d.inside[:len(d.inside)-1]
	if items {
		return d.members(members{}) // what comes after the items says nothing of them
	}
	return nil
}

// members reads what is left of an object. The items of a list are left to be read one by one.
func (d *Decoder) members(object members) error {
	after := object != nil
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return d.placed(err)
		}
		key := token.(string) // of an object: can't be anything else
		if key == "items" && !after {
			if token, err = d.json.Token(); err != nil {
				return d.placed(err)
			}
			if token == json.Delim('[') {
				d.open(true)
				return nil
			}
			if token != nil {
				return &ReadError{Field: "items", Err: errors.New("want a list")}
			}
			object = append(object, member{key, quote(key), "null"})
			continue
		}
		var value json.RawMessage
		if err := d.json.Decode(&value); err != nil {
			return d.placed(err)
		}
		object = append(object, member{key, quote(key), string(value)})
	}
	if _, err := d.json.Token(); err != nil {
		return d.placed(err)
	}
	if after {
		return nil
	}
	return d.take(object.encode())
}

// placed says where the text is wrong, or that it ends too early.
func (d *Decoder) placed(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && d.depth > 0 {
		return fmt.Errorf("byte %d: the input ends in the middle of an object", d.json.InputOffset())
	}
	if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
		return fmt.Errorf("byte %d: %w", s.Offset, err)
	}
	return err
}
