package argo

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// decompress unpacks compressedNodes: base64 around gzip around JSON. No more than most bytes are unpacked.
func decompress(packed string, most int) (string, error) {
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(z, int64(most)+1))
	if err != nil {
		return "", err
	}
	if len(text) > most {
		return "", &nodegraph.LimitError{Limit: "Decompressed", Max: most}
	}
	var nodes json.RawMessage
	err = json.Unmarshal(text, &nodes)
	return string(nodes), err
}

// compress packs nodes as Argo does.
func compress(nodes string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(nodes)) // into memory: can't fail
	_ = z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// NodesSize returns how many bytes the nodes take as JSON that is not compressed, as they are set now.
func (w *Workflow) NodesSize() int {
	size := 0
	_ = w.openAll() // what can't be written has no size
	for i := range w.nodes.rows {
		size += len(w.nodes.rows[i].now)
	}
	return size
}

// PackNodes has changed nodes written compressed from now on, by Patch and Encode, as Argo does with many: an API server takes some
// 1.5 MiB in all. Nodes that came compressed are written so anyway.
func (w *Workflow) PackNodes() { w.pack = true }
