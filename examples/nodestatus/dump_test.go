package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dumped writes the dump of recordings into a file and returns its path.
func dumped(t *testing.T, files ...string) string {
	t.Helper()
	c := call(append([]string{"dump"}, files...)...)
	require.Equal(t, 0, c.code, "dump %s: %s", files, c.err)
	path := filepath.Join(t.TempDir(), "dump.gz")
	require.NoError(t, os.WriteFile(path, []byte(c.out), 0o644))
	return path
}

func TestDumpComparesEqualToItself(t *testing.T) {
	before := dumped(t, chain, zipped)
	assert.Equal(t, "4 dumps equal, 0 different, 0 only in "+before+"\n", call("dump", "-against", before, chain, zipped).out)
	assert.Equal(t, 0, call("dump", "-against", before, chain, zipped).code)
}

// A dump has each mode of a recording, and in it the changes, the actions, the obligations and the explanations.
func TestDumpHasAllThatTheEngineSays(t *testing.T) {
	sections, err := readDump(dumped(t, chain))
	require.NoError(t, err)
	name := "== argo-4.1/" + filepath.Base(chain) + ", mode "
	for _, mode := range []string{"step", "free"} {
		text := sections[name+mode]
		for _, want := range []string{
			"\n frame 0\n",
			"\n  change chain-", ": (new) -> Pending (start-owed)\n",
			"Start Pod chain.build\n",
			"\n  waits for chain.build: pod since ",
			`Container chain.build.b is Error: it is inside Pod chain.build, which has ended as Container, exists=true fulfilled=true daemoned=false Error "container deleted" (container-pod)`,
		} {
			assert.Contains(t, text, want, "mode %s", mode)
		}
	}
	assert.Contains(t, sections[name+"free"], "\n  no more for chain.build: pod since ", "one engine plays all frames")
}

func TestDumpNamesWhatDiffers(t *testing.T) {
	before := dumped(t, clean, chain)
	other := tampered(t, clean, func(status map[string]any) { status["message"] = "another" })
	renamed := filepath.Join(filepath.Dir(other), "argo-4.1", filepath.Base(clean))
	require.NoError(t, os.MkdirAll(filepath.Dir(renamed), 0o755))
	require.NoError(t, os.Rename(other, renamed))
	c := call("dump", "-against", before, renamed)
	assert.Equal(t, 1, c.code, "the dump of chain is missing: %s", c.out)
	assert.Contains(t, c.out, "2 dumps equal, 0 different, 2 only in", "the last recorded frame starts nothing")

	other = tampered(t, clean, func(status map[string]any) { status["phase"] = "Failed" })
	c = call("dump", "-against", before, other)
	assert.Equal(t, 1, c.code)
	assert.Contains(t, c.out, "is new")
}

func TestDumpPrintsTheFirstLineThatDiffers(t *testing.T) {
	var out recorder
	printDifference(&out, []string{"== x", " frame 0", "  a", "  b"}, []string{"== x", " frame 0", "  a", "  c", "  d"})
	assert.Equal(t, "  frame 1, line 4; 1 lines removed, 2 added\n  - b\n  + c\n", string(out))
}

// recorder keeps what is written.
type recorder []byte

func (r *recorder) Write(p []byte) (int, error) {
	*r = append(*r, p...)
	return len(p), nil
}

func TestDumpRefusesWhatItCannotRead(t *testing.T) {
	for name, args := range map[string][]string{
		"no files":     {"dump"},
		"no such dump": {"dump", "-against", "nowhere.gz", clean},
		"not a dump":   {"dump", "-against", clean, clean},
	} {
		assert.Equal(t, 2, call(args...).code, name)
	}
	sections, err := readDump(dumped(t, "dump.go", clean))
	require.NoError(t, err)
	assert.Len(t, sections, 3, "the others go on: %v", sections)
	assert.Contains(t, sections["== dump.go, unreadable"], "error: dump.go: ")
}
