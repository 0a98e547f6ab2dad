package replay

// JudgeFrame judges one frame, played from the one recorded before it.
func JudgeFrame(p *Player, frame int) (*Verdict, error) {
	j := newJudge(p)
	err := j.run(frame)
	return j.verdict(), err
}
