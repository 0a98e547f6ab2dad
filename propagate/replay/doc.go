// Package replay plays recordings of a workflow controller through the engine and judges the difference.
//
// A recording is what a controller saw and computed, reconcile by reconcile: the workflow as it was submitted, and for
// each frame the clock, every pod that existed and the status the controller left behind. Played in mode [Step] each
// frame starts from the status recorded for the frame before, so that one difference does not cause the next; in mode
// [Free] the engine sees only the specification, the clocks and the pods, and carries its own state.
//
// [Judge] compares node by node. A difference is equal-but-early ("ahead": the recording reaches the same state in a
// following frame although nothing happened in between), a numbered deviation, where the controller breaks an
// invariant that the library keeps, or a defect of the library.
package replay
