package propagate_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/enum"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
	recording "github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/propagate/rule"
	"github.com/nodestatus/nodestatus/propagate/simhost"
	"github.com/nodestatus/nodestatus/retry"
)

// An enumerated is a pointer to a value of an enumeration.
type enumerated[E ~uint8] interface {
	*E
	fmt.Stringer
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

// namesOf checks that every byte has a string, that values alone have a text, and that a text gives its value back. It returns the
// names of the values.
func namesOf[E ~uint8, P enumerated[E]](t *testing.T) []string {
	t.Helper()
	var list []string
	for k := range 256 {
		v := E(k)
		name := P(&v).String()
		text, err := P(&v).MarshalText()
		if err != nil {
			var e *enum.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, name, fmt.Sprintf("(%d)", k))
			continue
		}
		require.Equal(t, name, string(text))
		back := E(255)
		require.NoError(t, P(&back).UnmarshalText(text))
		require.Equal(t, v, back, name)
		list = append(list, name)
	}
	v := E(0)
	require.Error(t, P(&v).UnmarshalText([]byte("no such name")))
	require.Equal(t, E(0), v, "it stays as it was")
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(list))), len(list), "each name once")
	return list
}

// Enumerations are stored by their names. What is no value has a string, too.
func TestEnumerationsHaveNames(t *testing.T) {
	for typ, list := range map[string][]string{
		"nodegraph.Phase":      namesOf[nodegraph.Phase](t),
		"nodegraph.Kind":       namesOf[nodegraph.Kind](t),
		"nodegraph.Role":       namesOf[nodegraph.Role](t),
		"nodegraph.Truth":      namesOf[nodegraph.Truth](t),
		"nodegraph.WhenResult": namesOf[nodegraph.WhenResult](t),
		"retry.Outcome":        namesOf[retry.Outcome](t),
		"retry.Verb":           namesOf[retry.Verb](t),
		"retry.Check":          namesOf[retry.Check](t),
		"retry.RuleAction":     namesOf[retry.RuleAction](t),
		"fact.Stage":           namesOf[fact.Stage](t),
		"fact.LockState":       namesOf[fact.LockState](t),
		"fact.Answer":          namesOf[fact.Answer](t),
		"rule.Rule":            namesOf[rule.Rule](t),
		"propagate.EventType":  namesOf[propagate.EventType](t),
		"propagate.ActionType": namesOf[propagate.ActionType](t),
		"propagate.WaitReason": namesOf[propagate.WaitReason](t),
		"simhost.Intake":       namesOf[simhost.Intake](t),
		"simhost.State":        namesOf[simhost.State](t),
		"replay.Mode":          namesOf[recording.Mode](t),
	} {
		assert.Greater(t, len(list), 1, typ)
	}
	data, err := json.Marshal(map[nodegraph.Phase]propagate.ActionType{nodegraph.PhaseFailed: propagate.ActionStart})
	require.NoError(t, err)
	require.JSONEq(t, `{"Failed": "Start"}`, string(data))
	require.Equal(t, "containment|precedence", (nodegraph.Containment | nodegraph.Precedence).String())
}

// Every exported type of the library that is a small number has a text.
func TestEveryEnumerationHasAText(t *testing.T) {
	types, texts := make(map[string]bool), make(map[string]bool)
	for _, root := range []string{"../nodegraph", "../retry", "."} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata") {
				return skipped(err)
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			require.NoError(t, err)
			for _, decl := range file.Decls {
				enumerationsIn(filepath.Dir(path), decl, types, texts)
			}
			return nil
		}))
	}
	require.Greater(t, len(types), 20)
	for typ := range types {
		assert.True(t, texts[typ], "%s has no MarshalText", typ)
	}
}

// skipped makes a walk leave out a folder.
func skipped(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// enumerationsIn notes exported types that are small numbers, and types that have a text.
func enumerationsIn(pkg string, decl ast.Decl, types, texts map[string]bool) {
	switch d := decl.(type) {
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
				if of, ok := s.Type.(*ast.Ident); ok && (of.Name == "uint8" || of.Name == "uint16") {
					types[pkg+"."+s.Name.Name] = true
				}
			}
		}
	case *ast.FuncDecl:
		if d.Recv != nil && d.Name.Name == "MarshalText" {
			if of, ok := d.Recv.List[0].Type.(*ast.Ident); ok {
				texts[pkg+"."+of.Name] = true
			}
		}
	}
}
