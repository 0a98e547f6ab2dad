package podspec

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Text keeps what is no string as it stands.
func TestText(t *testing.T) {
	values := map[string]string{"a": `"quoted"`}
	for value, want := range map[string]string{`"x {{a}}"`: `x "quoted"`, `3`: "3", `[1, 2]`: "[1, 2]", `"{{ a }}"`: `"quoted"`, `"{{b}}"`: "{{b}}"} {
		require.Equal(t, want, text(json.RawMessage(value), values))
	}
}
