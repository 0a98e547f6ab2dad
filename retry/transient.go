package retry

import "strings"

// transientTexts are parts of error messages that say a later try may go well. Argo's IsTransientErr also knows types of errors,
// which a message does not have: what it says of a type and a text together is not here.
var transientTexts = []string{
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
	"connect: connection refused",
	"invalid connection",
	"http2: client connection lost",
	"http2: server sent GOAWAY and closed the connection",
	"request did not complete within requested timeout",
	"client rate limiter Wait returned an error",
	"upper: no more rows in",
}

// IsTransient reports whether a message is that of a transient error, whatever the host's own pattern says.
func IsTransient(message string) bool {
	for _, t := range transientTexts {
		if strings.Contains(message, t) {
			return true
		}
	}
	return false
}

// transient reports whether the message of an attempt is that of a transient error, here or for the host.
func (env *Environment) transient(message string) bool {
	return IsTransient(message) || env.Transient != nil && env.Transient.MatchString(message)
}
