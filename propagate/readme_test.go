package propagate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The example in the README is the one that is compiled and run.
func TestReadmeExampleIsCompiled(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(readme), "```go\n")
	require.True(t, found, "the README has no Go example")
	code, _, _ := strings.Cut(rest, "```")
	source, err := os.ReadFile("reconcile/example_test.go")
	require.NoError(t, err)
	assert.Contains(t, string(source), code)
}

// Every function that the specification's table of fields names exists. A function is a word with a capital inside, in the second column.
func TestTableOfFieldsNamesFunctionsThatExist(t *testing.T) {
	spec, err := os.ReadFile("rule/doc.go")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(spec), "# Fields of a Workflow\n")
	require.True(t, found, "the specification has no table of fields")
	declared, named := declarations(t), 0
	for row := range strings.Lines(table) {
		const second = len("//\t") + 46
		if len(row) <= second || strings.Contains(row, "not ") {
			continue
		}
		for _, name := range regexp.MustCompile(`\b[A-Za-z][a-z]+[A-Z][A-Za-z]+\b`).FindAllString(row[second:], -1) {
			named++
			assert.True(t, declared[name], "%s is declared nowhere: %s", name, row)
		}
	}
	assert.Greater(t, named, 30)
}

// declarations returns the names of the functions, methods, types, fields and variables that the module declares.
func declarations(t *testing.T) map[string]bool {
	names := make(map[string]bool)
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				names[decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
						if s, ok := spec.Type.(*ast.StructType); ok {
							for _, field := range s.Fields.List {
								for _, n := range field.Names {
									names[n.Name] = true
								}
							}
						}
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	return names
}
