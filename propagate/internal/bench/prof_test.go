package main
import ("testing";"runtime";"github.com/nodestatus/nodestatus/propagate/reconcile")
func TestProf(t *testing.T) {
	for _, shape := range objectShapes {
	for _, n := range []int{100,1000,3000} {
	s, err := store(shape.spec(n), shape.containers)
	if err != nil { t.Fatal(err) }
	for name, prep := range map[string]func(*storedWorkflow)(stopwatch,error){"told":keptTold,"listed":keptListed} {
	w, err := prep(s)
	if err != nil { t.Fatal(err) }
	_ = w
	all, _ := s.keptSteps()
	k := newK(s, all)
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	list := told(s.podsAtFirst(), all[1].changed)
	var x runtime.MemStats
	runtime.ReadMemStats(&x)
	if name == "told" { k.ReconcileChanged(all[1].now, all[1].object, all[1].changed, nil) } else { k.Reconcile(all[1].now, all[1].object, list) }
	runtime.ReadMemStats(&b)
	t.Log(shape.name, n, name, b.Mallocs-x.Mallocs, b.TotalAlloc-x.TotalAlloc)
	}}}
}
func BenchmarkToldSets100(b *testing.B) {
	s, _ := store(setsObject(100), objectShapes[1].containers)
	w, _ := keptTold(s)
	b.ResetTimer()
	w(b.N)
}
func newK(s *storedWorkflow, all []keptStep) *reconcile.Kept {
	var r reconcile.Reconciler
	k := r.Keep()
	k.Reconcile(all[0].now, all[0].object, s.podsAtFirst())
	return k
}
