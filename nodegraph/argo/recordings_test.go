package argo_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

var every = flag.Int("every", 2, "read every recording of so many; all: 1")

// A recording is what a real controller did with one workflow, frame by frame.
type recording struct {
	file     string
	Workflow map[string]json.RawMessage
	Frames   []struct {
		Spec, Status json.RawMessage
		Events       []string
	}
}

// forEachRecording runs f once for each recording that -every chooses, as a subtest.
func forEachRecording(t *testing.T, f func(t *testing.T, r *recording)) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/recordings/[ar]*/*.json*") // the wide ones are judged in package replay
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recordings: they belong to the repository")
	for k, file := range files {
		if k%*every != 0 {
			continue
		}
		r := openRecording(t, file)
		t.Run(r.file, func(t *testing.T) { f(t, r) })
	}
}

// opened holds the recordings that were opened, by file.
var opened = make(map[string]*recording)

// openRecording reads a recording, each once for all tests: these run one after another.
func openRecording(t *testing.T, file string) *recording {
	t.Helper()
	if opened[file] == nil {
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		var in io.Reader = f
		if strings.HasSuffix(file, ".gz") {
			in, err = gzip.NewReader(f)
			require.NoError(t, err)
		}
		r := &recording{file: filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)}
		require.NoError(t, json.NewDecoder(in).Decode(r))
		opened[file] = r
	}
	own := *opened[file]
	own.Workflow, own.Frames = maps.Clone(own.Workflow), slices.Clone(own.Frames) // tests change them
	return &own
}

// frame returns the whole Workflow as it was after frame k.
func (r *recording) frame(t *testing.T, k int) []byte {
	t.Helper()
	if spec := r.Frames[k].Spec; spec != nil {
		r.Workflow["spec"] = spec
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, key := range []string{"apiVersion", "kind", "metadata", "spec"} {
		fmt.Fprintf(&b, "%q:%s,", key, r.Workflow[key])
	}
	fmt.Fprintf(&b, `"status":%s}`, r.Frames[k].Status)
	return b.Bytes()
}

// read is Read of an input that is good.
func read(t testing.TB, text []byte) *argo.Workflow {
	t.Helper()
	w, err := argo.Read(text)
	require.NoError(t, err)
	return w
}

// encode is Encode, which has no errors.
func encode(t testing.TB, w *argo.Workflow) []byte {
	t.Helper()
	text, err := w.Encode()
	require.NoError(t, err)
	return text
}

// patch is Patch, which has no errors.
func patch(t testing.TB, w *argo.Workflow) []byte {
	t.Helper()
	text, err := w.Patch()
	require.NoError(t, err)
	return text
}

// decoded is JSON as Go values.
func decoded(t testing.TB, text []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	return v
}

// applied returns the object with a merge patch applied, as RFC 7386 tells it.
func applied(t testing.TB, object, patch []byte) any {
	t.Helper()
	return mergePatch(decoded(t, object), decoded(t, patch))
}

// mergePatch is the function of the same name in RFC 7386.
func mergePatch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = make(map[string]any)
	}
	for key, value := range p {
		if value == nil {
			delete(t, key)
			continue
		}
		t[key] = mergePatch(t[key], value)
	}
	return t
}
