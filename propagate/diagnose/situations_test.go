package diagnose_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// noon is when the situations are looked at.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// A situation is what an operator finds: a workflow, and the pods if they are known.
type situation struct {
	verdict  diagnose.Verdict
	findings []string // kind, name, and what it should be if heal sets that
	says     []string // parts of what is said under the findings and waits, commands included
	left     []string // kinds that are still found after the healed workflow was stored; with a reason to refuse none
	refused  string   // why heal refuses
}

// situations are those under testdata/situations, each of a kind that people reported.
var situations = map[string]situation{
	"result-false-in-status": {"stuck", []string{"result-missing import[1].put"}, []string{"status.taskResultsCompletionStatus", "restarting the controller does not help",
		"kubectl label workflowtaskresults -n shop import-2648920596 workflows.argoproj.io/report-outputs-completed=true"}, nil, ""},
	"result-false-in-node":    {"stuck", []string{"result-missing import[0].get"}, []string{"taskResultSynced is false", "since 2026-03-10T08:03:00Z"}, nil, ""},
	"exit-handler-terminated": {"wrong", []string{`open-inside-finished lease.onExit -> Failed`, `open-inside-finished lease.onExit[0] -> Failed`}, nil, nil, ""},
	"exit-handler-stopped-done": {"wrong", []string{"open-inside-finished bench.onExit -> Succeeded", "open-inside-finished bench.onExit.one -> Succeeded",
		"open-inside-finished bench.onExit.one[0] -> Succeeded", "open-inside-finished bench.onExit.one[0].clean -> Succeeded"}, nil, nil, ""},
	"exit-handler-stopped-live": {"wrong", []string{"open-inside-finished bench.onExit -> Failed", "open-inside-finished bench.onExit.one -> Failed",
		"open-inside-finished bench.onExit.one[0] -> Failed", "open-inside-finished bench.onExit.one[0].clean -> Error"},
		[]string{"wait until pod bench-clean has ended", "kubectl wait pod bench-clean -n shop"}, nil, `pod "bench-clean" has not ended`},
	"postponed-pending":   {"overdue", []string{"start-overdue sync"}, []string{"4h0m0s ago", "postponed because too many workflows", "limit of parallelism"}, []string{"start-overdue"}, ""},
	"untouched":           {"overdue", []string{"start-overdue sync"}, []string{"nothing of the workflow is on record", "instance id"}, []string{"start-overdue"}, ""},
	"no-nodes":            {"overdue", []string{"start-overdue sync"}, nil, []string{"start-overdue"}, ""},
	"next-never-begun":    {"overdue", []string{"start-overdue sync.push"}, []string{"3h57m0s ago", "no pod of it is missing", "parallelism", "rollout restart"}, []string{"start-overdue"}, ""},
	"copied-shutdown":     {"stuck", []string{"stopped-before-begin sync"}, []string{"spec.shutdown is Terminate", `"path":"/spec/shutdown"`}, []string{"stopped-before-begin"}, ""},
	"copied-suspend":      {"waiting", nil, []string{"argo resume sync -n shop", "spec.suspend is true"}, nil, ""},
	"suspended-for-days":  {"waiting", nil, []string{"argo resume sync -n shop"}, nil, ""},
	"retry-reopened":      {"stuck", []string{"retry-over infra.plan", "start-overdue infra.right(0)"}, nil, []string{"retry-over", "start-overdue"}, ""},
	"ended-with-pending":  {"wrong", []string{"open-inside-finished huge.b -> Succeeded"}, nil, nil, ""},
	"waits-for-lock":      {"waiting", nil, []string{"since 2026-03-10T08:00:00Z", "held by shop/fit-a", "kubectl get workflow fit-a -n shop"}, nil, ""},
	"holds-lock":          {"healthy", nil, nil, nil, ""},
	"lock-free":           {"overdue", []string{"lock-free fit-c.one"}, []string{"names nobody who holds it"}, []string{"lock-free"}, ""},
	"lock-holder-unknown": {"waiting", nil, []string{"since 2026-03-10T08:00:05Z", "kubectl get workflows -A -o json | nodestatus diagnose -"}, nil, ""},
	"completed-by-label": {"stuck", []string{"unwatched ledger", "stalled ledger -> Succeeded"},
		[]string{"workflows.argoproj.io/completed is true", "kubectl label workflow ledger -n shop workflows.argoproj.io/completed-"}, []string{"unwatched"}, ""},
	"lock-leaked":         {"stuck", []string{"lock-held-by-finished fit-d.p.a"}, []string{"still holds shop/Mutex/m"}, nil, ""},
	"gate":                {"waiting", nil, []string{"since 2026-03-10T08:00:05Z", "argo resume ship -n shop --node-field-selector displayName=us"}, nil, ""},
	"gates-of-one-name":   {"waiting", nil, []string{"--node-field-selector id=ship-"}, nil, ""},
	"group-in-error":      {"healthy", nil, nil, nil, ""},
	"runs":                {"healthy", nil, nil, nil, ""},
	"end-just-now":        {"healthy", nil, nil, nil, ""},
	"pending-for-minutes": {"healthy", nil, nil, nil, ""},
	"daemon-left": {"wrong", []string{"daemon-left watch[0].mon(1) -> Succeeded"}, []string{"delete pod watch-mon-1, then heal the workflow", "kubectl delete pod watch-mon-1 -n shop"},
		nil, `pod "watch-mon-1" has not ended`},
	"daemons-fill-parallelism": {"stuck", []string{"parallelism-for-ever suite[1].test"}, []string{"suite[0].db1, suite[0].db2", "raise parallelism", "since 2026-03-10T08:01:00Z"}, []string{"parallelism-for-ever"}, ""},
	"container-killed-others-wait": {"stuck", []string{"pod-wedged pair"}, []string{"container first", "3h59m0s ago", "137 OOMKilled", "is recorded as Running", "main comes after it and can never start",
		"kubectl delete pod pair -n shop"}, []string{"pod-wedged"}, ""},
	"lock-of-own-workflow":                 {"stuck", []string{"lock-wait-for-ever fit-e.one", "lock-held-for-ever fit-e"}, []string{"the workflow itself holds shop/Mutex/m"}, []string{"lock-wait-for-ever", "lock-held-for-ever"}, ""},
	"container-forgotten":                  {"stuck", []string{"orphaned-container night.one.main -> Error", "lock-held-for-ever night"}, []string{"since 2026-03-10T08:30:00Z"}, nil, ""},
	"evicted-unseen":                       {"overdue", []string{"pod-end-unseen save.set"}, []string{"The node was low on resource"}, []string{"pod-end-unseen"}, ""},
	"gone-unseen":                          {"overdue", []string{"pod-missing save.set"}, []string{"does not exist"}, []string{"pod-missing"}, ""},
	"saves-for-hours":                      {"overdue", []string{"pod-lingers save.set"}, nil, []string{"pod-lingers"}, ""},
	"wait-lingers":                         {"overdue", []string{"pod-lingers save.set"}, []string{"container wait is running"}, []string{"pod-lingers"}, ""},
	"image-by-record":                      {"overdue", []string{"pod-pending one.a"}, []string{`Back-off pulling image "nope"`, "correct the name of the image"}, []string{"pod-pending"}, ""},
	"image-by-pod":                         {"overdue", []string{"pod-pending one.a"}, []string{"main: ErrImagePull: not found", "kubectl describe pod one-a -n shop"}, []string{"pod-pending"}, ""},
	"unschedulable":                        {"overdue", []string{"pod-pending one.a"}, []string{"3 Insufficient cpu", "make room"}, []string{"pod-pending"}, ""},
	"secret-missing":                       {"overdue", []string{"pod-pending one.a"}, []string{`secret "token" not found`, "make the secret"}, []string{"pod-pending"}, ""},
	"daemon-unready":                       {"overdue", []string{"pod-unready suite[0].db"}, []string{"is not ready", "readiness probe"}, []string{"pod-unready"}, ""},
	"quota":                                {"overdue", []string{"pod-missing one.a"}, []string{"exceeded quota: small", "raise the quota"}, []string{"pod-missing"}, ""},
	"terminating":                          {"overdue", []string{"pod-terminating one.a"}, []string{"example.com/hold", "--grace-period=0 --force"}, []string{"pod-terminating"}, ""},
	"machine-vanished":                     {"overdue", []string{"pod-lost one.a"}, []string{"3h0m0s"}, []string{"pod-lost"}, ""},
	"end-unseen":                           {"overdue", []string{"pod-end-unseen one.a"}, []string{"since 2026-03-10T08:10:00Z"}, []string{"pod-end-unseen"}, ""},
	"stop-not-carried-out":                 {"overdue", []string{"shutdown-overdue one"}, []string{"spec.shutdown is Stop", "one.a is still open"}, []string{"shutdown-overdue"}, ""},
	"deadline-passed":                      {"overdue", []string{"deadline-overdue one"}, []string{"since 2026-03-10T08:01:00Z"}, []string{"deadline-overdue"}, ""},
	"deadline-undated":                     {"overdue", []string{"deadline-overdue one"}, []string{"since 2026-03-10T08:01:05Z"}, []string{"deadline-overdue"}, ""},
	"missing-where-parallelism-is-used-up": {"overdue", []string{"pod-missing one.a"}, []string{"does not exist"}, []string{"pod-missing"}, ""},
	"deadline-before-creation":             {"overdue", []string{"deadline-overdue one"}, []string{"since 2026-03-10T08:01:00Z", "rollout restart"}, []string{"deadline-overdue"}, ""},
	"result-of-a-pod-that-lives":           {"overdue", []string{"pod-lingers one"}, []string{"its pod one lives", "kubectl delete pod one -n shop"}, []string{"pod-lingers"}, ""},
	"exit-handler-never-begun":             {"wrong", []string{"exit-hook-missing one.onExit"}, []string{"by hand", `.spec.entrypoint = "clean"`, "kubectl create -n shop -f -"}, []string{"exit-hook-missing"}, ""},
	"duration-passed":                      {"overdue", []string{"timer-overdue one"}, []string{"since 2026-03-10T08:01:05Z"}, []string{"timer-overdue"}, ""},
	"pending-timeout-passed":               {"overdue", []string{"deadline-overdue one"}, []string{"since 2026-03-10T08:01:05Z"}, []string{"deadline-overdue"}, ""},
	"evicted-undated":                      {"stuck", []string{"stalled one -> Failed"}, nil, nil, ""},
	"false-success":                        {"wrong", []string{"false-success one"}, []string{"one.a"}, []string{"false-success"}, ""},
	"template-not-stored": {"overdue", []string{"start-overdue bake.heat"}, []string{"since 2026-03-10T08:20:00Z", "namespaced/lib/oven, which the object does not hold yet"},
		[]string{"start-overdue"}, ""},
	"lock-just-ended": {"waiting", nil, nil, nil, ""},
	"evicted-then-retried": {"stuck", []string{"orphaned-container reap.grain(0).main -> Failed", "attempt-after-end reap.grain(2) -> Error",
		"attempt-after-end reap.grain(2).cut -> Error", "attempt-after-end reap.grain(2).main -> Error"}, []string{"started although Retry reap.grain has ended"}, nil, ""},
	"loop-done":        {"stuck", []string{"task-group-done tally.fan -> Succeeded"}, []string{"since 2026-03-10T08:40:00Z"}, nil, ""},
	"done-not-settled": {"stuck", []string{"stalled ledger -> Succeeded"}, []string{"since 2026-03-10T08:05:00Z", "rollout restart"}, nil, ""},
	"daemon-gone":      {"wrong", []string{"daemon-left watch[0].mon(1) -> Succeeded"}, nil, nil, ""},
	"deletion-held":    {"overdue", []string{"deletion-overdue one"}, []string{"workflows.argoproj.io/artifact-gc"}, []string{"deletion-overdue"}, ""},
	"agent-missing":    {"overdue", []string{"served-overdue one.a"}, []string{"no agent's pod exists"}, []string{"served-overdue"}, ""},
	"backoff-over":     {"overdue", []string{"start-overdue one.a(1)"}, []string{"since 2026-03-10T08:02:00Z"}, []string{"start-overdue"}, ""},
}

// stored reads a workflow and its pods as kubectl printed them.
func storedIn(t *testing.T, workflow, pods []byte, now time.Time) (*argo.Workflow, diagnose.Input) {
	t.Helper()
	w, err := argo.Read(workflow)
	require.NoError(t, err)
	in, err := diagnose.FromWorkflow(w)
	require.NoError(t, err)
	in.Now = now
	if pods != nil {
		list, err := diagnose.ReadPods(pods, w.Namespace, w.Name)
		require.NoError(t, err)
		in.UsePods(list)
	}
	return w, in
}

// said is all that a report says in words.
func said(r *diagnose.Report) string {
	lines := append([]string{}, r.Notes...)
	for _, f := range r.Findings {
		lines = append(append(lines, f.Reason, f.Remedy, f.Next, "since "+f.Since.Format(time.RFC3339)), f.Commands...)
	}
	for _, w := range r.Waits {
		lines = append(append(lines, w.Message, w.Never, "since "+w.Since.Format(time.RFC3339)), w.Commands...)
		for _, h := range w.HeldBy {
			lines = append(lines, "held by "+h)
		}
	}
	return strings.Join(lines, "\n")
}

// Each situation has its verdict and its findings, with since when, why and what to type. What heals is gone once the patch is
// stored; what does not heal stays, and so does what heal refuses.
func TestSituations(t *testing.T) {
	files, err := filepath.Glob("testdata/situations/*.yaml")
	require.NoError(t, err)
	assert.Len(t, files, len(situations), "each file has its row")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			workflow, pods, _ := bytes.Cut(text, []byte("\n---\n"))
			want := situations[name]
			w, in := storedIn(t, workflow, pods, noon)
			report, err := diagnose.Diagnose(in)
			require.NoError(t, err)
			assert.Equal(t, want.verdict, report.Verdict(), "%v", report.Findings)
			var findings []string
			for _, f := range report.Findings {
				line := string(f.Kind) + " " + f.Name
				if f.Heals && f.Should != f.Recorded && f.Kind != diagnose.LockHeldByFinished {
					line += " -> " + f.Should.Phase.String()
				}
				findings = append(findings, line)
				assert.NotEmpty(t, f.Commands, "%s: what to type", f)
			}
			if diff := cmp.Diff(want.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			for _, part := range want.says {
				assert.Contains(t, said(report), part)
			}
			healed(t, w, in, want)
		})
	}
}

// healed heals a workflow, stores the patch as kubectl does, and looks at what is left.
func healed(t *testing.T, w *argo.Workflow, in diagnose.Input, want situation) {
	t.Helper()
	if want.refused != "" {
		_, err := diagnose.Heal(w, in)
		require.ErrorContains(t, err, want.refused)
		return
	}
	var left []string
	for _, f := range again(t, w, in).Findings {
		left = append(left, string(f.Kind))
	}
	if diff := cmp.Diff(want.left, left); diff != "" {
		t.Errorf("left after the patch (-want +got):\n%s", diff)
	}
}

// again is what is found in a workflow once it was healed and the patch stored, with the same pods.
func again(t *testing.T, w *argo.Workflow, in diagnose.Input) *diagnose.Report {
	t.Helper()
	before, err := w.Encode()
	require.NoError(t, err)
	_, err = diagnose.Heal(w, in)
	require.NoError(t, err)
	patch, err := w.GuardedPatch()
	require.NoError(t, err)
	_, after := storedIn(t, mergedWith(t, before, patch), nil, in.Now)
	after.Pods, after.PodInfo, after.Listed = in.Pods, in.PodInfo, in.Listed
	report, err := diagnose.Diagnose(after)
	require.NoError(t, err, "after the patch %s", patch)
	return report
}
