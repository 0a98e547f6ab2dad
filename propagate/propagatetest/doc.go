// Package propagatetest is the kit for people who test a controller of their own.
//
//	Conformance  kills the controller before and after everything that it does, and says in words what it got wrong
//	Scripts      golden files that tell an engine of one's own graph what happens, and show what comes of it
//	Exploration  everything that may happen to one's own graph, in every order, up to a bound
//	Random       one's own graph, or a random one, on a random cluster
//	Recorder     records what the controller does, and Replay holds the library, and the controller, to it
//	Check, Look  the invariants of an engine, and all that it says in a form for golden files
//
// Begin with the translation of the resource into a [nodegraph.Spec]: Exploration and Random need nothing but that. Then write
// the loop and run Conformance on it: it needs a [Controller], which is a function that starts the loop on a [Cluster], and two
// methods. Last record what a real run did, and keep that as a test. Each type has a method Run that fails the test; its Example
// shows all that is to be written. Package main in examples/pipeline is a controller that nothing else tests.
//
// All is deterministic: a failure comes again. Nothing sleeps, and no clock is read. go test -rewrite writes golden files anew.
package propagatetest
