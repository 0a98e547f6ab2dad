package podstatus_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A module of somebody else imports this one with two replace lines, one for it and one for the library, until both have
// versions.
func TestImportedByAnotherModule(t *testing.T) {
	library, err := filepath.Abs("../..")
	require.NoError(t, err)
	sums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.sum": string(sums),
		"go.mod": `module example.org/host

go 1.26.0

require (
	github.com/nodestatus/nodestatus v0.0.0
	github.com/nodestatus/nodestatus/propagate/podstatus v0.0.0
	k8s.io/api v0.37.2
)

replace github.com/nodestatus/nodestatus => ` + library + `

replace github.com/nodestatus/nodestatus/propagate/podstatus => ` + filepath.Join(library, "propagate", "podstatus") + "\n",
		"main.go": `package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
)

func main() {
	spec, err := nodegraph.Parse("wf: pod")
	if err != nil {
		panic(err)
	}
	e, err := propagate.New(spec)
	if err != nil {
		panic(err)
	}
	pod := &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodSucceeded}}
	pod.Annotations = map[string]string{podstatus.NodeName: "wf"}
	if _, err := e.Apply(time.Unix(0, 0)); err != nil {
		panic(err)
	}
	result, err := e.SyncPods(time.Unix(1, 0), []propagate.PodStatus{podstatus.Of(pod)})
	fmt.Println(result.Changes, err)
}
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	run := exec.Command("go", "run", "-mod=mod", ".")
	run.Dir, run.Env = dir, append(os.Environ(), "GOWORK=off")
	printed, err := run.CombinedOutput()
	require.NoError(t, err, "%s", printed)
	require.Equal(t, "[Pod wf: Pending -> Succeeded Workflow wf: Running -> Succeeded] <nil>\n", string(printed))
}
