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
