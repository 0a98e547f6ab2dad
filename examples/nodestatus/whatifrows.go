package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/propagate/whatif"
)

// A lossRow is one row: losses of the same pods with the same consequences.
type lossRow struct {
	loss *whatif.Loss                   // the first of them
	pods string                         // what is lost
	when []string                       // the moments and ways
	once map[whatif.Moment][]whatif.Way // of single losses, the same
}

// rows groups the losses that do the same.
func (t *whatifText) rows() (single, pairs []lossRow) {
	alone := make(map[whatif.Lost]*whatif.Loss)
	at := make(map[string]int)
	for k := range t.result.Losses {
		l := &t.result.Losses[k]
		if len(l.Lost) > 1 {
			continue
		}
		alone[l.Lost[0]] = l
		key := fmt.Sprint(t.pod(l.Lost[0]), l.Phase, "|", t.becomes(l, asItIs), t.retried(l, asItIs))
		row, ok := at[key]
		if !ok {
			row = len(single)
			at[key] = row
			single = append(single, lossRow{loss: l, pods: t.pod(l.Lost[0]), once: make(map[whatif.Moment][]whatif.Way)})
		}
		once := single[row].once
		once[l.Lost[0].When] = append(once[l.Lost[0].When], l.Lost[0].How)
	}
	for k := range single {
		single[k].when = whenLost(single[k].once)
	}
	return single, t.pairs(alone)
}

// moments are those of a pod's life, in order.
var moments = []whatif.Moment{whatif.Pending, whatif.Running, whatif.Reporting}

// whenLost says at which moments and in which ways, in as few words as can be.
func whenLost(once map[whatif.Moment][]whatif.Way) []string {
	var lists [2]string // of moments, by way
	ways := [2]whatif.Way{whatif.Deleted, whatif.Evicted}
	for way, how := range ways {
		var list []string
		for _, m := range moments {
			if slices.Contains(once[m], how) {
				list = append(list, string(m))
			}
		}
		if lists[way] = strings.Join(list, ", "); len(list) == len(moments) {
			lists[way] = "at any time"
		}
	}
	if lists[0] == lists[1] {
		return []string{lists[0]}
	}
	var words []string
	for way, how := range ways {
		switch lists[way] {
		case "":
		case "at any time":
			words = append(words, string(how))
		default:
			words = append(words, string(how)+" while "+lists[way])
		}
	}
	return []string{strings.Join(words, "; ")}
}

// pairs groups the pairs that do more damage than each of their losses alone does.
func (t *whatifText) pairs(alone map[whatif.Lost]*whatif.Loss) []lossRow {
	var rows []lossRow
	ways := []int{}
	at := make(map[string]int)
	for k := range t.result.Losses {
		l := &t.result.Losses[k]
		if len(l.Lost) < 2 {
			continue
		}
		second := l.Lost[1]
		second.Pod = 1 // a pod that is made again is lost as the one before it
		if !more(l, alone[l.Lost[0]], alone[second]) {
			continue
		}
		pods := t.pod(l.Lost[0]) + ", then " + t.pod(l.Lost[1])
		key := fmt.Sprint(pods, l.Phase, "|", t.becomes(l, asItIs), t.retried(l, asItIs))
		row, ok := at[key]
		if !ok {
			row = len(rows)
			at[key] = row
			when := fmt.Sprintf("%s (%s), %s (%s)", l.Lost[0].When, l.Lost[0].How, l.Lost[1].When, l.Lost[1].How)
			rows, ways = append(rows, lossRow{loss: l, pods: pods, when: []string{when}}), append(ways, 0)
		}
		ways[row]++
	}
	for k := range rows {
		switch {
		case ways[k] == 2:
			rows[k].when = append(rows[k].when, "or in another way")
		case ways[k] > 2:
			rows[k].when = append(rows[k].when, fmt.Sprintf("or in %d other ways", ways[k]-1))
		}
	}
	return rows
}

// more tells whether a pair ends the workflow and neither of its losses alone does, or spoils a node that neither does.
// A second loss that is possible only after the first has nothing to be compared with.
func more(pair *whatif.Loss, alone ...*whatif.Loss) bool {
	fatal := false
	known := make(map[string]bool)
	for _, l := range alone {
		if l == nil {
			continue
		}
		fatal = fatal || !l.Survived()
		for _, n := range slices.Concat(l.Failed, l.Omitted, l.NeverStarted) {
			known[n.ID] = true
		}
	}
	spoilt := slices.Concat(pair.Failed, pair.Omitted, pair.NeverStarted)
	return !pair.Survived() && !fatal || slices.ContainsFunc(spoilt, func(n whatif.Node) bool { return !known[n.ID] })
}
