package propagate

// detail is the part of a Fact that is read when something happens to the node. It has no pointer, see sparse.
type detail struct {
	serial            int64
	created           stamp
	uid, rare         uint32 // numbers in the store
	message           phrase
	attempt, exitCode int32
	memo              Answer
	hasExit           bool
	synced            bool
	hit               bool
}

// rareDetail is the part of a Fact that few nodes have.
type rareDetail struct {
	reason     string
	conditions string
	halted     string
	remade     int64
	restarts   int
}

// uid is the UID of the pod, empty while it is unknown.
func (w *store) uid(d *detail) string { return *w.uids.at(d.uid) }

// more is what few nodes have.
func (w *store) more(d *detail) *rareDetail { return w.rare.at(d.rare) }
