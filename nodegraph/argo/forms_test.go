package argo_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// small is a small workflow of a name, without kind if bare.
func small(name string, bare bool) string {
	kind := `"kind":"Workflow",`
	if bare {
		kind = ""
	}
	return `{` + kind + `"metadata":{"name":"` + name + `","namespace":"ns"},"spec":{"entrypoint":"x","templates":[{"name":"x","suspend":{}}]}}`
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

// wideText is UTF-16 as PowerShell writes it, with or without a mark.
func wideText(text string, mark bool, high bool) string {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b []byte
	for _, u := range units {
		if high {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

// One workflow comes in many dresses.
func TestReadDresses(t *testing.T) {
	yaml := "kind: Workflow\nmetadata: {name: w, namespace: ns}\nspec: {entrypoint: x, templates: [{name: x, suspend: {}}]}\n"
	for why, text := range map[string]string{
		"an object": small("w", false), "without kind": small("w", true), "a mark before it": "\ufeff" + small("w", false), "YAML": yaml,
		"lines of Windows": strings.ReplaceAll(yaml, "\n", "\r\n"), "a warning before it": "Warning: deprecated\n" + yaml, "gzipped": gzipped(small("w", false)), "gzipped YAML": gzipped(yaml),
		"a list": `{"kind":"List","items":[` + small("w", false) + `]}`, "a list without kind": `{"metadata":{},"items":[` + small("w", true) + `]}`,
		"an array": `[` + small("w", true) + `]`, "an event of the server": `{"result":{"type":"MODIFIED","object":` + small("w", true) + `}}`,
		"an event of kubectl": `{"type":"ADDED","object":` + small("w", false) + `}`, "a document": "---\n" + yaml + "...\n",
	} {
		w, err := argo.Read([]byte(text))
		require.NoError(t, err, why)
		assert.Equal(t, "ns/w", w.Namespace+"/"+w.Name, why)
		d := argo.NewDecoder(strings.NewReader(text))
		w, err = d.Next()
		require.NoError(t, err, why)
		assert.Equal(t, "ns/w", w.Namespace+"/"+w.Name, why)
		_, err = d.Next()
		assert.Equal(t, io.EOF, err, why)
	}
}

// What is something else says what it is, and so does what is cut off.
func TestReadWhatIsNoWorkflow(t *testing.T) {
	for text, says := range map[string]string{
		wideText(small("w", false), true, false): "the input is UTF-16: save it as UTF-8", wideText(small("w", false), false, false): "UTF-16",
		wideText(small("w", false), true, true): "UTF-16", "Error from server (NotFound): workflows \"w\" not found\n": "is no object but an answer",
		"No resources found in n namespace.\n": "is no object but an answer", "Name:   w\nStatus: Running\n": "ask for -o json", "": "empty", "  \n": "empty",
		`{"kind":"Sensor","metadata":{"name":"s"}}`: `want Workflow, found "Sensor"`, `{"kind":"WorkflowTemplate","metadata":{"name":"s"}}`: "only what is submitted of it has a status",
		"kind: Workflow\n\tmetadata: {}\n": "can't be indented with tabs", `{"kind":"Workfl`: "byte", gzipped(small("w", false))[:40]: "unexpected EOF",
		`{"kind":"List","items":7}`: "items", small("w", false) + "\x00\x00": "byte",
	} {
		_, err := argo.Read([]byte(text))
		require.ErrorAs(t, err, new(*argo.ReadError), "%q", text)
		require.ErrorContains(t, err, says)
		d := argo.NewDecoder(strings.NewReader(text))
		for err = nil; err == nil; {
			_, err = d.Next()
		}
		require.ErrorAs(t, err, new(*argo.ReadError), "%q", text)
	}
}

// A workflow that is still to be submitted has no name yet.
func TestGenerateName(t *testing.T) {
	w, err := argo.Read([]byte(`{"kind":"Workflow","metadata":{"generateName":"run-"},"spec":{"entrypoint":"x","templates":[{"name":"x","suspend":{}}]}}`))
	require.NoError(t, err)
	assert.Equal(t, "run-xxxxx", w.Name)
	assert.True(t, w.Generated)
	_, err = argo.Read([]byte(`{"kind":"Workflow","metadata":{},"spec":{"entrypoint":"x","templates":[{"name":"x","suspend":{}}]}}`))
	assert.ErrorContains(t, err, "metadata.name: is empty")
}

// What workflows are made from is read as the workflow that is made.
func TestReadRuns(t *testing.T) {
	const spec = `{"entrypoint":"x","parallelism":3,"workflowMetadata":{"labels":{}},"templates":[{"name":"x","suspend":{}}]}`
	for kind, text := range map[string]string{
		"WorkflowTemplate": spec, "ClusterWorkflowTemplate": spec, "CronWorkflow": `{"schedules":["0 3 * * *"],"workflowSpec":` + spec + `}`,
	} {
		object := []byte(`{"kind":"` + kind + `","metadata":{"name":"t"},"spec":` + text + `}`)
		w, err := argo.Read(object, argo.WithRuns())
		require.NoError(t, err, kind)
		assert.Equal(t, "t", w.Name)
		assert.Equal(t, 3, w.Spec.Parallelism, kind)
		_, err = argo.Read(object)
		require.ErrorContains(t, err, "want Workflow", kind)
	}
	_, err := argo.Read([]byte(`{"kind":"CronWorkflow","metadata":{"name":"t"},"spec":{}}`), argo.WithRuns())
	require.ErrorContains(t, err, "spec.workflowSpec: is empty")
}

// Templates of files are looked up where the object does not hold them.
func TestWithTemplates(t *testing.T) {
	library, err := argo.ReadTemplates(strings.NewReader(`kind: WorkflowTemplate
metadata: {name: lib}
spec:
  entrypoint: all
  templates:
  - {name: all, dag: {tasks: [{name: a, template: one}]}}
  - {name: one, container: {}}
---
kind: ClusterWorkflowTemplate
metadata: {name: lib}
spec: {templates: [{name: two, suspend: {}}]}
---
kind: ConfigMap
metadata: {name: c}
`))
	require.NoError(t, err)
	for why, text := range map[string]string{
		"the whole": `{"kind":"Workflow","metadata":{"name":"w"},"spec":{"workflowTemplateRef":{"name":"lib"}}}`,
		"a template of it, and of one of the cluster": `{"kind":"Workflow","metadata":{"name":"w"},"spec":{"entrypoint":"m","templates":[{"name":"m","dag":{"tasks":[
			{"name":"a","templateRef":{"name":"lib","template":"all"}},{"name":"b","templateRef":{"name":"lib","template":"two","clusterScope":true}}]}}]}}`,
	} {
		w, err := argo.Read([]byte(text), argo.WithTemplates(library))
		require.NoError(t, err, why)
		assert.Empty(t, w.Unresolved, why)
		w, err = argo.Read([]byte(text))
		assert.True(t, err != nil || len(w.Unresolved) > 0, "%s: nothing else holds them", why)
	}
}

// Offloaded nodes are asked of the server, and a workflow that ended because they could not be read says so.
func TestOffloaded(t *testing.T) {
	object := func(status string) string {
		return strings.TrimSuffix(small("w", false), "}") + `,"status":{"offloadNodeStatusVersion":"fnv:1",` + status + `}}`
	}
	_, err := argo.Read([]byte(object(`"phase":"Running","progress":"0/0"`)))
	require.ErrorIs(t, err, argo.ErrOffloaded)
	require.ErrorContains(t, err, "argo get w -n ns -o json")
	assert.NotContains(t, err.Error(), "ended")
	_, err = argo.Read([]byte(object(`"phase":"Error","message":"no more rows","progress":"0/0"`)))
	require.ErrorContains(t, err, `ended the workflow for that ("no more rows", progress 0/0)`)
	_, err = argo.Read([]byte(object(`"phase":"Error","message":"a failed","progress":"3/4"`)))
	assert.NotContains(t, err.Error(), "ended")
}

// A decoder reads several: lists, arrays, objects in a row, events, documents. One that is no workflow does not end it.
func TestDecoder(t *testing.T) {
	list := func(items ...string) string {
		return `{"apiVersion":"v1","items":[` + strings.Join(items, ",") + `],"kind":"List"}`
	}
	a, b, c := small("a", false), small("b", true), small("c", false)
	const yaml = "kind: Workflow\nmetadata: {name: %s}\nspec: {entrypoint: x, templates: [{name: x, suspend: {}}]}\n"
	for text, want := range map[string]string{
		list(a, b, c): "a b c", "[" + a + "," + b + "]": "a b", a + "\n" + b + c: "a b c", list(a) + list(b): "a b", "[]": "", list(): "",
		`{"result":{"object":` + a + `}}{"result":{"object":` + b + `}}`: "a b", `{"type":"ADDED","object":` + list(a, b) + `}`: "a b",
		fmt.Sprintf(yaml, "a") + "---\n# nothing\n---\n" + fmt.Sprintf(yaml, "b"): "a b", "kind: List\nitems:\n- {" + strings.TrimPrefix(a, "{") + "\n": "a",
		list(a, `{"kind":"Pod","metadata":{"name":"p"}}`, c): "a ! c", list(a, `{"kind":"Workf`): "a !", "[" + a + ",": "a !", `{"items":null}`: "",
		gzipped(list(a, b)): "a b", list(a, `7`, b): "a ! b",
	} {
		var got []string
		for d := argo.NewDecoder(strings.NewReader(text)); ; {
			w, err := d.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				require.ErrorAs(t, err, new(*argo.ReadError), text)
				got = append(got, "!")
				continue
			}
			got = append(got, w.Name)
		}
		assert.Equal(t, want, strings.Join(got, " "), text)
	}
}

// No more than the limit is unpacked, and no more is kept of one object.
func TestDecoderLimits(t *testing.T) {
	tight := argo.WithLimits(argo.Limits{Bytes: 1000, Decompressed: 1000})
	long := strings.Replace(small("w", false), `"ns"`, `"`+strings.Repeat("n", 2000)+`"`, 1)
	for why, text := range map[string]string{"an object": long, "in a list": `{"items":[` + small("a", false) + "," + long + `]}`, "gzipped": gzipped(long), "YAML": "a: " + long} {
		d := argo.NewDecoder(strings.NewReader(text), tight)
		var err error
		for err == nil {
			_, err = d.Next()
		}
		assert.ErrorContains(t, err, "Bytes", why)
		_, err = argo.Read([]byte(text), tight)
		assert.Error(t, err, why)
	}
	many := "[" + strings.Repeat(small("a", false)+",", 50) + small("a", false) + "]"
	count := 0
	for d := argo.NewDecoder(strings.NewReader(many), tight); ; count++ {
		if _, err := d.Next(); err != nil {
			assert.Equal(t, io.EOF, err, "each alone is small")
			break
		}
	}
	assert.Equal(t, 51, count)
}
