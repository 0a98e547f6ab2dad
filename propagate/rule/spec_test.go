package rule

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// The documentation of the package and the rules have the same lines: chapter, number and name of the rule.
func TestTheSpecificationIsThatOfTheRules(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	heading, item := regexp.MustCompile(`^// # (\w+)$`), regexp.MustCompile(`^//  (\d+)\. \[([a-z-]+)\] `)
	var got []string
	chapter := ""
	for _, l := range strings.Split(string(text), "\n") {
		if m := heading.FindStringSubmatch(l); m != nil {
			chapter = m[1]
		}
		if m := item.FindStringSubmatch(l); m != nil {
			got = append(got, chapter+" "+m[1]+" "+m[2])
		}
	}
	var want []string
	for l := workflow1; l <= served2; l++ {
		want = append(want, l.String()+" "+ruleOf[l].String())
	}
	require.Empty(t, cmp.Diff(want, got), "lines of doc.go (+) are not those of the rules (-)")
}

// Every line of the specification has a place in the code that returns it, and none has two chapters.
func TestEveryLineIsReturned(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var code strings.Builder
	for _, f := range entries {
		if name := f.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name != "lines.go" {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			code.Write(text)
		}
	}
	for _, c := range chapters {
		for k := range c.rules {
			name := strings.ToLower(c.name[:1]) + c.name[1:] + strconv.Itoa(k+1)
			if c.name == "DAG" {
				name = "dag" + strconv.Itoa(k+1)
			}
			require.Regexp(t, `\b`+name+`\b`, code.String(), "no rule returns %s", c.first+line(k))
		}
	}
}

// Every message that says the same of every node has words.
func TestEveryMessageHasWords(t *testing.T) {
	for k := messageSaid + 1; k < messageTemplate; k++ {
		require.NotEmpty(t, Message{kind: messageKind(k)}.text(), "message %d", k)
	}
}
