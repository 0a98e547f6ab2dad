package propagate_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every new name in MIGRATION.md is declared.
func TestMigrationNamesExist(t *testing.T) {
	page, err := os.ReadFile("MIGRATION.md")
	require.NoError(t, err)
	declared, named := declarations(t), 0
	for row := range strings.Lines(string(page)) {
		cells := strings.Split(row, "|")
		if len(cells) != 4 {
			continue
		}
		for _, m := range regexp.MustCompile("`([A-Za-z.]+)`").FindAllStringSubmatch(cells[2], -1) {
			name := m[1][strings.LastIndexByte(m[1], '.')+1:]
			if name != strings.ToLower(name) && name != "NeedUnsuspend" {
				named++
				assert.True(t, declared[name], "%s is declared nowhere: %s", m[1], row)
			}
		}
	}
	assert.Greater(t, named, 30)
}
