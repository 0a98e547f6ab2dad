package propagatetest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
)

// A host that does all that it is asked breaks no rule.
func TestARightHost(t *testing.T) {
	propagatetest.Conformance{New: newKeeper(none)}.Run(t)
}

// Each mistake is named: the first fault says what the host does wrong. Each is played in the cases where it can show.
func TestWrongHosts(t *testing.T) {
	for _, test := range []struct {
		name  string
		wrong mistake
		in    []string // names of cases
		rule  propagatetest.Rule
	}{
		{"forgets Terminate after a crash", forgetsTerminateAfterACrash, []string{"a daemon"}, propagatetest.DropsTerminate},
		{"never terminates", neverTerminates, []string{"a daemon", "a termination", "a deadline"}, propagatetest.DropsTerminate},
		{"acts before it persists", actsBeforeItPersists, []string{"pods", "a lock"}, propagatetest.ActsBeforeStoring},
		{"stores the state before the call", storesWhatItHadBefore, []string{"pods"}, propagatetest.ActsBeforeStoring},
		{"stores the first state alone", storesOnce, []string{"pods"}, propagatetest.ActsBeforeStoring},
		{"names pods at random", namesPodsAtRandom, []string{"pods"}, propagatetest.MakesTwoPods},
		{"asks twice", makesPodsAgain, []string{"pods"}, propagatetest.MakesTwoPods},
		{"drops Release", dropsRelease, []string{"a lock", "a lock of the workflows"}, propagatetest.DropsRelease},
		{"drops grants to others", dropsGrantsToOthers, []string{"a lock"}, propagatetest.DropsRelease},
		{"drops Acquire", dropsAcquire, []string{"a lock", "a lock of the workflows"}, propagatetest.DropsAcquire},
		{"makes pods of what waits", startsWhatWaits, []string{"a lock"}, propagatetest.StartsWithoutLock},
		{"grants every lock", grantsEveryLock, []string{"a lock", "a lock of the workflows"}, propagatetest.SharesALock},
		{"adopts no locks", adoptsNothing, []string{"a lock"}, propagatetest.SharesALock},
		{"lists pods once", listsPodsOnce, []string{"pods", "a lock"}, propagatetest.SeesStalePods},
		{"lists no pods after a restart", listsNoPodsAfterARestart, []string{"pods"}, propagatetest.SeesStalePods},
		{"drops Recreate", dropsRecreate, []string{"a pod vanishes before it runs"}, propagatetest.DropsStart},
		{"drops Start", dropsStart, []string{"pods"}, propagatetest.DropsStart},
		{"sets no timers", setsNoTimers, []string{"a duration"}, propagatetest.DropsWake},
		{"sets the first timer alone", setsTheFirstTimerOnly, []string{"a pod fails and is tried again later"}, propagatetest.DropsWake},
		{"answers no questions", answersNoQuestions, []string{"a condition", "a loop", "a cache"}, propagatetest.DropsQuestion},
		{"serves nothing", servesNothing, []string{"an HTTP node"}, propagatetest.DropsServe},
		{"drops events", dropsEvents, []string{"a shutdown", "an HTTP node"}, propagatetest.DropsReport},
		{"makes pods of composites", startsEverything, []string{"pods"}, propagatetest.StartsUnasked},
		{"deletes what goes on", deletesAllPods, []string{"a deadline beside another workflow"}, propagatetest.DeletesUnasked},
		{"comes to no rest", storesTheTime, []string{"pods"}, propagatetest.NeverRests},
		{"has no engine", hidesEngines, []string{"pods"}, propagatetest.StartsUnasked},
		{"fails", fails, []string{"pods"}, propagatetest.ReturnsAnError},
		{"leaves its goroutine", leaves, []string{"pods"}, propagatetest.ReturnsAnError},
		{"names holders by name", namesHoldersByName, []string{"a lock"}, propagatetest.DropsRelease},
		{"tells no time", tellsNoTime, []string{"pods"}, propagatetest.ReturnsAnError},
		{"copies its engines", copiesItsEngines, []string{"pods"}, propagatetest.ReturnsAnError},
		{"tells of nobody", tellsOfNobody, []string{"pods"}, propagatetest.ReturnsAnError},
		{"makes up phases", makesUpPhases, []string{"pods"}, propagatetest.ReturnsAnError},
		{"makes pods without their containers", makesBarePods, []string{"a container set"}, propagatetest.MakesOtherContainers},
		{"goes on after an error", goesOn, []string{"pods"}, propagatetest.DropsStart},
		{"adds nodes to the graph", addsNodes, []string{"a container set"}, propagatetest.ReturnsAnError},
	} {
		t.Run(test.name, func(t *testing.T) {
			faults := propagatetest.Conformance{New: newKeeper(test.wrong), Cases: casesNamed(t, test.in)}.Faults()
			require.NotEmpty(t, faults, "nothing is found")
			for _, f := range faults {
				t.Log(f)
			}
			require.Equal(t, test.rule.String(), faults[0].Rule.String(), "the first fault")
		})
	}
}

// casesNamed are the cases with these names.
func casesNamed(t *testing.T, names []string) (cases []propagatetest.Case) {
	for _, c := range append(propagatetest.Cases(), besideAnother()) {
		if slices.Contains(names, c.Name) {
			cases = append(cases, c)
		}
	}
	require.Len(t, cases, len(names), "cases called %v", names)
	return cases
}

// besideAnother is a case in which one workflow completes while a pod of the other runs.
func besideAnother() propagatetest.Case {
	c := propagatetest.Case{Name: "a deadline beside another workflow", Stays: []string{"Running w0.a"}}
	for _, text := range []string{"w0: dag(a)", "w1: dag(x)"} {
		spec, _ := nodegraph.Parse(text)
		c.Workflows = append(c.Workflows, spec)
	}
	c.Workflows[0].ActiveDeadline = time.Minute
	return c
}

// A fault says what is wrong, in which case, and where the controller has died.
func TestFaultsAreWords(t *testing.T) {
	faults := propagatetest.Conformance{New: newKeeper(namesPodsAtRandom), Cases: casesNamed(t, []string{"pods"})}.Faults()
	require.NotEmpty(t, faults)
	require.Equal(t, `makes two pods: w0.a has the pod w0.a-101, and is given w0.a-201 (case "pods", where the controller dies after CreatePod w0.a-101)`, faults[0].String())
}

// The names of rules are text and back.
func TestRulesAreText(t *testing.T) {
	for r := propagatetest.ReturnsAnError; r <= propagatetest.LostInACrash; r++ {
		text, err := r.MarshalText()
		require.NoError(t, err)
		var back propagatetest.Rule
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, r, back)
	}
}
