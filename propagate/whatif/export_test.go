package whatif

// RunInRounds is Run, but that pods which do not contend are not lost apart.
func RunInRounds(in Input) (*Result, error) {
	in.rounds = true
	return Run(in)
}

// Apart reports whether Run loses each pod of a workflow apart from all others.
func Apart(in Input) bool {
	s := &search{in: &in, result: &Result{}}
	in.MaxSimulations = DefaultMaxSimulations
	return s.undisturbed() == nil && !s.contends()
}
