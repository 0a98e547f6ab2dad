package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// readme is that of the program.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// Every command of the README that needs no cluster runs as it stands.
func TestReadmeCommands(t *testing.T) {
	t.Chdir("../..")
	ran := 0
	for line := range strings.Lines(strings.ReplaceAll(mustRead(t, "examples/nodestatus/README.md"), "`", "\n    ")) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "go run ./examples/nodestatus ")
		if !ok {
			continue
		}
		ran++
		got := call(strings.Fields(command)...)
		assert.NotEqual(t, 2, got.code, "%s: %s", command, got.err)
		assert.NotEmpty(t, got.out+got.err, command)
	}
	assert.Greater(t, ran, 8)
}

// The picture in the README of the project is what graph draws. It is made anew with -rewrite.
func TestReadmePicture(t *testing.T) {
	got := call("graph", "-o", "svg", "samples/forgotten.yaml")
	require.Zero(t, got.code, got.err)
	if *rewrite {
		require.NoError(t, os.WriteFile("samples/forgotten.svg", []byte(got.out), 0o644))
	}
	assert.Equal(t, mustRead(t, "samples/forgotten.svg"), got.out, "the picture of samples/forgotten.yaml")
	assert.Contains(t, mustRead(t, "../../README.md"), "(examples/nodestatus/samples/forgotten.svg)")
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// The README names every field that -o json prints, every code of a finding and every verdict.
func TestReadmeNamesTheFields(t *testing.T) {
	text := readme(t)
	for _, object := range []any{reportJSON{}, findingJSON{}, waitingJSON{}, lockJSON{}, rowJSON{}, listJSON{}} {
		for k := range reflect.TypeOf(object).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(object).Field(k).Tag.Get("json"), ",")
			assert.Contains(t, text, "`"+name+"`", "%T", object)
		}
	}
	for _, kind := range diagnose.Kinds() {
		assert.Contains(t, text, "| `"+kind.Code()+"` |", kind)
	}
	for _, v := range []diagnose.Verdict{diagnose.VerdictStuck, diagnose.VerdictWrong, diagnose.VerdictOverdue, diagnose.VerdictWaiting, diagnose.VerdictHealthy, diagnose.VerdictComplete} {
		assert.Contains(t, text, "| `"+string(v)+"` |")
	}
}

// Shells get a script that names all commands.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		got := call("completion", shell)
		assert.Equal(t, 0, got.code, shell)
		for _, c := range commands() {
			assert.Contains(t, got.out, c.name, shell)
		}
	}
	assert.Equal(t, 2, call("completion", "csh").code)
	assert.Equal(t, 2, call("completion").code)
}
