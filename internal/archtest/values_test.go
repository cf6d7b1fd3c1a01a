package archtest

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The values of attributes whose constants are in the code are all in docs/OPENTELEMETRY.md.
func TestTheValuesOfAttributesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/OPENTELEMETRY.md")
	require.NoError(t, err)
	for attribute, constants := range map[string]struct{ file, form string }{
		"databricks.outcome":         {"../../telemetry/statement.go", `Outcome\w+ +Outcome = "(\w+)"`},
		"databricks.drop.reason":     {"../../internal/export/stats.go", `Drop\w+ += "(\w+)"`},
		"databricks.telemetry.place": {"../../internal/contain/contain.go", `Place = "(\w+)"`},
	} {
		row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(attribute) + "` \\|.*$").FindString(string(page))
		require.NotEmpty(t, row, attribute)
		code, err := os.ReadFile(constants.file)
		require.NoError(t, err)
		found := regexp.MustCompile(constants.form).FindAllStringSubmatch(string(code), -1)
		require.Greater(t, len(found), 4, attribute)
		for _, value := range found {
			if value[1] != "running" { // no sink receives such a record
				require.Contains(t, row, "`"+value[1]+"`", attribute)
			}
		}
	}
}
