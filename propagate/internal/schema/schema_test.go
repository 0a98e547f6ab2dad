// Package schema holds recordings to their schema. It is a module of its own, so that nobody who imports the library gets the validator.
package schema

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

const root = "../../../"

func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(root + "propagate/propagatetest/recording.schema.json")
	require.NoError(t, err)
	return s
}

// checked is the result of a check of one recording.
func checked(s *jsonschema.Schema, data []byte) error {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if data, err = io.ReadAll(z); err != nil {
			return err
		}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// All recordings of the project are as the schema says.
func TestRecordingsAreAsTheSchemaSays(t *testing.T) {
	s := schemaOf(t)
	files, err := filepath.Glob(root + "testdata/recordings/*/*")
	require.NoError(t, err)
	require.Greater(t, len(files), 500, "recordings")
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, checked(s, data), file)
	}
}

// recordedText is what a recorder writes of a workflow that uses all that a recording can hold.
func recordedText(t *testing.T) []byte {
	t.Helper()
	spec, err := nodegraph.Parse("dag(a: retry(1, pod(x -> y)) -> b)")
	require.NoError(t, err)
	spec.PodRestarts, spec.TransientErrors = 1, "quota"
	spec.Locks = []nodegraph.Lock{{Key: "default/ConfigMap/c/k", Limit: 2}}
	for _, template := range spec.Templates {
		if template.Retry != nil {
			template.Retry.IgnoreDisruptions = true
		}
	}
	r, err := propagatetest.NewRecorder("all", spec)
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, events := range [][]propagate.Event{nil, {propagate.LockGranted("")}, {propagate.Shutdown("Stop")}} {
		_, err = e.Apply(now, events...)
		require.NoError(t, err)
		var others propagate.LockTable
		others.Acquire(propagate.Holder{Workflow: "other"}, spec.Locks)
		require.NoError(t, r.Frame(propagatetest.Frame{Now: now, State: e.Snapshot(), Locks: &others, Pods: []propagate.PodStatus{{
			Node: nodegraph.NodeID("wf", "wf.a(0)"), UID: "u", Name: "p", Created: now, Phase: propagate.PodPhaseRunning, Conditions: []string{"Ready"},
			Containers: []propagate.ContainerStatus{
				{Name: "x", Terminated: true, ExitCode: 1, Finished: now}, {Name: "y", Waiting: true, Reason: "PodInitializing"}, {Name: "z", Running: true},
			},
		}}}))
	}
	data, err := r.Encode()
	require.NoError(t, err)
	return data
}

// What a recorder writes is as the schema says.
func TestWhatARecorderWritesIsAsTheSchemaSays(t *testing.T) {
	data := recordedText(t)
	require.NoError(t, checked(schemaOf(t), data))
	for _, field := range []string{`"settings":{"timeoutsByEngine":true,"podRestarts":1`, `"around":["default/ConfigMap/c/k"]`, `"shutdown":"Stop"`, `"limits"`} {
		assert.Contains(t, string(data), field)
	}
}

// The schema refuses what no reader takes.
func TestTheSchemaRefuses(t *testing.T) {
	s, data := schemaOf(t), string(recordedText(t))
	for _, wrong := range []struct{ why, old, new string }{
		{"a phase that is none", `"phase":"Pending"`, `"phase":"Waiting"`},
		{"a time that is none", `"now":"2026-01-02T03:04:05Z"`, `"now":"yesterday"`},
		{"another field of a frame", `"events":[]`, `"events":[],"answers":[]`},
		{"pods that are no list", `"pods":[`, `"pods":{},"x":[`},
		{"two states of a container", `"state":{"running":{}}`, `"state":{"running":{},"waiting":{}}`},
		{"no workflow", `"workflow":`, `"flow":`},
	} {
		text := strings.Replace(data, wrong.old, wrong.new, 1)
		require.NotEqual(t, data, text, wrong.why)
		require.True(t, json.Valid([]byte(text)), wrong.why)
		assert.Error(t, checked(s, []byte(text)), fmt.Sprint(wrong.why, ": it is taken"))
	}
}
