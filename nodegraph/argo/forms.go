package argo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Text returns the text of an input as [Read] takes it: unpacked, without a byte order mark and without what kubectl warned of before
// it. The error is a [*ReadError] that says what the input is if it is no text of an object.
func Text(data []byte, opts ...Option) ([]byte, error) {
	text, err := clean(data, chosen(opts).limits)
	if err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// clean returns the text of an input: unpacked, without a byte order mark and without what kubectl warned of before it.
func clean(data []byte, limits Limits) (string, error) {
	if len(data) > limits.Bytes {
		return "", &ReadError{Err: &nodegraph.LimitError{Limit: "Bytes", Max: limits.Bytes}}
	}
	if len(data) > 1 && data[0] == '{' && data[1] != 0 {
		return string(data), nil // as most are
	}
	r, err := opened(bytes.NewReader(data), limits)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(max(limits.Bytes, limits.Decompressed))+1))
	switch {
	case err != nil:
		return "", &ReadError{Err: err}
	case len(text) > max(limits.Bytes, limits.Decompressed):
		return "", &ReadError{Err: &nodegraph.LimitError{Limit: "Decompressed", Max: limits.Decompressed}}
	}
	return string(text), nil
}

// peeked is how far the beginning of an input is looked at.
const peeked = 4096

// opened returns a reader of the text of an input. What is no text of ours is an error that says what it is.
func opened(r io.Reader, limits Limits) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if begin, _ := in.Peek(2); bytes.Equal(begin, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, &ReadError{Err: err}
		}
		in = bufio.NewReaderSize(z, 1<<16)
	}
	begin, err := in.Peek(peeked)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &ReadError{Err: err}
	}
	if err := foreign(begin); err != nil {
		return nil, &ReadError{Err: err}
	}
	skip := len(begin) - len(bytes.TrimPrefix(begin, []byte("\ufeff")))
	for {
		line, rest, whole := bytes.Cut(begin[skip:], []byte("\n"))
		if !whole || !bytes.HasPrefix(line, []byte("Warning: ")) {
			break
		}
		skip = len(begin) - len(rest)
	}
	_, _ = in.Discard(skip) // of what was peeked at: can't fail
	return in, nil
}

// foreign says what an input is that is no text in UTF-8, or an answer in place of an object.
func foreign(begin []byte) error {
	text := string(bytes.TrimPrefix(begin, []byte("\ufeff")))
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	switch {
	case bytes.HasPrefix(begin, []byte{0xff, 0xfe}), bytes.HasPrefix(begin, []byte{0xfe, 0xff}),
		len(begin) > 1 && (begin[0] == 0) != (begin[1] == 0):
		return errors.New("the input is UTF-16: save it as UTF-8, in PowerShell with | Out-File -Encoding utf8")
	case strings.HasPrefix(line, "Error from server"), strings.HasPrefix(line, "error:"), strings.HasPrefix(line, "No resources found"),
		strings.HasPrefix(line, "FATA["), strings.HasPrefix(line, "time=\""):
		return fmt.Errorf("the input is no object but an answer: %q", bounded(strings.TrimSpace(line)))
	case strings.HasPrefix(line, "Name:") && strings.Contains(text, "\nStatus:"):
		return errors.New("the input is what argo get prints for people: ask for -o json or -o yaml")
	}
	return nil
}

// wrapped returns the object that an event of a watch holds, as the server and kubectl print it; empty for what is no event.
func wrapped(object members) string {
	inner := object.get("result")
	if inner == "" {
		inner = object.get("object")
	}
	if inner == "" || inner[0] != '{' || object.get("metadata") != "" {
		return ""
	}
	return inner
}

// unwrapped takes an object apart, or the one inside it if it is an event of a watch.
func unwrapped(text string) (string, members, error) {
	for {
		object, err := split(text)
		if err != nil {
			return "", nil, inField("", err)
		}
		inner := wrapped(object)
		if inner == "" {
			return text, object, nil
		}
		text = inner
	}
}

// kindOf is the kind of an object; that of an object without one is Workflow or List where the object looks like that: Argo's own
// JSON names no kind.
func kindOf(object members) string {
	kind, err := (&scanner{text: orNull(object.get("kind"))}).str()
	switch {
	case err != nil || kind != "":
		return kind
	case object.get("items") != "" && object.get("spec") == "":
		return "List"
	case object.get("metadata") != "" && (object.get("spec") != "" || object.get("status") != ""):
		return workflowKind
	}
	return ""
}

const workflowKind = "Workflow"
