// Package testdata holds recorded workflow states: see recordings and DEVIATIONS.md. Tests read the files; this package
// embeds the one that the examples show.
package testdata

import _ "embed"

// Stuck is the recording of a ContainerSet whose pod was deleted and retried, under a release of Argo that hangs then.
//
//go:embed recordings/argo-3.6.2/containerset-pod-deleted-retry.json
var Stuck []byte
