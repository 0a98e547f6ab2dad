package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// podOverdue judges the pod of node r, which is recorded as open.
func (d *diagnosis) podOverdue(r *nodegraph.NodeStatus) {
	pods := d.pods.of(r)
	switch pod := d.pods.live(r); {
	case !d.pods.known:
		d.byRecord(r)
	case len(pods) == 0:
		d.podMissing(r)
	case pod == nil:
		d.endUnseen(r, pods[len(pods)-1])
	default:
		d.livePod(r, pod)
	}
}

// byRecord judges a pod where pods are not known: one that the record says is Pending, and one whose containers have all ended.
func (d *diagnosis) byRecord(r *nodegraph.NodeStatus) {
	if over, done := d.containersEnded(r); done && d.past(over, podPatience*d.in.Patience) {
		d.lateAt(PodLingers, r, over, fmt.Sprintf("all its containers ended %s ago, and its pod is recorded as %s", d.ago(over), r.Phase),
			"look whether the pod exists, and at the log of its wait container")
		return
	}
	if r.Phase != nodegraph.PhasePending || d.in.Snapshot.Suspended || !d.past(r.Started, podPatience*d.in.Patience) {
		return
	}
	d.lateAt(PodPending, r, r.Started, fmt.Sprintf("its pod has been Pending for %s%s", d.ago(r.Started), because(r.Message)), pendingRemedy(r.Message))
}

// containersEnded reports whether all containers of a ContainerSet are recorded as ended, and since when.
func (d *diagnosis) containersEnded(r *nodegraph.NodeStatus) (since time.Time, done bool) {
	i := d.record.find(r)
	if i == nodegraph.None {
		return since, false
	}
	for m := range d.g.Members(i) {
		c := d.record.of(m)
		if c == nil || open(c) {
			return since, false
		}
		since, done = latest(since, ended(c)), true
	}
	return since, done
}

// pendingRemedy says what to do about a pod that does not begin to run, by its own words.
func pendingRemedy(words string) string {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(words, part) })
	}
	switch {
	case has("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"):
		return "correct the name of the image or the secret with which it is pulled; delete the pod if the workflow is to go on without it"
	case has("CreateContainerConfigError", "secret", "configmap", "FailedMount", "MountVolume"):
		return "make the secret, config map or volume that the pod names; delete the pod if the workflow is to go on without it"
	case has("Unschedulable", "nodes are available", "Insufficient"):
		return "make room in the cluster, or correct what the pod asks for; delete the pod if the workflow is to go on without it"
	case has("quota"):
		return "raise the quota of the namespace, or wait until other pods have ended"
	}
	return "look at the events of the pod; delete the pod if the workflow is to go on without it"
}

// podMissing finds a node whose pod does not exist any more. The controller has to see that, and ends the node.
func (d *diagnosis) podMissing(r *nodegraph.NodeStatus) {
	if !d.hadTimeForPods(r.Started) {
		return
	}
	remedy := "check that the pods are those of this namespace; " + lookAtController
	if strings.Contains(r.Message, "quota") {
		remedy = pendingRemedy(r.Message)
	}
	d.lateAt(PodMissing, r, r.Started, fmt.Sprintf("it is recorded as %s for %s, and its pod does not exist%s", r.Phase, d.ago(r.Started), because(r.Message)), remedy)
}

// endUnseen finds a node whose pod has ended while the record says that it has not.
func (d *diagnosis) endUnseen(r *nodegraph.NodeStatus, pod *propagate.PodStatus) {
	at := endOfPod(pod)
	when := "ended " + d.ago(at) + " ago"
	if at.IsZero() {
		at, when = r.Started, "has ended, nothing says when"
	}
	if !d.hadTimeForPods(at) {
		return
	}
	f := d.lateAt(PodEndUnseen, r, at, fmt.Sprintf("its pod %s %s (%s%s), and is recorded as %s", pod.Name, when, pod.Phase, because(pod.Message), r.Phase),
		lookAtController)
	f.Pod = pod.Name
}

// endOfPod is when the last container of a pod ended; zero if nothing says that.
func endOfPod(pod *propagate.PodStatus) (at time.Time) {
	for _, c := range slices.Concat(pod.Init, pod.Containers) {
		if c.Finished.After(at) {
			at = c.Finished
		}
	}
	return at
}

// livePod judges a pod that has not ended.
func (d *diagnosis) livePod(r *nodegraph.NodeStatus, pod *propagate.PodStatus) {
	patience, info := podPatience*d.in.Patience, d.pods.info[pod.Name]
	lost := info.Lost
	if lost.IsZero() && (pod.Phase == "Unknown" || pod.Reason == "NodeLost") {
		lost = latest(r.Started, pod.Created, info.Deleted)
	}
	var f *Finding
	switch {
	case d.past(lost, patience):
		f = d.lateAt(PodLost, r, lost, fmt.Sprintf("nothing has been heard of the machine of its pod %s for %s%s", pod.Name, d.ago(lost), because(pod.Message)),
			"delete the pod by force once the machine is known to be gone")
	case d.past(info.Deleted, patience):
		f = d.lateAt(PodTerminating, r, info.Deleted, fmt.Sprintf("its pod %s was deleted %s ago and still exists%s", pod.Name, d.ago(info.Deleted), finalizers(info.Finalizers)),
			"look why the pod does not go: its finalizers, or a machine that is gone; delete it by force then")
	case pod.Phase == "Pending" || pod.Phase == "":
		since, words := latest(pod.Created), pendingWords(pod)
		if since.IsZero() {
			since = r.Started
		}
		if words == "" {
			words = r.Message
		}
		if d.past(since, patience) {
			f = d.lateAt(PodPending, r, since, fmt.Sprintf("its pod %s has been Pending for %s%s", pod.Name, d.ago(since), because(words)), pendingRemedy(words))
		}
	default:
		f = d.runningPod(r, pod)
	}
	if f != nil {
		f.Pod = pod.Name
	}
}

func finalizers(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": it has the finalizers " + strings.Join(names, ", ")
}

// pendingWords are what a pod itself says about why it does not run.
func pendingWords(pod *propagate.PodStatus) string {
	for _, c := range slices.Concat(pod.Init, pod.Containers) {
		if c.Waiting && c.Reason != "" && c.Reason != "PodInitializing" && c.Reason != "ContainerCreating" {
			return c.Name + ": " + c.Reason + because(c.Message)
		}
	}
	if pod.Unschedulable {
		return "Unschedulable" + because(pod.UnschedulableMessage)
	}
	if pod.Message != "" {
		return pod.Message
	}
	for _, c := range slices.Concat(pod.Init, pod.Containers) {
		if c.Waiting && c.Reason != "" {
			return c.Reason + because(c.Message)
		}
	}
	return ""
}

// runningPod finds what keeps a pod from its end although what it is for has ended or can't go on.
func (d *diagnosis) runningPod(r *nodegraph.NodeStatus, pod *propagate.PodStatus) *Finding {
	i := d.record.find(r)
	if i == nodegraph.None || d.g.Node(i).Template == nil || r.Daemoned {
		return nil
	}
	t := d.g.Node(i).Template
	if t.IsDaemon() {
		return d.unready(r, pod)
	}
	if f := d.wedged(r, pod, t); f != nil {
		return f
	}
	return d.lingers(r, pod, t)
}

// unready finds a daemon that runs and does not become ready.
func (d *diagnosis) unready(r *nodegraph.NodeStatus, pod *propagate.PodStatus) *Finding {
	since := latest(r.Started, pod.Created)
	notReady := slices.ContainsFunc(pod.Containers, func(c propagate.ContainerStatus) bool { return !c.Ready })
	if !notReady || !d.past(since, podPatience*d.in.Patience) {
		return nil
	}
	return d.lateAt(PodUnready, r, since, fmt.Sprintf("its pod %s has run for %s and is not ready: what comes after the daemon waits for that", pod.Name, d.ago(since)),
		"look at the readiness probe and the log of the pod; delete the pod if it does not become ready")
}

// wedged finds a container that ended badly while others of the pod can't go on without it.
func (d *diagnosis) wedged(r *nodegraph.NodeStatus, pod *propagate.PodStatus, t *nodegraph.Template) *Finding {
	for k := range pod.Containers {
		c := &pod.Containers[k]
		if !c.Terminated || c.ExitCode == 0 || !d.past(c.Finished, podPatience*d.in.Patience) {
			continue
		}
		if waiting := waitsInside(t, pod, c.Name); len(waiting) > 0 {
			d.faulty[r.ID] = true
			return d.lateAt(PodWedged, r, c.Finished,
				fmt.Sprintf("container %s of its pod %s ended %s ago with %d%s%s; %s after it and can never start, and the pod never ends by itself",
					c.Name, pod.Name, d.ago(c.Finished), c.ExitCode, withReason(c.Reason), d.recordedAs(r, c.Name), come(waiting)),
				"delete the pod: it fails, and what the workflow does about that comes next")
		}
	}
	return nil
}

// lingers finds a pod whose work has ended while something beside it runs on.
func (d *diagnosis) lingers(r *nodegraph.NodeStatus, pod *propagate.PodStatus, t *nodegraph.Template) *Finding {
	var over time.Time
	var left []string
	for _, c := range pod.Containers {
		switch {
		case !t.IsMain(c.Name):
			if c.Running {
				left = append(left, c.Name)
			}
		case !c.Terminated:
			return nil
		default:
			over = latest(over, c.Finished)
		}
	}
	if len(left) == 0 || !d.past(over, podPatience*d.in.Patience) {
		return nil
	}
	return d.lateAt(PodLingers, r, over, fmt.Sprintf("the work of its pod %s ended %s ago, and container %s running", pod.Name, d.ago(over), several(left)),
		"look at the log of the container that runs; delete the pod if it does not end: its results are lost then")
}

// recordedAs says how a container is recorded that has ended, if the record does not say so.
func (d *diagnosis) recordedAs(pod *nodegraph.NodeStatus, container string) string {
	for k := range d.in.Snapshot.Nodes {
		if r := &d.in.Snapshot.Nodes[k]; r.Boundary == pod.ID && r.Kind == nodegraph.KindContainer && r.DisplayName == container && open(r) {
			return " and is recorded as " + r.Phase.String()
		}
	}
	return ""
}

// withReason puts the reason of a container's end behind its exit code.
func withReason(reason string) string {
	if reason == "" {
		return ""
	}
	return " " + reason
}

func come(names []string) string {
	if len(names) == 1 {
		return names[0] + " comes"
	}
	return strings.Join(names, ", ") + " come"
}

// waitsInside lists the containers of a pod that come after container name, directly or not, and have not ended.
func waitsInside(t *nodegraph.Template, pod *propagate.PodStatus, name string) []string {
	after := map[string]bool{name: true}
	for range t.Containers { // as many steps as the longest way can have
		for k := range t.Containers {
			c := &t.Containers[k]
			if slices.ContainsFunc(c.Dependencies, func(before string) bool { return after[before] }) {
				after[c.Name] = true
			}
		}
	}
	var list []string
	for _, c := range pod.Containers {
		if c.Name != name && after[c.Name] && !c.Terminated {
			list = append(list, c.Name)
		}
	}
	return list
}
