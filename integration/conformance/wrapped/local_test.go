package wrapped

import (
	"bytes"
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// Names, values and SQL that a person would recognize, among them plain lower-case words.
var personal = []string{"letmein", "salaries", "jane", "kowalski", "payroll", "hunter2", "4929-1234-5678-9012", "jane.doe@corp.example", "98127634", "dapi0123456789abcdef0123456789abcdef"}

func TestNothingPersonalIsInLocalRecords(t *testing.T) {
	for setting, want := range map[string]string{
		"class":    `"error_message":"[TABLE_OR_VIEW_NOT_FOUND] SQLSTATE: 42P01"`,
		"redacted": `"error_message":"databricks: execution error: failed to execute query: [TABLE_OR_VIEW_NOT_FOUND] The table or view <name> cannot be found.`,
	} {
		t.Run(setting, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{Token: personal[len(personal)-1]})
			var lines, logged bytes.Buffer
			sinks := []telemetry.Sink{ndjson.New(&lines), logsink.New(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.LevelDebug, 0)}
			c, err := driverwrap.Config{Sinks: sinks}.OpenConnector(ws.DSN("enableTelemetry=false", "telemetry_error_text="+setting))
			require.NoError(t, err)
			db := sql.OpenDB(c)
			for _, s := range personal {
				_ = transcript(db.Query("SELECT '" + s + "' AS `" + s + "`"))
				_ = transcript(db.Query("SELECT ? AS p", s))
				for _, q := range []string{"SELECT * FROM `" + s + "`.`" + s + "`", "SELECT `" + s + "` FROM (SELECT 1 AS x)", "SELEC " + s, "SELECT CAST('" + s + "' AS DATE)", "DROP TABLE " + s, "SELECT " + s + "(1)"} {
					_ = execError(db, q)
				}
			}
			require.NoError(t, db.Close())

			require.Contains(t, lines.String(), want)
			for _, text := range []string{lines.String(), logged.String()} {
				require.Greater(t, strings.Count(text, "\n"), 6*len(personal))
				for _, s := range personal {
					require.NotContains(t, strings.ToLower(text), s)
				}
				require.NotContains(t, text, "SELECT")
			}
		})
	}
}
