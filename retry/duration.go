package retry

import (
	"fmt"
	"strconv"
	"time"
)

// ParseDuration reads a duration as Argo does: a whole number is seconds, anything else is Go's notation ("1m30s").
// Negative durations are refused. The error is a [*FieldError].
func ParseDuration(text string) (time.Duration, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < 0 || n > int64(1<<62/time.Second) {
			return 0, &FieldError{"duration", text, "is out of range"}
		}
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, &FieldError{"duration", text, "is not a duration"}
	}
	if d < 0 {
		return 0, &FieldError{"duration", text, "is negative"}
	}
	return d, nil
}

// units are the units of HumanDuration, the largest first.
var units = []struct {
	length time.Duration
	name   string
}{
	{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {7 * 24 * time.Hour, "week"},
	{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"},
}

// HumanDuration words a duration as the messages of Argo's nodes do: "1 second", "1 minute 30 seconds", "2 days 4 hours".
// It gives the largest unit, and from a minute on what is left in the next smaller one, or in hours from a week on.
func HumanDuration(d time.Duration) string {
	text := largest(d)
	switch {
	case d < time.Minute:
		return text
	case d < time.Hour:
		return fmt.Sprintf("%s %d seconds", text, int64(d%time.Minute/time.Second))
	case d < 24*time.Hour:
		return fmt.Sprintf("%s %d minutes", text, int64(d%time.Hour/time.Minute))
	}
	return fmt.Sprintf("%s %d hours", text, int64(d%(24*time.Hour)/time.Hour))
}

func largest(d time.Duration) string {
	for _, u := range units {
		if n := int64(d / u.length); n == 1 {
			return "1 " + u.name
		} else if n > 1 {
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return "0 seconds"
}
