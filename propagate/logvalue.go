package propagate

import "log/slog"

var (
	_ slog.LogValuer = Result{}
	_ slog.LogValuer = Action{}
	_ slog.LogValuer = Obligation{}
)

// LogValue is the result for structured logs: the changes and the actions, each in one line, and what is unknown. Empty lists are left out.
// It allocates; package slog asks for it where the line is written.
func (r Result) LogValue() slog.Value {
	var attrs []slog.Attr
	attrs = appendLines(attrs, "changes", r.Changes, Change.String)
	attrs = appendLines(attrs, "actions", r.Actions, Action.String)
	attrs = appendLines(attrs, "unknown", r.Unknown, func(name string) string { return name })
	return slog.GroupValue(attrs...)
}

// appendLines appends the lines of a list, unless it is empty.
func appendLines[T any](attrs []slog.Attr, key string, list []T, line func(T) string) []slog.Attr {
	if len(list) == 0 {
		return attrs
	}
	lines := make([]string, len(list))
	for k, item := range list {
		lines[k] = line(item)
	}
	return append(attrs, slog.Any(key, lines))
}

// LogValue is the action for structured logs, field by field. What an action of its type does not have is left out.
func (a Action) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("action", a.Type.String())}
	if a.Name != "" {
		attrs = append(attrs, slog.String("kind", a.Kind.String()), slog.String("node", a.Name), slog.String("id", a.ID))
	}
	if len(a.Locks) > 0 {
		keys := make([]string, len(a.Locks))
		for k, lock := range a.Locks {
			keys[k] = lock.Key
		}
		attrs = append(attrs, slog.Any("locks", keys))
	}
	if !a.At.IsZero() {
		attrs = append(attrs, slog.Time("at", a.At))
	}
	return slog.GroupValue(appendText(attrs, "message", a.Message)...)
}

// LogValue is the obligation for structured logs, field by field. What is not known of it is left out.
func (o Obligation) LogValue() slog.Value {
	attrs := appendText(nil, "node", o.Name)
	attrs = append(attrs, slog.String("for", o.For.String()))
	if !o.Since.IsZero() {
		attrs = append(attrs, slog.Time("since", o.Since))
	}
	if !o.Until.IsZero() {
		attrs = append(attrs, slog.Time("until", o.Until))
	}
	attrs = appendText(attrs, "message", o.Message)
	return slog.GroupValue(appendText(attrs, "never", o.Never)...)
}

// appendText appends a text, unless it is empty.
func appendText(attrs []slog.Attr, key, text string) []slog.Attr {
	if text == "" {
		return attrs
	}
	return append(attrs, slog.String(key, text))
}
