package propagatetest

import "github.com/nodestatus/nodestatus/nodegraph/enum"

// A Rule is something that a host must do or must not do.
type Rule uint8

// The rules, those first that tell most about what is wrong.
const (
	ReturnsAnError       Rule = iota // New or Reconcile failed, panicked or ended their goroutine
	HasNoEngine                      // it was started, and knows nothing of a workflow
	IgnoresWarnings                  // its specification has a condition that does not parse, or the like: see nodegraph.Spec.Warnings
	ActsBeforeStoring                // a pod was made or deleted, and nothing that was stored says why
	SharesALock                      // the pods of more holders live than a lock has places
	StartsWithoutLock                // a pod was made for a node that waits for a lock
	StartsUnasked                    // a pod was made of a node that does not exist, or has ended
	MakesTwoPods                     // a node has two pods that live: their name is not made from that of the node
	RunsTwice                        // a pod was made again for an attempt that had run
	MakesOtherContainers             // a pod was made with other containers than its template has
	DeletesUnasked                   // a pod was deleted whose node goes on
	SeesStalePods                    // at rest the engine says something of a pod that is not so: the list is old, or not complete
	TellsAnotherEnd                  // at rest a pod has succeeded and the engine was told that it failed, or the other way round
	TellsTimesToCome                 // at rest the time of the engine is ahead of the clock
	DropsStart                       // at rest a pod is owed: ActionStart or ActionRecreate was not carried out
	DropsTerminate                   // at rest the pod of something that has ended runs: ActionTerminate was not carried out
	DropsAcquire                     // at rest a request for locks has no answer
	DropsRelease                     // at rest somebody waits for a lock that nobody holds: ActionRelease, or a grant, was dropped
	DropsQuestion                    // at rest ActionResolve, ActionExpand or ActionLookup has no answer
	DropsServe                       // at rest an HTTP or Plugin node was never served
	DropsReport                      // at rest the engine does not know what was reported: see Cluster.Events
	DropsWake                        // at rest something waits for a time, and no timer is set by then
	NeverRests                       // it changes something each time
	BreaksAnInvariant                // Check fails, which would be a fault of the library
	NeverEnds                        // nothing happens any more, and a workflow is not complete
	LostInACrash                     // a workflow does not end as it does if nobody dies
)

var ruleNames = enum.Names{Type: "Rule", Of: []string{
	"returns an error", "has no engine", "ignores warnings", "acts before it stores", "shares a lock", "starts without its lock", "starts what nobody asked for",
	"makes two pods", "runs twice", "makes other containers", "deletes what goes on", "sees stale pods", "tells another end", "tells times to come", "drops Start", "drops Terminate", "drops Acquire",
	"drops Release", "drops a question", "drops what is to be served", "drops a report", "drops Wake", "never rests", "breaks an invariant",
	"never ends", "loses in a crash",
}}

// String names the rule by what a host does that breaks it.
func (r Rule) String() string { return ruleNames.String(uint8(r)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (r Rule) MarshalText() ([]byte, error) { return ruleNames.Marshal(uint8(r)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (r *Rule) UnmarshalText(text []byte) error { return enum.Unmarshal(&ruleNames, text, r) }
