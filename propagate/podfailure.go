package propagate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A podLook is a pod and which of its containers does the work of its node.
type podLook struct {
	template *nodegraph.Template
	pod      *PodStatus
	main     string // the container that does the work; empty if that is one of the template's, or if nobody says which it is
	argo     bool   // the pod is one of Argo's: a container of its own is there
}

// lookAt finds the container that does the work of a node: the one that the template names, or where that says nothing "main", or
// else the only one of a pod that is none of Argo's.
func lookAt(t *nodegraph.Template, p *PodStatus) podLook {
	look := podLook{template: t, pod: p}
	for k := range p.Containers {
		look.argo = look.argo || auxiliary(p.Containers[k].Name)
	}
	if len(p.Containers) == 1 && len(t.Containers) == 0 && t.MainContainer == "" && !look.argo {
		look.main = p.Containers[0].Name
	}
	return look
}

// isMain reports whether a container does the work of the node.
func (l *podLook) isMain(name string) bool {
	return l.template.IsMain(name) || l.main != "" && name == l.main
}

// guess reports whether nobody says which container does the work of the node: any of them may.
func (l *podLook) guess() bool {
	return !l.argo && len(l.template.Containers) == 0 && !slices.ContainsFunc(l.pod.Containers, func(c ContainerStatus) bool { return l.isMain(c.Name) })
}

// exit is the exit code of the node: that of the container that does its work, of a ContainerSet the one called main (Argo:
// getExitCode). Where nobody says which it is, it is that of the one that says why the pod has failed.
func (l *podLook) exit() (code int, has bool) {
	for k := range l.pod.Containers {
		c := &l.pod.Containers[k]
		if c.Terminated && (c.Name == "main" || len(l.template.Containers) == 0) && l.isMain(c.Name) {
			return c.ExitCode, true
		}
	}
	switch {
	case !l.guess() || len(l.pod.Containers) == 0:
	case l.pod.Phase == PodPhaseSucceeded:
		return 0, true
	case l.pod.Phase == PodPhaseFailed:
		if c := l.killed(); c != nil {
			return c.ExitCode, true
		}
	}
	return 0, false
}

// preMainFailure is the exit code with which a main container says that the supervisor failed before it.
const preMainFailure = 65

// failure says how a failed pod's node ended and why (Argo: inferFailedReason). Of several containers that failed one
// speaks: init containers first, then the user's, then Argo's own, then sidecars.
func (l *podLook) failure(put style) (nodegraph.Phase, string) {
	p := l.pod
	if p.Message != "" {
		return nodegraph.PhaseFailed, p.Message
	}
	containers := append(slices.Clone(p.Init), l.byImportance()...)
	if len(containers) == 0 {
		return nodegraph.PhaseFailed, fmt.Sprintf("can't find failed message for pod %s namespace %s", cmp.Or(p.Name, p.Node), "")
	}
	main, wait := false, false
	for _, c := range containers {
		switch {
		case c.Waiting:
			return nodegraph.PhaseError, fmt.Sprintf("Pod failed before %s container starts due to %s: %s", c.Name, c.Reason, c.Message)
		case !c.Terminated:
		case c.ExitCode == 0:
			main, wait = main || l.isMain(c.Name), wait || auxiliary(c.Name)
		default:
			if phase, ok := l.blame(&c); ok {
				return phase, put.ended(&c)
			}
		}
	}
	if !l.argo {
		return l.failedAlone(put)
	}
	switch {
	case main && wait:
		return nodegraph.PhaseSucceeded, ""
	case main:
		return nodegraph.PhaseFailed, "pod failed: wait container did not complete successfully"
	case wait:
		return nodegraph.PhaseFailed, "pod failed: main container did not complete successfully"
	}
	return nodegraph.PhaseFailed, "pod failed: neither main nor wait container completed successfully"
}

// failedAlone is failure for a pod without containers of Argo's own, none of which is to blame. What did the work ended well: what
// was beside it was killed, unless the pod was ended as a whole.
func (l *podLook) failedAlone(put style) (nodegraph.Phase, string) {
	if l.pod.Reason != "" {
		return nodegraph.PhaseFailed, l.pod.Reason
	}
	if l.workDone() {
		return nodegraph.PhaseSucceeded, ""
	}
	if c := l.killed(); c != nil {
		return nodegraph.PhaseFailed, put.ended(c)
	}
	return nodegraph.PhaseFailed, "pod failed: no container says why"
}

// workDone reports whether each container that does work of the node has ended well.
func (l *podLook) workDone() bool {
	done := 0
	for k := range l.pod.Containers {
		if c := &l.pod.Containers[k]; l.isMain(c.Name) {
			if !c.Terminated || c.ExitCode != 0 {
				return false
			}
			done++
		}
	}
	return done == max(1, len(l.template.Containers))
}

// killed is the container that says why a pod has failed of which nobody says what does the work: one that ended badly, if there is
// any that was not killed.
func (l *podLook) killed() *ContainerStatus {
	var found *ContainerStatus
	for k := range l.pod.Containers {
		c := &l.pod.Containers[k]
		if !c.Terminated || c.ExitCode == 0 {
			continue
		}
		if _, toBlame := l.blame(c); toBlame {
			return c
		}
		if found == nil {
			found = c
		}
	}
	return found
}

// ended puts how a container ended badly.
func (bare style) ended(c *ContainerStatus) string {
	return bare.of(c, join(fmt.Sprintf("%s (exit code %d)", c.Reason, c.ExitCode), c.Message))
}

// blame says what a container that ended badly makes of its node. A sidecar that was killed is not to blame.
func (l *podLook) blame(c *ContainerStatus) (nodegraph.Phase, bool) {
	switch {
	case c.Name == "init", auxiliary(c.Name):
		return nodegraph.PhaseError, true
	case l.isMain(c.Name):
		return nodegraph.PhaseFailed, true
	}
	return nodegraph.PhaseFailed, c.ExitCode != 137 && c.ExitCode != 143
}

// byImportance orders containers by who may speak first; the supervisor goes before a main container that only
// passes its failure on.
func (l *podLook) byImportance() []ContainerStatus {
	passedOn := slices.ContainsFunc(l.pod.Containers, func(c ContainerStatus) bool {
		return l.isMain(c.Name) && c.Terminated && c.ExitCode == preMainFailure
	})
	rank := func(c ContainerStatus) int {
		switch {
		case c.Name == "supervisor" && passedOn:
			return 0
		case l.isMain(c.Name):
			return 1
		case auxiliary(c.Name):
			return 2
		}
		return 3
	}
	sorted := slices.Clone(l.pod.Containers)
	slices.SortStableFunc(sorted, func(a, b ContainerStatus) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted
}
