package draw

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes one line of a text: what would break it, or does not show, gets a sign.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r':
			return '↵'
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '□'
		}
		return r
	}, s)
}

// columns is how wide a rune is, in those of plain letters. Nothing is measured: whoever shows the picture has fonts of
// their own.
func columns(r rune) int {
	if r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0xff00 {
		return 2
	}
	return 1
}

// columnsOf is how wide a text is.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// cut shortens a text to so many columns.
func cut(s string, most int) string {
	if columnsOf(s) <= most {
		return s
	}
	n := 0
	for at, r := range s {
		if n += columns(r); n > most-1 {
			return s[:at] + "…"
		}
	}
	return s
}

// cutMiddle shortens a text to so many columns and keeps both ends, which tell names apart.
func cutMiddle(s string, most int) string {
	if columnsOf(s) <= most {
		return s
	}
	runes := []rune(s)
	tail, n := len(runes), 0
	for n < most/3 {
		tail--
		n += columns(runes[tail])
	}
	return cut(s, most-n) + string(runes[tail:])
}

// wrap breaks a text into at most so many lines of at most so many columns, between words where it can.
func wrap(s string, most, lines int) []string {
	var list []string
	for s != "" {
		if len(list) == lines-1 || columnsOf(s) <= most {
			return append(list, cut(s, most))
		}
		end, space := 0, 0
		for n, at := 0, 0; n <= most; {
			r, size := utf8.DecodeRuneInString(s[at:])
			if r == ' ' {
				space = at
			}
			end = at
			n, at = n+columns(r), at+size
		}
		if space > 0 {
			end = space
		}
		list, s = append(list, s[:end]), strings.TrimLeft(s[end:], " ")
	}
	return list
}
