package main

import (
	"fmt"
	"regexp"
)

// fewLike is how many rows that differ in numbers and items alone are shown each.
const fewLike = 2

// folded shows rows that differ in numbers and items alone, as those of shards do, as one with a count. With -all each is shown.
func (t *whatifText) folded(rows []lossRow) []lossRow {
	if t.all {
		return rows
	}
	key := func(r *lossRow) string {
		return fmt.Sprint(likeName(r.pods), r.when, r.loss.Phase, "|", t.becomes(r.loss, likeName), t.retried(r.loss, likeName))
	}
	like := make(map[string]int)
	for k := range rows {
		like[key(&rows[k])]++
	}
	var list []lossRow
	for _, r := range rows {
		is := key(&r)
		switch n := like[is]; {
		case n == 0:
			continue
		case n > fewLike:
			r.pods += fmt.Sprintf(" and %d like it", n-1)
			delete(like, is)
		}
		list = append(list, r)
	}
	return list
}

// An item of a loop in a name, and a number.
var itemOrNumber = regexp.MustCompile(`\(\d+:[^()]*\)|\d+`)

// likeName is a name without what differs between shards.
func likeName(name string) string { return itemOrNumber.ReplaceAllLiteralString(name, "*") }

// asItIs is a name as it is.
func asItIs(name string) string { return name }
