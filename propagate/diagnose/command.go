package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// advise puts the commands to type under each finding, and under each wait that somebody has to end.
func (d *diagnosis) advise() {
	for k := range d.report.Findings {
		f := &d.report.Findings[k]
		f.Commands, f.Next, f.ByHand = d.commands(f), d.next(f), d.byHand(f)
	}
	for k := range d.report.Waits {
		d.report.Waits[k].Commands = d.waitCommands(&d.report.Waits[k])
	}
}

// in is the namespace as an argument, empty where it is not known.
func (in *Input) inNamespace() string {
	if in.Namespace == "" {
		return ""
	}
	return " -n " + quoted(in.Namespace)
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:=@%+,"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// commands are what to type about a finding.
func (d *diagnosis) commands(f *Finding) []string {
	ns, name := d.in.inNamespace(), quoted(d.in.Spec.Name)
	deletePod := func(force string) []string {
		return []string{"kubectl delete pod " + quoted(d.podName(f)) + ns + force}
	}
	switch f.Kind {
	case PodWedged, PodLingers, PodUnready, UnknownPod:
		return deletePod("")
	case PodLost, PodTerminating:
		return deletePod(" --grace-period=0 --force")
	case PodPending:
		if pod := d.podName(f); pod != "" {
			return []string{"kubectl describe pod " + quoted(pod) + ns}
		}
		return []string{"kubectl get pods" + ns + " -l " + quoted(LabelWorkflow+"="+d.in.Spec.Name)}
	case LockForEver, PlacesForEver:
		return []string{"argo stop " + name + ns}
	case StoppedBeforeBegin:
		return []string{"kubectl patch workflow " + name + ns + ` --type json -p '[{"op":"remove","path":"/spec/shutdown"}]'`}
	case Unwatched:
		return []string{"kubectl label workflow " + name + ns + " " + argo.LabelCompleted + "-"}
	case DeletionOverdue:
		return []string{"kubectl patch workflow " + name + ns + ` --type merge -p '{"metadata":{"finalizers":null}}'`}
	case ResultMissing:
		return append([]string{"kubectl label workflowtaskresults" + ns + " " + quoted(f.ID) + " workflows.argoproj.io/report-outputs-completed=true --overwrite"},
			d.healCommands()...)
	case DeadlineOverdue:
		if pod := d.podName(f); pod != "" {
			return []string{restartCommand, "kubectl delete pod " + quoted(pod) + ns}
		}
		return []string{restartCommand}
	case ExitHookMissing:
		if d.in.Snapshot.Phase.Completed() {
			return []string{d.runHookCommand()}
		}
	case FalseSuccess:
		return []string{"argo resubmit " + name + ns}
	case LockHeldByFinished:
		return append(d.healCommands(), restartCommand)
	case LockHeldForEver:
		if d.heals() {
			return d.healCommands()
		}
		return []string{"argo terminate " + name + ns}
	case ServedOverdue:
		return []string{"kubectl get pods" + ns + " | grep -e -agent"}
	case StartOverdue:
		return []string{"kubectl get configmap workflow-controller-configmap -n argo -o yaml | grep -i parallelism", restartCommand}
	}
	switch {
	case !f.Heals:
		return []string{restartCommand}
	case f.Kind == Stalled, f.Kind == RetryOver, f.Kind == TaskGroupDone: // the controller may be down
		return append([]string{restartCommand}, d.endThenHeal(f)...)
	}
	return d.endThenHeal(f)
}

// runHookCommand runs the exit handler of a workflow that has ended as a workflow of its own.
func (d *diagnosis) runHookCommand() string {
	ns, name, template := d.in.inNamespace(), d.in.Spec.Name, d.g.OnExit().Template
	if quoted(template) != template || strings.Contains(template, "/") { // it stands in the hook, or in a template of its own
		return "argo resubmit " + quoted(name) + ns
	}
	edit := fmt.Sprintf(`del(.status, .spec.onExit, .spec.hooks, .spec.shutdown) | .metadata = {generateName: "%s-exit-"} | .spec.entrypoint = "%s"`, name, template)
	return "kubectl get workflow " + quoted(name) + ns + " -o json | jq " + quoted(edit) + " | kubectl create" + ns + " -f -"
}

// endThenHeal are the commands that heal a node once the pod has ended that could still report on it.
func (d *diagnosis) endThenHeal(f *Finding) []string {
	r, ns := d.record.byID[f.ID], d.in.inNamespace()
	if r == nil {
		return d.healCommands()
	}
	switch at, pod := d.livePodIn(r); {
	case pod == nil:
		return d.healCommands()
	case d.inExitHandler(at.ID):
		return append([]string{"kubectl wait pod " + quoted(pod.Name) + ns + " --for=jsonpath='{.status.phase}'=Succeeded --timeout=1h"}, d.healCommands()...)
	default:
		return append([]string{"kubectl delete pod " + quoted(pod.Name) + ns}, d.healCommands()...)
	}
}

// restartCommand restarts the controller where it is installed as its manifests do.
const restartCommand = "kubectl rollout restart deployment workflow-controller -n argo"

// healCommands heal the workflow.
func (d *diagnosis) healCommands() []string {
	ns, name := d.in.inNamespace(), quoted(d.in.Spec.Name)
	return []string{
		"kubectl get pods" + ns + " -l " + quoted(LabelWorkflow+"="+d.in.Spec.Name) + " -o json > pods.json",
		"kubectl get workflow " + name + ns + " -o json | nodestatus heal - -pods pods.json > patch.json",
		"kubectl patch workflow " + name + ns + " --type merge --patch-file patch.json",
	}
}

// podName is the name of the pod that a finding is about, empty if it is not known.
func (d *diagnosis) podName(f *Finding) string {
	if f.Pod != "" {
		return f.Pod
	}
	if r := d.record.byID[f.ID]; r != nil {
		for _, pod := range d.pods.of(d.podOf(r)) {
			return pod.Name
		}
	}
	return ""
}

// PodName is the name of the pod of a node, empty if it is not known.
func (r *Report) PodName(id string) string {
	if n := r.record.byID[id]; n != nil {
		if list := r.pods.of(n); len(list) > 0 {
			return list[len(list)-1].Name
		}
	}
	return ""
}

// next says what the controller does once a finding is seen to.
func (d *diagnosis) next(f *Finding) string {
	switch {
	case d.in.Snapshot.Phase.Completed():
		return ""
	case f.Kind == Unwatched:
		return "the controller looks at the workflow again, and goes on with it"
	case f.Kind == ResultMissing:
		return "the controller goes on with what comes after the node"
	case f.Kind == PodWedged, f.Kind == PodUnready, f.Kind == PodTerminating, f.Kind == PodLost, f.Kind == PodLingers:
		return "the controller sees the pod's end, makes the next attempt if there is one, and settles what is around the node"
	case f.Kind == StartOverdue:
		return "the controller makes what comes next"
	case f.Kind == PodMissing, f.Kind == PodEndUnseen, f.Kind == TimerOverdue, f.Kind == DeadlineOverdue, f.Kind == ShutdownOverdue:
		return "the controller settles the node, and what is around it"
	case f.Heals:
		return "the controller settles what is around the node, gives its locks back, and goes on"
	}
	return ""
}

// heals reports whether any finding can be healed.
func (d *diagnosis) heals() bool {
	return slices.ContainsFunc(d.report.Findings, func(f Finding) bool { return f.Heals })
}

// byHand says why a finding can't be healed by a patch of the status, empty if it can.
func (d *diagnosis) byHand(f *Finding) string {
	if f.Heals {
		return ""
	}
	switch f.Kind {
	case LockForEver, PlacesForEver:
		return "it waits because of the specification, which a patch of the status does not change"
	case LockHeldForEver:
		if d.heals() {
			return "" // once the others are
		}
		return "the holder has not ended: who takes the lock from it lets two run at once"
	case FalseSuccess:
		return "others have relied on the success already"
	case PodWedged, PodLost, PodTerminating, PodPending, PodUnready, PodLingers, UnknownPod:
		return "a patch of the status ends no pod"
	case StoppedBeforeBegin, DeletionOverdue, Unwatched:
		return "it does not stand in the status"
	case Stalled, RetryOver:
		if d.falseInside(d.g.Find(f.ID)) {
			return "it would be one more success of what has failed"
		}
		return "with its success the controller stores outputs that nobody else knows"
	case LateAttempt, OpenInsideFinished:
		return "what it should be is not known here"
	}
	return "a patch of the status begins and stops nothing: only the controller does"
}

// waitCommands are what to type about something that is waited for.
func (d *diagnosis) waitCommands(w *Wait) []string {
	ns, name := d.in.inNamespace(), quoted(d.in.Spec.Name)
	switch w.For {
	case propagate.WaitResume:
		return []string{"argo resume " + name + ns + " --node-field-selector " + quoted(d.selector(w.ID))}
	case propagate.WaitSuspended:
		return []string{"argo resume " + name + ns}
	case propagate.WaitLock:
		if w.HolderUnknown {
			return []string{"kubectl get workflows -A -o json | nodestatus diagnose -"}
		}
		var list []string
		for _, h := range w.HeldBy {
			parts := strings.Split(h, "/")
			if len(parts) > 1 {
				list = append(list, fmt.Sprintf("kubectl get workflow %s -n %s -o json | nodestatus diagnose -", quoted(parts[1]), quoted(parts[0])))
			}
		}
		return list
	}
	return nil
}

// selector selects a node: by the name that people see if no other node that waits has the same, else by its id.
func (d *diagnosis) selector(id string) string {
	r, same := d.record.byID[id], 0
	for k := range d.in.Snapshot.Nodes {
		if n := &d.in.Snapshot.Nodes[k]; r != nil && n.DisplayName == r.DisplayName {
			same++
		}
	}
	if r == nil || same > 1 || r.DisplayName == "" {
		return "id=" + id
	}
	return "displayName=" + r.DisplayName
}
