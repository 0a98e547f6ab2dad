package propagate_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/nodestatus/nodestatus/"

// layers are the packages in the order in which data flows: each imports those of earlier lines alone. What is in no line
// comes after all of them, and the kit for tests comes last: nothing but tests imports it.
var layers = [][]string{
	{"nodegraph/enum"},
	{"retry"},
	{"nodegraph"},
	{"propagate/fact"},
	{"propagate/internal/store"},
	{"propagate/rule"},
	{"propagate/internal/sched"},
	{"propagate"},
	{"propagate/simhost"},
}

// Imports run one way, along the flow from observations to actions.
func TestImportsRunOneWay(t *testing.T) {
	seen := 0
	for pkg, imports := range importsOfUs(t) {
		for _, other := range imports {
			seen++
			assert.Less(t, layerOf(other), layerOf(pkg)+free(pkg), "package %s imports %s, which comes after it", pkg, other)
		}
	}
	require.Greater(t, seen, 20, "imports between packages of the library")
}

// free is 1 for a package behind all layers, which may import others there.
func free(pkg string) int {
	if layerOf(pkg) == len(layers) {
		return 1
	}
	return 0
}

// kit is what implementers test with. It imports a test library, which nobody may get who imports anything else.
const kit = "propagate/propagatetest"

// layerOf is the line of a package in layers.
func layerOf(pkg string) int {
	if pkg == kit {
		return len(layers) + 1
	}
	if k := slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, pkg) }); k >= 0 {
		return k
	}
	if strings.HasPrefix(pkg, "nodegraph/") {
		return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, "propagate/fact") }) // beside what observes
	}
	return len(layers)
}

// importsOfUs lists by package, without its tests, which other packages of the module it imports.
func importsOfUs(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for _, root := range [...]string{"retry", "nodegraph", "propagate", "examples"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
					return filepath.SkipDir // a module of its own
				}
				return nil
			}
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			pkg := strings.TrimPrefix(path.Dir(filepath.ToSlash(name)), "../")
			for _, i := range f.Imports {
				if target, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(target, module) {
					all[pkg] = append(all[pkg], strings.TrimPrefix(target, module))
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
	return all
}
