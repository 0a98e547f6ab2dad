package replay

import (
	"maps"
	"slices"
)

// Deviations is how many deviations of the controller are known; testdata/DEVIATIONS.md describes each.
const Deviations = 43

// DeviationName says in a few words what the controller does in deviation n.
func DeviationName(n int) string { return deviations[n-1].name }

// A deviation is a place where the controller breaks an invariant that the library keeps.
//
// The recogniser occurs looks at one node in one frame, and at what is directly around it, inside it and before it. It also looks
// at what was recorded of them in the frame before. It excuses that node alone. What the deviation brings about elsewhere in the
// same frame is recognised node by node by follows, each time at a neighbour whose difference has the number already.
type deviation struct {
	name    string
	occurs  func(site) bool
	follows []func(t site, number int) bool
}

// deviations are the recognisers, by number less one.
var deviations = [Deviations]deviation{
	{"a container that had ended is overwritten", overwrittenContainer, nil},
	{"a pod that ends without container statuses leaves its containers open", openInEndedPod, lagging},
	{"containers after another are left open when the pod is deleted", openInDeletedPod, lagging},
	{"a daemon whose pod was deleted is rewritten to Succeeded", rewrittenDaemon, nil},
	{"Steps complete while containers of a deleted pod run", openInEndedSteps, nil},
	{"a further attempt is started although the Retry has ended", attemptOfEndedRetry, append([]func(site, int) bool{madeInside, forgottenAfter}, leading...)},
	{"the order of visits decides", orderOfVisits, []func(site, int) bool{madeInside, notMadeInside}},
	{"a failure that comes to an omitted target is reported as success", falseSuccess, taking},
	{"an omitted target takes another kind of failure", kindOfFailure, taking},
	{"pods are asked for after the deadline", podAfterDeadline, lagging},
	{"a shutdown fails a DAG while a hook inside runs", endedOverHook, leading},
	{"a shutdown ends a Retry and leaves what is inside open", openInStoppedRetry, []func(site, int) bool{leftInside, notMade, notMadeInside}},
	{"a shutdown fails a Retry whose attempt succeeded", stoppedSuccess, taking},
	{"a DAG that fails fast leaves a Retry Running, and tasks unmade", openInFailedFast, leaving},
	{"a step that times out ends its group while others run", timedOutGroup, abandoning},
	{"a hook expression that can't be evaluated ends a group while its steps run", hookErrorOfGroup, abandoning},
	{"an exit hook without a place ends a group while its steps run", noPlaceForHook, abandoning},
	{"a loop over an inline template has no template", inlineLoop, slices.Concat(abandoning, taking)},
	{"the controller panics", panicked, nil},
	{"a retried hook is taken for the last attempt", hookForAttempt, slices.Concat(lagging, leading)},
	{"of items that end together only the first runs its exit hook", exitHookOfItem, leading},
	{"containers of a daemon keep the DAG open", openDaemonContainers, leaving},
	{"what depends on a DAG does not wait for its hook", beforeHookOfDAG, []func(site, int) bool{notMade, notMadeInside, made, madeInside}},
	{"a daemon that failed is tried again only where something uses it", daemonWithoutUser, slices.Concat(lagging, leading)},
	{"what is open when something around it ends stays open", leftOpen, []func(site, int) bool{keptOpen, notMade}},
	{"the lock of a task whose DAG fails fast is never given back", lockOfFailedFast, []func(site, int) bool{notMade, notMadeInside}},
	{"Steps that fail fast end a StepGroup inside them once more", rewrittenGroup, nil},
	{"a manual retry waits for what it never visits", neverVisited, nil},
	{"a manual retry runs a ContainerSet again that stays", rerunSet, []func(site, int) bool{forgottenAfter}},
	{"a manual retry deletes attempts of a Retry that succeeded", forgottenAttempt, nil},
	{"a manual retry runs without its daemon", withoutDaemon, retrying},
	{"Steps end when a daemon of theirs dies, while a later group is open", endedByDeadDaemon, abandoning},
	{"what fails fast does not look at the DAGs and Steps inside any more", passedByFailFast, leading},
	{"a daemon that is tried again does not hold what it is inside of open", endedOverDaemon, append([]func(site, int) bool{daemonEnded}, leading...)},
	{"a daemon of a loop that failed is not looked at any more", overlookedDaemon, lagging},
	{"a task starts after a daemon that has died", afterDeadDaemon, append([]func(site, int) bool{madeInside}, lagging...)},
	{"which failed step a group names depends on a manual retry", childOrder, []func(site, int) bool{wordsTakenOver}},
	{"a manual retry runs a covered failure again, inside a Retry", coveredAgain, []func(site, int) bool{openedAgain, waitsThere}},
	{"nothing ends while the workflow is suspended", heldUp, lagging},
	{"a ready daemon waits for the lock that it gave back", waitingDaemon, nil},
	{"the Retry of a daemon succeeds as that is ready", succeededReady, nil},
	{"a later attempt of a Retry needs no place under parallelism", attemptWithoutPlace, append([]func(site, int) bool{madeInside}, lagging...)},
	{"the exit hook of a loop never runs where its DAG ends with the loop", exitHookOfLoop, slices.Concat(leading, []func(site, int) bool{notMadeInside})},
}

// number gives each difference of the scene the number of the deviation that it is or that it follows from.
func (s *scene) number() {
	ids := slices.Sorted(maps.Keys(s.differences))
	for _, id := range ids {
		for n := range deviations {
			if deviations[n].occurs != nil && deviations[n].occurs(s.at(id)) {
				s.differences[id].Deviation = n + 1
				break
			}
		}
	}
	for again := true; again; {
		again = false
		for _, id := range ids {
			if d := s.differences[id]; d.Deviation == 0 {
				d.Deviation = s.at(id).consequence()
				again = again || d.Deviation > 0
			}
		}
	}
}

// consequence is the number of the deviation that the difference follows from, 0 for none.
func (t site) consequence() int {
	for n := range deviations {
		for _, follows := range deviations[n].follows {
			if follows(t, n+1) {
				return n + 1
			}
		}
	}
	return 0
}
