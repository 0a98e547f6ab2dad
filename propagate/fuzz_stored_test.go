package propagate_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// corrupt changes fields of the elements of a list, three bytes for each: which element, which field, and to what.
func corrupt[T any](list []T, data []byte, at func(*T) reflect.Value) {
	for ; len(data) >= 3 && len(list) > 0; data = data[3:] {
		v := at(&list[int(data[0])%len(list)])
		change(v.Field(int(data[1])%v.NumField()), data[2])
	}
}

// change sets a field to a value that a byte chooses.
func change(f reflect.Value, to byte) {
	words := []string{"", "Stop", "Terminate", "wf", "wf.a", "wf.a(0)", "default/Mutex/m", "pod deleted", "when 'x' evaluated false"}
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(to%2 == 0)
	case reflect.String:
		f.SetString(words[int(to)%len(words)])
	case reflect.Uint8:
		f.SetUint(uint64(to) % 16)
	case reflect.Int, reflect.Int64:
		f.SetInt(int64(int8(to)))
	case reflect.Struct:
		if f.Type() == reflect.TypeFor[time.Time]() {
			f.Set(reflect.ValueOf(epoch.Add(time.Duration(int8(to)) * time.Minute)))
		}
	}
}

// scene is an engine of one of the workflows that are fuzzed, after some events.
func scene(t testing.TB, which int, busyToo bool) *propagate.Engine {
	if busyToo && which%len(fuzzedSpecs) == 0 {
		return busy(t)
	}
	e := drawn(t, fuzzedSpecs[which%len(fuzzedSpecs)])
	for n := 0; n < which/len(fuzzedSpecs)%6 && !e.Complete(); n++ {
		for _, o := range e.Obligations() {
			if i := o.Node; i > nodegraph.Root && e.Graph().Node(i).Kind == nodegraph.KindPod {
				ev := []propagate.Event{propagate.PodRunning(o.Name), propagate.PodSucceeded(o.Name), propagate.PodFailed(o.Name, "")}[(which+n)%3]
				tell(t, e, ev)
				break
			}
		}
	}
	return e
}

// FuzzFromStateFields: no value of a field hangs, panics, or gives an engine that is not sound.
func FuzzFromStateFields(f *testing.F) {
	for k := range 30 {
		f.Add(k, []byte{byte(k), byte(3 * k), byte(5 * k), 1, byte(k), 3})
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		e := scene(t, int(uint16(which)), true)
		s := e.Save()
		corrupt(s.Nodes, data, func(n *propagate.NodeState) reflect.Value { return reflect.ValueOf(&n.Fact).Elem() })
		loadSoundly(t, e.Graph().Spec(), s)
	})
}

// FuzzFromSnapshot: no value of a field hangs, panics, or gives an engine that is not sound.
func FuzzFromSnapshot(f *testing.F) {
	for k := range 30 {
		f.Add(k, []byte{byte(k), byte(3 * k), byte(5 * k), 1, byte(k), 3})
	}
	f.Add(-138, []byte("A0H0\x87\x94\x1a\x06")) // an attempt before another was omitted
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		e := scene(t, int(uint16(which)), true)
		s := e.Snapshot()
		if len(data) > 1 {
			s.Phase = nodegraph.Phase(data[0] % 9)
			s.Suspended = data[1]%7 == 0
			data = data[2:]
		}
		corrupt(s.Nodes, data, func(n *nodegraph.NodeStatus) reflect.Value { return reflect.ValueOf(n).Elem() })
		a, _, err := propagate.FromSnapshot(e.Graph().Spec(), s)
		if err != nil {
			return
		}
		require.NoError(t, a.Check(), "before its first call")
		_, err = a.Apply(a.Now().Add(time.Second))
		require.NoError(t, err)
		require.NoError(t, a.Check())
		_, err = a.SyncPods(a.Now().Add(time.Second), nil)
		require.NoError(t, err)
		require.NoError(t, a.Check())
	})
}
