package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample is a package for which it is known what its tests notice.
var sample = target{"testdata/sample", []string{"*.go"}, []suite{{folder: "testdata/sample"}}}

// equivalentInSample are the mutants of the sample that change nothing, and those that no test looks at.
const equivalentInSample = `
# 10 is replaced by 10.
sample.Cap: n > 10 -> n >= 10
# A sum from 0 up.
sample.Sum: n > 0 -> n >= 0
`

func trySample(t *testing.T, only, list string) (ok bool, out string) {
	reasons, err := readEquivalent(list)
	require.NoError(t, err)
	var text bytes.Buffer
	s := &session{runner: &runner{root: ".", parallel: 2, slow: time.Minute, patience: 3 * time.Second}, only: regexp.MustCompile(only), out: &text, verbose: true}
	ok, err = s.run([]target{sample}, reasons)
	require.NoError(t, err)
	return ok, text.String()
}

func TestFates(t *testing.T) {
	_, out := trySample(t, "", equivalentInSample)
	for id, want := range map[string]string{
		"Judge: points >= 50 -> points > 50":   "killed by TestJudge",
		"Judge: points >= 50 -> points < 50":   "killed by TestJudge",
		"Judge: cheated -> false":              "killed by TestJudge",
		"Judge: cheated || points < 0 -> true": "killed by TestJudge",
		"Judge: drop return Error":             "killed by TestJudge",
		"Judge: Error -> Failed":               "killed by TestJudge",
		"Judge: Failed -> Error":               "killed by TestJudge",
		"Judge: Succeeded -> Failed":           "killed by TestJudge", // the next one, as there is no Skipped
		"Cap: n > 10 -> n >= 10":               "survives",
		"Cap: 10 -> 11 #2":                     "killed by TestCap",
		"Cap: drop n = 10":                     "killed by TestCap",
		"Sum: drop n--":                        "killed by it did not end",
		"Sum: sum += n -> sum -= n":            "killed by TestSum",
		"Untested: a && b -> (a) || (b)":       "not reached",
		"Untested: drop body of case a && b":   "not reached",
		"Untested: \"both\" -> \"\"":           "not reached",
		"Untested: \"\" -> \"mutant\"":         "not reached",
	} {
		require.Contains(t, out, " sample."+id+": "+want)
	}
}

func TestEachMutantIsItsOwn(t *testing.T) {
	_, out := trySample(t, "", equivalentInSample)
	seen := make(map[string]bool)
	for _, line := range strings.Split(out, "\n") {
		if id, ok := strings.CutPrefix(line, "testdata/"); ok {
			require.False(t, seen[id], id)
			seen[id] = true
		}
	}
}

func TestWhatDiffersFromTheList(t *testing.T) {
	for _, c := range []struct {
		name, only, list string
		ok               bool
		says             string
	}{
		{"as listed", "Cap", equivalentInSample, true, ""},
		{"a survivor that is not listed", "Cap", "", false, "survives: sample.Cap: n > 10 -> n >= 10"},
		{"killed", "Cap", equivalentInSample + "sample.Cap: drop n = 10", false, "listed as equivalent, but killed by TestCap: sample.Cap: drop n = 10"},
		{"no such mutant", "Cap", equivalentInSample + "sample.Cap: gone", false, "listed as equivalent, but there is none: sample.Cap: gone"},
		{"of another package", "Cap", equivalentInSample + "other.Cap: gone", true, ""},
		{"code that no test reaches", "Untested", "", false, "not reached: sample.Untested: a && b -> true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, out := trySample(t, c.only, c.list)
			require.Equal(t, c.ok, ok, out)
			require.Contains(t, out, c.says)
		})
	}
}

// The ids of mutants must stay what they are when lines are added elsewhere.
func TestIdsDoNotDependOnLines(t *testing.T) {
	ids := func(change func(string) string) []string {
		root := t.TempDir()
		source, err := os.ReadFile("testdata/sample/sample.go")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module sample\n\ngo 1.25\n"), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(root, "sample.go"), []byte(change(string(source))), 0o644))
		m, err := mutate(root, target{folder: ".", files: []string{"*.go"}}, t.TempDir())
		require.NoError(t, err)
		var list []string
		for _, m := range m.mutants {
			list = append(list, m.id)
		}
		return list
	}
	before := ids(func(s string) string { return s })
	after := ids(func(s string) string {
		return strings.Replace(s, "// Cap never", "// More is something else.\nfunc More(n int) bool { return n > 10 }\n\n// Cap never", 1)
	})
	require.NotEmpty(t, before)
	require.Subset(t, after, before)
	require.Greater(t, len(after), len(before))
}

// The tests of a package in a folder of a folder may be those of another.
func TestTestsOfAnotherPackage(t *testing.T) {
	far := target{"testdata/far/near", []string{"near.go"}, []suite{{folder: "testdata/far"}}}
	for list, says := range map[string]string{
		"":                            "far/near/near.go",
		"# why\nnear.Half: gone":      "listed as equivalent, but there is none: near.Half: gone",
		"# why\nnear.Half: 2 -> 3":    "listed as equivalent, but killed by TestHalf: near.Half: 2 -> 3",
		"# why\nfar.Half: of another": "all                                      2 mutants     2 killed    0 equivalent    0 survive",
	} {
		reasons, err := readEquivalent(list)
		require.NoError(t, err)
		var out bytes.Buffer
		s := &session{runner: &runner{root: ".", parallel: 2, slow: time.Minute, patience: 3 * time.Second}, only: regexp.MustCompile(""), out: &out}
		ok, err := s.run([]target{far}, reasons)
		require.NoError(t, err)
		require.Equal(t, !strings.Contains(says, "listed"), ok, out.String())
		require.Contains(t, out.String(), says)
	}
}

func TestConditionsSeenBothWays(t *testing.T) {
	_, out := trySample(t, "Judge", "")
	require.Contains(t, out, "3 of 3 conditions seen both ways")
	_, out = trySample(t, "Untested", "")
	require.Contains(t, out, "0 of 3 conditions seen both ways")
}

func TestAListNeedsReasons(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"no reason", "a.b: c", `line 1: no reason stands above "a.b: c"`},
		{"an empty line ends it", "# why\na.b: c\n\na.b: d", `line 4: no reason stands above "a.b: d"`},
		{"twice", "# why\na.b: c\na.b: c", `line 3: "a.b: c" is there twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readEquivalent(c.text)
			require.EqualError(t, err, c.says)
		})
	}
	reasons, err := readEquivalent("# it is\n# long\na.b: c\na.b: d\n# other\na.b: e\n")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a.b: c": "it is long", "a.b: d": "it is long", "a.b: e": "other"}, reasons)
}

// A suite that fails without a mutant would kill them all.
func TestTestsMustPassFirst(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module sample\n\ngo 1.25\n", "s.go": "package sample\n\nfunc one() int { return 1 }\n",
		"s_test.go": "package sample\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tif one() != 2 {\n\t\tt.Error(\"one is not two\")\n\t}\n}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	s := &session{runner: &runner{root: root, parallel: 1, slow: time.Minute, patience: 3 * time.Second}, only: regexp.MustCompile(""), out: &bytes.Buffer{}}
	_, err := s.run([]target{{".", []string{"s.go"}, []suite{{folder: "."}}}}, nil)
	require.ErrorContains(t, err, "one is not two")
}
