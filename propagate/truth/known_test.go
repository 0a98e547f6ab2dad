package truth_test

// argoSays lists what is not true of what Argo recorded, by why: recording, line and node. Each holds in every frame from
// the one on in which it came up.
var argoSays = map[string][]string{
	"a skipped or omitted target counts as what is inside a task before it": {
		"random/gen45-seed7 I8.4 gen45.job0",
		"random/gen52-seed7 I8.4 gen52",
		"wide/manual-containerset-wait-failed I8.4 mancsw",
		"wide/rnd1 I8.4 rnd1",
		"wide/rnd113 I8.4 rnd113.job1",
		"wide/rnd16 I8.4 rnd16",
		"wide/rnd336 I8.4 rnd336.a1.job0[0].s2",
		"wide/rnd60 I8.4 rnd60.b-0",
	},
	"a daemon whose pod was deleted is rewritten to Succeeded when its boundary ends": {
		"argo-4.1/dag-daemon-deleted I8.1 daemondel.d",
		"wide/rnd13 I8.1 rnd13(0).n2(1:y)",
		"wide/rnd152 I8.1 rnd152(0).b-2.a0(0)",
		"wide/rnd152 I8.1 rnd152(1).job1(0)",
		"wide/rnd152 I8.1 rnd152(2).b-2.a0(0)",
		"wide/rnd158 I8.1 rnd158[0].s0",
		"wide/rnd16 I8.1 rnd16.n0[0].s0(0)",
	},
	"the Retry of a daemon is rewritten to Succeeded when its boundary ends, although the daemon is dead": {
		"wide/daemon-not-ready-fails I8.2 dmnr.d",
		"wide/rnd125 I8.2 rnd125(0)[0].s1",
		"wide/rnd125 I8.2 rnd125(0)[0].s2",
		"wide/rnd152 I8.2 rnd152(0).b-2.a0",
		"wide/rnd152 I8.2 rnd152(0).job1",
		"wide/rnd152 I8.2 rnd152(1).b-2.a0",
		"wide/rnd152 I8.2 rnd152(2).b-2.a0",
		"wide/rnd152 I8.2 rnd152(2).job1",
		"wide/rnd23 I8.2 rnd23[1].s2",
		"wide/rnd360 I8.2 rnd360(0).n2",
		"wide/rnd387 I8.2 rnd387.n0",
	},
	"a retried hook of a retried node is taken for its last attempt": {
		"wide/hook-retried-task I8.2 hookrt.a",
		"wide/hook-retried-task-v3.6 I8.2 hookrt.a",
		"wide/hook-retried-task-v3.7 I8.2 hookrt.a",
		"wide/rnd31 I8.2 rnd31",
		"wide/rnd31 I8.2 rnd31.hooks.running",
	},
	"a further attempt is started although the Retry has ended": {
		"argo-4.1/containerset-evicted-retried I8.2 evicted-retry.build",
		"random/containerset-all-done-then-deleted-retried-seed1 I8.2 late-retry.build",
		"random/containerset-container-fails-retried-seed1 I8.2 ctroom.build",
		"random/gen12-seed7 I8.2 gen12.job2(2:z).job2",
		"random/gen33-seed7 I8.2 gen33(1).n4[0].s1(0:1)(1).n0",
		"random/gen57-seed7 I8.2 gen57.n0",
		"wide/pods-node-died I8.2 nodedead.r",
		"wide/pods-node-died-v3.7 I8.2 nodedead.r",
		"wide/rnd109 I8.2 rnd109(0)[0].s0",
		"wide/rnd151 I8.2 rnd151[0].s0.n1.n0(2:z).n0",
		"wide/rnd35 I8.2 rnd35(0)[2].s4.n0[1].s1(0:1)",
		"wide/rnd427 I8.2 rnd427.a3",
	},
	"later attempts do not count against the parallelism, and the deadline lets more start": {
		"wide/par-deadline I9.1 workflow",
	},
	"what a manual retry opens again does not count against the parallelism": {
		"wide/rnd112 I9.2 rnd112.b-2",
	},
}

// engineSays lists what is not true of what the engine says, and what it should not ask for, by why: recording, line, node
// and how the recording was played.
var engineSays = map[string][]string{
	"what a manual retry opens again does not count against the parallelism": {
		"wide/rnd112 I9.2 rnd112.b-2: step, restored",
	},
	"what is recorded to have ended is kept as it is recorded": {
		"wide/daemon-evicted-steps-v3.6 I8.2 dmevs[0].d: step",
		"wide/rnd152 I8.2 rnd152(0).job1: step",
	},
}
