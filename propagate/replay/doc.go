// Package replay plays recordings of a workflow controller through the engine and judges the difference.
//
// A recording is what a controller saw and computed, reconcile by reconcile. It has the workflow as it was submitted, and for
// each frame the clock, every pod that existed and the status the controller left behind. Played in mode [Step] each
// frame starts from the status recorded for the frame before, so that one difference does not cause the next. In mode
// [Free] the engine sees only the specification, the clocks and the pods, and carries its own state.
//
// A recording does not hold all that the controller was told. Conditions over statuses and exit codes are computed from
// what the engine knows; locks come from a [propagate.LockTable]. What only the surroundings of the controller decided is
// read off the record. That is the limits of semaphores, the contents of caches, and items and conditions over values that no
// node holds. It is also reports on HTTP and Plugin nodes, stored results, and what users did. How the engine's own rules
// decide a phase is never read off it.
//
// [Judge] compares node by node. In mode [Step] it compares each frame. In mode [Free] a run begins with every frame and
// is compared up to the first that differs, so that no difference follows from an earlier one. A difference is one of
//
//   - ahead: the controller has not made the node yet, or not closed the workflow. It comes to show the same state in a
//     following frame, and nothing happens in between that the node depends on;
//   - a numbered deviation: the controller breaks an invariant that the library keeps. Each number has one recogniser, which
//     looks at one node and its neighbours in one frame and excuses that node alone; see testdata/DEVIATIONS.md;
//   - a defect of the library.
//
// A list of [Cause] lines says of recordings that have defects what is known about them.
package replay
