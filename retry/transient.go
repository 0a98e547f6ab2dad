package retry

import "strings"

// transientTexts are parts of error messages that say a later try may go well (Argo: IsTransientErr).
var transientTexts = []string{
	"exceeded quota",
	"Operation cannot be fulfilled on resourcequota",
	"resource quota evaluation timed out",
	"the server has received too many requests",
	"the server is currently unable to handle the request",
	"etcdserver: leader changed",
	"etcdserver: request timed out",
	"etcdserver: too many requests",
	"unexpected error when reading response body",
	"stream error when reading response body",
	"Connection closed by foreign host",
	"net/http: TLS handshake timeout",
	"i/o timeout",
	"connection timed out",
	"connection reset by peer",
	"connection refused",
	"http2: client connection lost",
	"client rate limiter Wait returned an error",
	"unexpected EOF",
	"no such host",
}

// IsTransient reports whether a message is that of a transient error.
func IsTransient(message string) bool {
	for _, t := range transientTexts {
		if strings.Contains(message, t) {
			return true
		}
	}
	return false
}
