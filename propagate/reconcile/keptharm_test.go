package reconcile_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

var harmSeed = flag.Uint64("harm.seed", 1, "what happens to objects behind the back of those that keep them")

// A harm is something that happens to an object behind the back of the hosts. It reports whether it could.
var harms = map[string]func(r *rand.Rand, o, status, node map[string]any) bool{
	"a message of a node is changed": func(_ *rand.Rand, _, _, node map[string]any) bool { node["message"] = "edited"; return true },
	"a node has ended": func(_ *rand.Rand, _, _, node map[string]any) bool {
		node["phase"], node["finishedAt"] = "Failed", "2026-11-23T21:12:41Z"
		return true
	},
	"a node runs": func(_ *rand.Rand, _, _, node map[string]any) bool { node["phase"] = "Running"; return true },
	"a node has a field that nobody reads": func(r *rand.Rand, _, _, node map[string]any) bool {
		node["progress"] = fmt.Sprint(r.IntN(9), "/9")
		return true
	},
	"a node has other children": func(_ *rand.Rand, _, _, node map[string]any) bool { node["children"] = []any{"x"}; return true },
	"a node is removed": func(_ *rand.Rand, _, status, node map[string]any) bool {
		delete(status["nodes"].(map[string]any), node["id"].(string))
		return true
	},
	"a node is added": func(_ *rand.Rand, _, status, node map[string]any) bool {
		more := maps.Clone(node)
		more["id"], more["name"] = "foreign", "foreign"
		status["nodes"].(map[string]any)["foreign"] = more
		return true
	},
	"the workflow has a message": func(_ *rand.Rand, _, status, _ map[string]any) bool { status["message"] = "edited"; return true },
	"the status has a field that nobody reads": func(r *rand.Rand, _, status, _ map[string]any) bool {
		status["progress"] = fmt.Sprint(r.IntN(9), "/9")
		return true
	},
	"the object has a label": func(r *rand.Rand, o, _, _ map[string]any) bool {
		o["metadata"].(map[string]any)["labels"] = map[string]any{"l": fmt.Sprint(r.IntN(9))}
		return true
	},
	"somebody manages fields": func(r *rand.Rand, o, _, _ map[string]any) bool {
		o["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": fmt.Sprint(r.IntN(9))}}
		return true
	},
	"the specification has a deadline": func(_ *rand.Rand, o, _, _ map[string]any) bool {
		o["spec"].(map[string]any)["activeDeadlineSeconds"] = 100000.0
		return true
	},
	"the workflow is held": func(_ *rand.Rand, o, _, _ map[string]any) bool {
		o["spec"].(map[string]any)["suspend"] = true
		return true
	},
	"the workflow goes on": func(_ *rand.Rand, o, _, _ map[string]any) bool {
		delete(o["spec"].(map[string]any), "suspend")
		return true
	},
}

// harmed is an object after something has happened to it, in one of the forms in which JSON is written.
func harmed(t *testing.T, r *rand.Rand, object []byte) ([]byte, string) {
	var o map[string]any
	require.NoError(t, json.Unmarshal(object, &o))
	status, _ := o["status"].(map[string]any)
	nodes, _ := status["nodes"].(map[string]any)
	if len(nodes) == 0 {
		return object, ""
	}
	names, ids := slices.Sorted(maps.Keys(harms)), slices.Sorted(maps.Keys(nodes))
	what := names[r.IntN(len(names))]
	harms[what](r, o, status, nodes[ids[r.IntN(len(ids))]].(map[string]any))
	text, err := json.Marshal(o)
	if r.IntN(4) == 0 {
		text, err = json.MarshalIndent(o, "", "  ")
	}
	require.NoError(t, err)
	return text, what
}

// What a Kept returns is what the call from scratch returns, the errors too, whatever happens to the object and the pods: patches get
// lost, others write into the object, pods vanish for good, and a failed workflow is retried.
func TestKeptUnderHarm(t *testing.T) {
	all, err := filepath.Glob("../../testdata/recordings/*/*")
	require.NoError(t, err)
	for k := 0; k < len(all); k += *every {
		t.Run(filepath.Base(all[k]), func(t *testing.T) {
			s := scriptOf(t, all[k])
			p, r := newTwins(t, s.object), rand.New(rand.NewPCG(uint64(k), *harmSeed))
			name, _, _ := strings.Cut(filepath.Base(all[k]), ".json")
			p.differs = knownToKept[name]
			gone := make(map[string]bool) // UIDs of pods
			for k := range s.Frames {
				if s.did(k, "manual-retry") {
					break
				}
				f := frame{now: s.Frames[k].Now.Truncate(time.Second), name: fmt.Sprintf("frame %d, %v", k, s.Frames[k].Events)} // an object has no parts
				for _, pod := range s.Frames[k].Pods {
					if gone[pod.UID] = gone[pod.UID] || r.IntN(30) == 0; !gone[pod.UID] {
						f.pods = append(f.pods, pod)
					}
				}
				if spec := s.respecified(k); spec != nil {
					p.object = withSpec(t, p.object, spec)
				}
				for range 2 {
					if r.IntN(5) == 0 {
						var what string
						p.object, what = harmed(t, r, p.object)
						f.name += ", " + what
					}
					out := p.call(t, &f)
					if out == nil {
						return // the object can't be read
					}
					if lost := r.IntN(6) == 0; lost {
						f.name += ", the patch is lost"
					} else {
						p.object = patched(t, p.object, out.Patch)
					}
				}
			}
			if phase, _ := p.last.Engine.Workflow(); phase.Unsuccessful() {
				f := frame{now: s.Frames[len(s.Frames)-1].Now, name: "retried"}
				if out := p.call(t, &f, propagate.ManualRetry()); out != nil {
					p.object = patched(t, p.object, out.Patch)
				}
				f.name = "after the retry"
				p.call(t, &f)
			}
		})
	}
}
