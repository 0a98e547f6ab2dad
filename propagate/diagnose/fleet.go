package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/propagate"
)

// A Fleet is many workflows, of which each says who holds what others of them wait for. It keeps a line of each, not its report.
// The zero Fleet is ready for use.
type Fleet struct {
	rows    []*Row
	byName  map[string]int      // by namespace/name
	holders map[string][]string // by lock: who of the fleet holds it, namespace/name
}

// A Row is one workflow of a fleet.
type Row struct {
	Namespace, Name string    // of the workflow
	Verdict         Verdict   // how it stands
	Since           time.Time // zero if not known
	Cause           string    // one line
	Kind            Kind      // of the first finding; empty where there is none
	Reason, Remedy  string    // of the first finding
	Commands        []string  // to type about it
	Findings        int       // how many there are
	Uncertain       bool      // see Report.Uncertain
	WaitsFor        []Awaited // locks, with those who hold them as far as is known
	Awaiting        []string  // other workflows of the fleet that wait for a lock of this one, namespace/name

	waits bool // nothing of it goes on but for the lock
}

// key names a workflow among all.
func (r *Row) key() string { return r.Namespace + "/" + r.Name }

// Add adds a workflow. One that was added before, as in a watch, is replaced.
func (f *Fleet) Add(in Input, r *Report) {
	key := in.Namespace + "/" + in.Spec.Name // which the row shares: there may be very many
	row := &Row{
		Namespace: key[:len(in.Namespace)], Name: key[len(in.Namespace)+1:],
		Verdict: r.Verdict(), Findings: len(r.Findings), Uncertain: r.Uncertain(),
	}
	row.Cause, row.Since = r.Cause()
	if len(r.Findings) > 0 {
		first := &r.Findings[0]
		row.Kind, row.Reason, row.Remedy, row.Commands = first.Kind, first.Reason, first.Remedy, first.Commands
	}
	for _, w := range r.Waits {
		known := slices.ContainsFunc(row.WaitsFor, func(a Awaited) bool { return a.Key == w.Lock })
		if w.For == propagate.WaitLock && w.Lock != "" && !known {
			row.WaitsFor = append(row.WaitsFor, Awaited{Key: w.Lock, Holders: w.HeldBy})
		}
	}
	row.waits = row.Verdict == VerdictWaiting && len(row.WaitsFor) > 0
	if f.byName == nil {
		f.byName, f.holders = make(map[string]int), make(map[string][]string)
	}
	f.forget(key)
	for _, l := range r.Locks {
		if len(l.Holders) > 0 {
			f.holders[l.Key] = append(f.holders[l.Key], key)
		}
	}
	if at, known := f.byName[key]; known {
		f.rows[at] = row
		return
	}
	f.byName[key] = len(f.rows)
	f.rows = append(f.rows, row)
}

// forget takes a workflow that was added before out of the table of locks.
func (f *Fleet) forget(key string) {
	if _, known := f.byName[key]; !known {
		return
	}
	for lock, holders := range f.holders {
		f.holders[lock] = slices.DeleteFunc(holders, func(h string) bool { return h == key })
	}
}

// Len is how many workflows there are.
func (f *Fleet) Len() int { return len(f.rows) }

// Rows returns the workflows, the worst first; of those of one bad verdict the one for which most others wait, and then the oldest; with what they wait for joined.
func (f *Fleet) Rows() []Row {
	rows := make([]Row, len(f.rows))
	for k := range rows {
		rows[k] = *f.rows[k]
	}
	for k := range rows {
		f.join(rows, k)
	}
	f.cycles(rows)
	for k := range rows {
		r := &rows[k]
		if n := len(r.Awaiting); n > 0 && r.Verdict.Bad() {
			r.Cause += fmt.Sprintf("; %s for it: %s", waitFor(n), firstFew(r.Awaiting))
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(a.Verdict.Compare(b.Verdict), b.heldUp()-a.heldUp(), compareTimes(a.Since, b.Since), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return rows
}

// heldUp is how many others wait for a workflow about which somebody has to do something.
func (r *Row) heldUp() int {
	if !r.Verdict.Bad() {
		return 0
	}
	return len(r.Awaiting)
}

func waitFor(n int) string {
	if n == 1 {
		return "1 workflow waits"
	}
	return fmt.Sprintf("%d workflows wait", n)
}

// firstFew lists some names, and how many more there are.
func firstFew(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// compareTimes orders times, those that are not known last.
func compareTimes(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// join says of a workflow that waits for locks who holds them: who of the fleet does, else as its status says.
func (f *Fleet) join(rows []Row, k int) {
	r := &rows[k]
	r.WaitsFor = slices.Clone(r.WaitsFor)
	var texts []string
	for i := range r.WaitsFor {
		w := &r.WaitsFor[i]
		for _, h := range f.holders[w.Key] {
			if h != r.key() && !slices.ContainsFunc(w.Holders, func(known string) bool { return workflowOf(known) == h }) {
				w.Holders = append(slices.Clone(w.Holders), h)
			}
		}
		text := "waits for " + w.Key
		if len(w.Holders) == 0 {
			text += ", held by nobody that is known"
		}
		for n, h := range w.Holders {
			separator := ", held by "
			if n > 0 {
				separator = ", "
			}
			text += separator + h + f.standing(rows, k, h)
		}
		texts = append(texts, text)
	}
	if r.waits {
		r.Cause = strings.Join(texts, "; ")
	}
}

// workflowOf is the workflow of a holder, namespace/name.
func workflowOf(holder string) string {
	parts := strings.SplitN(holder, "/", 3)
	if len(parts) < 2 {
		return holder
	}
	return parts[0] + "/" + parts[1]
}

// standing says how a holder stands, in parentheses, and notes that row k waits for it.
func (f *Fleet) standing(rows []Row, k int, holder string) string {
	at, known := f.byName[workflowOf(holder)]
	switch {
	case !known && len(rows) > 1:
		return " (not among these)"
	case !known || at == k:
		return ""
	}
	if !slices.Contains(rows[at].Awaiting, rows[k].key()) {
		rows[at].Awaiting = append(rows[at].Awaiting, rows[k].key())
	}
	if rows[at].Verdict == VerdictComplete && rows[k].waits {
		rows[k].Verdict = VerdictOverdue // its holder has ended, and the lock was not given on
		rows[k].Kind, rows[k].Reason = LockHeldByFinished, "the lock is held by "+holder+" as its status says, which has ended"
		rows[k].Remedy, rows[k].Commands = "restart the controller, which reads from the workflows who holds what", []string{restartCommand}
	}
	return " (" + string(rows[at].Verdict) + ")"
}

// cycles finds workflows that wait for each other: none of them ever goes on.
func (f *Fleet) cycles(rows []Row) {
	const unseen, open, done = 0, 1, 2
	state := make([]int, len(rows))
	var path []int
	var visit func(k int)
	visit = func(k int) {
		state[k] = open
		path = append(path, k)
		for _, w := range rows[k].WaitsFor {
			if len(w.Holders) != 1 {
				continue // one of several may give its place back
			}
			at, known := f.byName[workflowOf(w.Holders[0])]
			switch {
			case !known || at == k || !rows[k].waits:
			case state[at] == unseen:
				visit(at)
			case state[at] == open:
				f.deadlock(rows, path[slices.Index(path, at):])
			}
		}
		path = path[:len(path)-1]
		state[k] = done
	}
	for k := range rows {
		if state[k] == unseen {
			visit(k)
		}
	}
}

// deadlock says so of all workflows of a cycle.
func (f *Fleet) deadlock(rows []Row, cycle []int) {
	var names []string
	for _, k := range cycle {
		names = append(names, rows[k].key())
	}
	text := strings.Join(append(names, names[0]), " -> ")
	for _, k := range cycle {
		r := &rows[k]
		r.Verdict, r.Cause = VerdictStuck, "deadlock: "+text
		r.Kind, r.Reason, r.Remedy = LockForEver, "workflows wait for each other's locks: "+text, "terminate one of them"
		ns := ""
		if r.Namespace != "" {
			ns = " -n " + quoted(r.Namespace)
		}
		r.Commands = []string{"argo terminate " + quoted(r.Name) + ns}
	}
}
