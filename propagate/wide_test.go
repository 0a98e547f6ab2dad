package propagate_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWideX(t *testing.T) {
	kinds := make(map[string][]uint64)
	said := make(map[string]string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan uint64)
	for range 2 {
		wg.Go(func() {
			for s := range next {
				_, w := wideRun(s)
				mu.Lock()
				for _, k := range w.kinds {
					kinds[k] = append(kinds[k], s)
					if said[k] == "" {
						said[k] = w.found[k].said
					}
				}
				mu.Unlock()
			}
		})
	}
	for s := *seed; s < *seed+uint64(*runs); s++ {
		next <- s
	}
	close(next)
	wg.Wait()
	names := make([]string, 0)
	for k := range kinds {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(kinds[b])-len(kinds[a]), strings.Compare(a, b)) })
	for _, k := range names {
		fmt.Fprintf(os.Stdout, "%5d %s | %v | %.160s\n", len(kinds[k]), k, kinds[k][:min(4, len(kinds[k]))], said[k])
	}
	require.NotEmpty(t, kinds)
}

var reduceKind = flag.String("reduce", "", "reduce the first seed with this kind")

func TestReduceX(t *testing.T) {
	kind := *reduceKind
	for s := *seed; s < *seed+uint64(*runs); s++ {
		c, w := wideRun(s)
		if _, ok := w.found[kind]; !ok {
			continue
		}
		small := reduce(c, kind)
		w, err := replay(small, true)
		require.NoError(t, err)
		fmt.Println("seed", s, small.show())
		fmt.Println(strings.Join(w.trace, "\n"))
		return
	}
}
