package retry_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/retry"
)

// A controller asks after every attempt: three retries, one, two and four minutes apart.
func Example() {
	retries := 3
	strategy := retry.Strategy{Limit: &retries, Backoff: &retry.Backoff{Duration: time.Minute, Factor: 2}}
	if err := strategy.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 8, 21, 10, 0, 0, 0, time.UTC)
	var attempts []retry.Attempt
	for {
		d := strategy.Decide(attempts, retry.Environment{Now: now})
		switch fmt.Print(now.Format(time.TimeOnly), " ", d.Verb); d.Verb {
		case retry.Start:
			fmt.Printf(" attempt %d\n", d.Attempt)
			attempts = append(attempts, retry.Attempt{Outcome: retry.Failed, Started: now, Finished: now.Add(10 * time.Second)})
			now = now.Add(10 * time.Second)
		case retry.Wait:
			fmt.Printf(" until %s: %s\n", d.Until.Format(time.TimeOnly), d.Message)
			now = d.Until
		default:
			fmt.Printf(": %s, %s\n", d.Outcome, d.Message)
			return
		}
	}
	// Output:
	// 10:00:00 start attempt 0
	// 10:00:10 wait until 10:01:10: Backoff for 1 minute 0 seconds
	// 10:01:10 start attempt 1
	// 10:01:20 wait until 10:03:20: Backoff for 2 minutes 0 seconds
	// 10:03:20 start attempt 2
	// 10:03:30 wait until 10:07:30: Backoff for 4 minutes 0 seconds
	// 10:07:30 start attempt 3
	// 10:07:40 stop: Failed, No more retries left
}

// Failure rules: exit code 42 says that no retry can help, and spot machines that go away cost no retry.
func ExampleStrategy_Decide() {
	retries := 1
	strategy := retry.Strategy{
		Limit: &retries,
		Rules: []retry.FailureRule{
			{Action: retry.ActionStop, In: []int{42}},
			{Action: retry.ActionIgnore, Reasons: []string{"Evicted", retry.ReasonPodDeleted}},
		},
	}
	exit := func(code int) retry.Attempt {
		return retry.Attempt{Outcome: retry.Failed, Message: fmt.Sprint("exit code ", code), ExitCode: code, HasExitCode: true}
	}
	evicted := retry.Attempt{Outcome: retry.Failed, Message: "low on memory", Reason: "Evicted"}
	for _, attempts := range [][]retry.Attempt{
		{exit(1)},
		{exit(42)},
		{evicted, evicted, evicted},
		{evicted, exit(1), evicted},
		{evicted, exit(1), evicted, exit(1)},
	} {
		d := strategy.Decide(attempts, retry.Environment{})
		fmt.Printf("after %d: %s, decided by the step %q", len(attempts), d.Verb, d.Check)
		if d.Rule >= 0 {
			fmt.Printf(", rule %d", d.Rule)
		}
		fmt.Println()
	}
	// Output:
	// after 1: start, decided by the step "retry"
	// after 1: stop, decided by the step "rule", rule 0
	// after 3: start, decided by the step "rule", rule 1
	// after 3: start, decided by the step "rule", rule 1
	// after 4: stop, decided by the step "limit"
}

// Attempts that the infrastructure ended can be left out of the limit as a whole.
func ExampleStrategy_Decide_disruptions() {
	retries := 0
	strategy := retry.Strategy{Limit: &retries, IgnoreDisruptions: true}
	deleted := retry.Attempt{Outcome: retry.Errored, Message: "pod deleted", Reason: retry.ReasonPodDeleted}
	fmt.Println(strategy.Decide([]retry.Attempt{deleted, deleted}, retry.Environment{}).Verb)
	strategy.IgnoreDisruptions = false
	fmt.Println(strategy.Decide([]retry.Attempt{deleted, deleted}, retry.Environment{}).Verb)
	// Output:
	// start
	// stop
}

// An expression sees texts, as in Argo: asInt and asFloat make numbers of them.
func ExampleCompile() {
	e, err := retry.Compile("asInt(lastRetry.exitCode) > 1 || lastRetry.status == 'Error'")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Eval(retry.Variables{LastExitCode: "1", LastStatus: "Failed"}))
	fmt.Println(e.Eval(retry.Variables{LastExitCode: "137", LastStatus: "Failed"}))
	fmt.Println(e.Eval(retry.Variables{LastExitCode: "-1", LastStatus: "Error"}))
	// Output:
	// false <nil>
	// true <nil>
	// true <nil>
}

// Durations of a Workflow are in seconds unless they say more.
func ExampleParseDuration() {
	for _, text := range []string{"90", "1m30s", "soon"} {
		d, err := retry.ParseDuration(text)
		if field := (*retry.FieldError)(nil); errors.As(err, &field) {
			fmt.Println(field)
			continue
		}
		fmt.Println(d)
	}
	// Output:
	// 1m30s
	// 1m30s
	// retry: duration "soon" is not a duration
}

func ExampleHumanDuration() {
	fmt.Println(retry.HumanDuration(45 * time.Second))
	fmt.Println(retry.HumanDuration(90 * time.Minute))
	fmt.Println(retry.HumanDuration(50 * time.Hour))
	// Output:
	// 45 seconds
	// 1 hour 30 minutes
	// 2 days 2 hours
}

// Mistakes are reported with the field and the value.
func ExampleStrategy_Validate() {
	retries := -1
	fmt.Println((&retry.Strategy{Limit: &retries}).Validate())
	fmt.Println((&retry.Strategy{Backoff: &retry.Backoff{}}).Validate())
	// Output:
	// retry: limit "-1" is negative
	// retry: backoff.duration "0s" is not positive
}
