package nodegraph

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSlotsAreFoundByName(t *testing.T) {
	for _, n := range []int{0, 1, 6, 7, 1000} {
		tasks := make([]Task, n, n+1)
		for k := range tasks {
			tasks[k].Name = "t" + strconv.Itoa(k)
		}
		table := newSlotTable(tasks)
		for k := range tasks {
			require.False(t, table.add(k), "the name of task %d of %d is taken", k, n)
		}
		for k := range tasks {
			slot, ok := table.find(tasks[k].Name)
			require.True(t, ok && slot == int32(k), "task %d of %d is found at %d", k, n, slot)
			require.True(t, table.add(k), "the name of task %d of %d is taken", k, n)
		}
		for k := n - 1; k >= 0; k-- { // against the order in which they were declared
			slot, ok := table.find(tasks[k].Name)
			require.True(t, ok && slot == int32(k), "task %d of %d is found at %d", k, n, slot)
		}
		_, ok := table.find("t" + strconv.Itoa(n))
		require.False(t, ok, "no task of %d has this name", n)
	}
}
