package tree

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible returns text as a terminal may show it. Characters that move the cursor, change colours or the direction of the text, end
// a line or take no room become escapes of JSON. Names and messages come from whoever submits workflows.
func Visible(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, Hidden) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		b.WriteString(escaped(r))
	}
	return b.String()
}

// escaped is a character, or the escape of a hidden one.
func escaped(r rune) string {
	switch {
	case !Hidden(r):
		return string(r)
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Hidden reports whether a character is neither a mark on the screen nor a space.
func Hidden(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) }

// Shortened cuts a text that is longer than so many characters.
func Shortened(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "..."
}
