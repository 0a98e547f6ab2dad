package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// envExamples names a directory with manifests of workflows that others wrote, such as the examples of Argo.
const envExamples = "NODESTATUS_EXAMPLES"

// Each workflow of a directory ends, waits for something that can be named, or is refused with a reason. The log is the table.
func TestExamplesOfOthers(t *testing.T) {
	dir := os.Getenv(envExamples)
	if dir == "" {
		t.Skip(envExamples + " names no directory")
	}
	c := newCluster(t)
	c.startKubelet(1, false)
	c.start(1, nil)
	files := c.submitAll(dir)
	c.await("all come to rest", func() bool { return c.atRest() })
	counts, left := make(map[string]int), c.versions()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		looks, says := "Deleted", "by its ttlStrategy"
		if left[name] != "" {
			looks, says = c.outcome(name)
		}
		counts[looks]++
		t.Logf("%-9s %s: %s", looks, files[name], says)
		require.False(t, looks != "Succeeded" && says == "", "%s says nothing", files[name])
	}
	t.Log(counts)
}

// submitAll submits every Workflow below a directory, and returns the files by the names that the workflows got.
func (c *cluster) submitAll(dir string) map[string]string {
	c.Helper()
	files := make(map[string]string)
	require.NoError(c, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		for d := utilyaml.NewYAMLOrJSONDecoder(f, 1<<16); ; {
			object := &unstructured.Unstructured{}
			if d.Decode(object) != nil {
				return nil
			}
			if object.GetKind() != workflowKind.Kind {
				continue
			}
			object.SetName(fmt.Sprintf("example-%d", len(files)))
			object.SetGenerateName("")
			object.SetNamespace(c.namespace)
			if err := c.client.Create(c.Context(), object); err != nil {
				c.Logf("not taken %s: %v", path, err) // by the API server
				continue
			}
			files[object.GetName()], _ = filepath.Rel(dir, path) // of what was found in it
		}
	}))
	require.NotEmpty(c, files)
	return files
}

// atRest reports whether all workflows are complete or have not been written for a while.
func (c *cluster) atRest() bool {
	c.Helper()
	before := c.versions()
	time.Sleep(5 * time.Second)
	return len(before) > 0 && fmt.Sprint(before) == fmt.Sprint(c.versions())
}

func (c *cluster) versions() map[string]string {
	c.Helper()
	list := newWorkflowList()
	require.NoError(c, c.client.List(c.Context(), list, client.InNamespace(c.namespace)))
	versions := make(map[string]string)
	for _, object := range list.Items {
		versions[object.GetName()] = object.GetResourceVersion()
	}
	return versions
}

// outcome is the phase of a workflow, and the first reason why it is not Succeeded.
func (c *cluster) outcome(name string) (looks, says string) {
	c.Helper()
	looks, says = c.stored(name, "phase"), c.stored(name, "message")
	if says != "" || looks == "Succeeded" {
		return looks, says
	}
	nodes := c.nodes(name)
	for _, node := range slices.Sorted(maps.Keys(nodes)) {
		if phase, message, ok := strings.Cut(nodes[node], ": "); ok && phase != "Succeeded" && phase != "Skipped" {
			return looks, node + ": " + message
		} else if nodes[node] == "Running" {
			says = node + " runs"
		}
	}
	return looks, says
}
