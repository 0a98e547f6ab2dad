package propagate_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var reduceKind = flag.String("reduce", "", "print the smallest case of this kind of fault that the seeds lead to; of each kind: all; of each without one in the list: new")

// rewriting reports whether -rewrite is set, as for scripts: the list of known faults and the table of constructs are written
// anew.
func rewriting() bool { return flag.Lookup("rewrite").Value.(flag.Getter).Get().(bool) }

// listedSeeds is how many seeds, from 1 on, the list of known faults is exact for.
const listedSeeds = 400

const knownFaultsFile = "testdata/known-faults.txt"

// The wide search: workflows in which constructs cross, that share locks, in a cluster where answers come late, pods come
// and go as they like, and the host crashes after any action. It does not stop at a violation but says of which kinds it
// saw some. The engine has faults that are known: testdata/known-faults.txt names them, and exactly the seeds that find
// each. So a fault that is new, and one that is mended, both fail this test; -rewrite rewrites the list.
func TestWideRandomWorkflows(t *testing.T) {
	known := readKnownFaults(t)
	first, n := *seed, uint64(cmp.Or(*runs, listedSeeds))
	scan := scanKnown(first, n, known)
	t.Logf("seeds %d to %d and those that are listed: %d calls of engines, %d crashes, %d kinds", first, first+n-1, scan.calls, scan.crashes, len(scan.seeds))
	if rewriting() {
		writeKnownFaults(t, known, scan)
		return
	}
	for _, kind := range slices.Sorted(maps.Keys(scan.seeds)) {
		if known.seeds[kind] == nil {
			t.Errorf("seed %d finds what is not known, %q: %s", scan.seeds[kind][0], kind, scan.said[kind])
		}
	}
	for _, kind := range known.order {
		want := slices.DeleteFunc(slices.Clone(known.seeds[kind]), func(s uint64) bool { return !scan.ran[s] })
		got := slices.DeleteFunc(slices.Clone(scan.seeds[kind]), func(s uint64) bool { return s > listedSeeds && !slices.Contains(want, s) })
		if !slices.Equal(want, got) {
			t.Errorf("%q is found by the seeds %v, and the list says %v: %s", kind, got, want, scan.said[kind])
		}
	}
	for _, kind := range slices.SortedFunc(maps.Keys(scan.seeds), func(a, b string) int { return cmp.Compare(len(scan.seeds[b]), len(scan.seeds[a])) }) {
		t.Logf("%6d times %s, first by seed %d", len(scan.seeds[kind]), kind, scan.seeds[kind][0])
	}
}

// mendedSeeds have found faults that were mended.
var mendedSeeds = []uint64{
	478, 597, 1268, 1703, 1837, 2089, 2293, 2455, 2724, 3806, 3822, 4493, 4724, 5374, 5512, 5619, 6716, 8100, 8907, 9300,
	9975, 10201, 10253, 10932, 11890, 13613, 14267, 14577, 14976, 14994, 16098, 16677, 17794, 18039, 18790, 20133, 21946,
	22354, 22620, 27309, 28808, 30142, 31085, 32533, 32686, 33832, 34351, 34811, 34927, 34990, 35079, 37181, 37514, 37989,
	38721, 41253, 41329, 42057, 44372, 45888, 45953, 46157, 47623, 47779, 48615, 48978, 49622, 49847, 50576, 52247, 62026, 62796,
	65329, 67036, 69465, 71290, 73239, 80541, 81638, 92255, 95620, 99184, 204066, 302388, 401994, 529296, 543818, 606728,
}

// What was mended stays so: these seeds find nothing but what the list says of them.
func TestWideRandomWorkflowsThatFailed(t *testing.T) {
	known, scan := readKnownFaults(t), scanWide(mendedSeeds)
	for kind, seeds := range scan.seeds {
		for _, s := range seeds {
			if !slices.Contains(known.seeds[kind], s) {
				t.Errorf("seed %d finds %q: %s", s, kind, scan.said[kind])
			}
		}
	}
}

// listedScan runs the seeds for which the list of known faults is exact, once for all tests.
var listedScan = sync.OnceValue(func() *wideScan { return scanWide(seedsFrom(1, listedSeeds)) })

func seedsFrom(first, n uint64) []uint64 {
	seeds := make([]uint64, n)
	for k := range seeds {
		seeds[k] = first + uint64(k)
	}
	return seeds
}

// scanKnown runs n seeds; those from the first on with all that are listed.
func scanKnown(first, n uint64, known *knownFaults) *wideScan {
	seeds := make(map[uint64]bool)
	for _, s := range seedsFrom(first, n) {
		seeds[s] = true
	}
	if first != 1 || n < listedSeeds {
		return scanWide(slices.Sorted(maps.Keys(seeds)))
	}
	for _, listed := range known.seeds {
		for _, s := range listed {
			seeds[s] = true
		}
	}
	maps.DeleteFunc(seeds, func(s uint64, _ bool) bool { return s <= listedSeeds })
	scan := scanWide(slices.Sorted(maps.Keys(seeds)))
	scan.merge(listedScan())
	return scan
}

// A wideScan is what runs of the wide search found.
type wideScan struct {
	sync.Mutex
	seeds          map[string][]uint64 // by kind
	said           map[string]string   // of the first seed
	small          map[string]uint64   // the seed with the smallest case
	size           map[string]int
	ran            map[uint64]bool
	calls, crashes int
	census         census
}

func scanWide(seeds []uint64) *wideScan {
	scan := &wideScan{
		seeds: make(map[string][]uint64), said: make(map[string]string), small: make(map[string]uint64), size: make(map[string]int),
		ran: make(map[uint64]bool), census: make(census),
	}
	next := make(chan uint64)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := range next {
				c, w := wideRun(s)
				scan.add(s, &c, w)
			}
		})
	}
	for _, s := range seeds {
		next <- s
	}
	close(next)
	wg.Wait()
	for kind := range scan.seeds {
		slices.Sort(scan.seeds[kind])
	}
	return scan
}

// merge adds what other seeds found, all smaller ones.
func (scan *wideScan) merge(other *wideScan) {
	scan.calls, scan.crashes = scan.calls+other.calls, scan.crashes+other.crashes
	scan.census.add(other.census)
	maps.Copy(scan.ran, other.ran)
	for kind, seeds := range other.seeds {
		scan.seeds[kind] = slices.Concat(seeds, scan.seeds[kind])
		scan.said[kind] = other.said[kind]
		if old, found := scan.size[kind]; !found || other.size[kind] <= old {
			scan.size[kind], scan.small[kind] = other.size[kind], other.small[kind]
		}
	}
}

// add notes what one run found.
func (scan *wideScan) add(s uint64, c *wideCase, w *world) {
	size := 10 * len(c.moves)
	for _, spec := range c.specs {
		size += len(drawSpec(spec))
	}
	scan.Lock()
	defer scan.Unlock()
	scan.ran[s] = true
	scan.census.add(w.census)
	scan.crashes += w.crashes
	for _, f := range w.flows {
		scan.calls += f.calls
		scan.census.spec(f.Spec)
		scan.census.crossings(f.Spec)
	}
	for _, kind := range w.kinds {
		if list := scan.seeds[kind]; len(list) == 0 || s < slices.Min(list) {
			scan.said[kind] = w.found[kind].said
		}
		scan.seeds[kind] = append(scan.seeds[kind], s)
		if old, found := scan.size[kind]; !found || size < old || size == old && s < scan.small[kind] {
			scan.size[kind], scan.small[kind] = size, s
		}
	}
}

// knownFaults is the list of known faults.
type knownFaults struct {
	head  []string            // the comment before the first kind
	order []string            // the kinds
	seeds map[string][]uint64 // by kind
	notes map[string][]string // the comments of a kind: the smallest case that was found, and what is right
}

// readKnownFaults reads the list: a line for each kind, its comments and its seeds below, indented.
func readKnownFaults(t *testing.T) *knownFaults {
	known := &knownFaults{seeds: make(map[string][]uint64), notes: make(map[string][]string)}
	text, err := os.ReadFile(knownFaultsFile)
	if os.IsNotExist(err) {
		return known
	}
	require.NoError(t, err)
	kind := ""
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch {
		case line == "":
		case line[0] == '#':
			known.head = append(known.head, line)
		case line[0] != ' ':
			kind = line
			known.order = append(known.order, kind)
		case strings.HasPrefix(line, "    # "):
			known.notes[kind] = append(known.notes[kind], line)
		default:
			for _, word := range strings.Fields(line) {
				s, err := strconv.ParseUint(word, 10, 64)
				require.NoError(t, err, "%s: a seed of %q", knownFaultsFile, kind)
				known.seeds[kind] = append(known.seeds[kind], s)
			}
		}
	}
	return known
}

// writeKnownFaults writes the list anew. Of a kind that no seed up to listedSeeds finds it lists the first that does.
func writeKnownFaults(t *testing.T, known *knownFaults, scan *wideScan) {
	var b strings.Builder
	for _, line := range known.head {
		b.WriteString(line + "\n")
	}
	for _, kind := range slices.Sorted(maps.Keys(scan.seeds)) {
		listed := slices.DeleteFunc(slices.Clone(scan.seeds[kind]), func(s uint64) bool { return s > listedSeeds })
		if len(listed) == 0 {
			listed = scan.seeds[kind][:1]
		}
		fmt.Fprintf(&b, "\n%s\n", kind)
		for _, note := range known.notes[kind] {
			b.WriteString(note + "\n")
		}
		for chunk := range slices.Chunk(listed, 20) {
			b.WriteString("   ")
			for _, s := range chunk {
				fmt.Fprint(&b, " ", s)
			}
			b.WriteString("\n")
		}
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(knownFaultsFile), 0o755))
	require.NoError(t, os.WriteFile(knownFaultsFile, []byte(b.String()), 0o644))
}

// TestReduceKnownFaults prints the smallest case of each kind that it gets from the seeds, when asked to by -reduce.
func TestReduceKnownFaults(t *testing.T) {
	if *reduceKind == "" {
		t.Skip("-reduce KIND, all or new")
	}
	known := readKnownFaults(t)
	scan := scanKnown(*seed, uint64(cmp.Or(*runs, listedSeeds)), known)
	for _, kind := range slices.Sorted(maps.Keys(scan.seeds)) {
		if *reduceKind != "all" && *reduceKind != kind && (*reduceKind != "new" || known.notes[kind] != nil) {
			continue
		}
		c, _ := wideRun(scan.small[kind])
		small := reduce(c, kind)
		w, err := replay(small, true)
		require.NoError(t, err)
		known.notes[kind] = []string{"    # " + small.show(), "    # " + w.found[kind].said}
		fmt.Printf("%s, seed %d\n%s\n", kind, scan.small[kind], strings.Join(known.notes[kind], "\n"))
		if *reduceKind == kind {
			fmt.Println(strings.Join(w.trace, "\n"))
		}
	}
	if rewriting() {
		writeKnownFaults(t, known, scan)
	}
}
