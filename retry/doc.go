// Package retry decides whether another attempt is made, when, and why not. It is one pure function,
// [Strategy.Decide], from the attempts so far and the time to a [Decision].
//
// The steps, of which the first that says something decides (Argo: processNodeRetries):
//
//  1. No attempt yet: start the first.
//  2. The last attempt is unfinished: await it.
//  3. It succeeded: succeed.
//  4. The workflow is shut down, or was past its deadline when the node could first end otherwise: stop.
//  5. A rule matches that says so (beyond Argo): stop.
//  6. Backoff.MaxDuration was over when the end of the attempt was seen, or would be by the next attempt: stop.
//  7. The backoff is not over: wait. It counts from the end of the attempt; nothing is waited for where nobody knows that.
//     Argo does not wait where there is no limit; this package does.
//  8. A rule matches that ignores it, or it was ended by a disruption and those are ignored (beyond Argo): retry without
//     counting it.
//  9. The policy does not retry such an end: stop.
//  10. The limit is reached: stop.
//  11. The expression is false, or can't be evaluated: stop.
//  12. Otherwise start the next attempt.
package retry
