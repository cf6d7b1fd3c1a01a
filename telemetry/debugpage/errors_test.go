package debugpage

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The service spells some categories with two l. People read them as the outcome is spelled;
// addresses, JSON and reports keep the names.
func TestPeopleReadCanceledInOneSpelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for id, category := range map[string]telemetry.Category{"q-1": telemetry.CategoryCanceled, "q-2": telemetry.CategoryStatementCanceled} {
			s := failed()
			s.StatementID, s.Outcome, s.Failure = id, telemetry.OutcomeCanceled, &telemetry.Failure{Category: category}
			s.CloseFailure = s.Failure
			f.memory.StatementFinished(s)
			f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: s.Failure})
		}
		tag := regexp.MustCompile(`<[^>]*>`)
		for _, path := range []string{"/", "/statements", "/statements?category=cancelled", "/errors", "/shapes", "/statement?id=q-1", "/statement?id=q-2"} {
			body, _, _ := strings.Cut(f.html(t, path), "What is reported to Databricks")
			text := tag.ReplaceAllString(body, "")
			require.NotContains(t, text, "cancelled", path)
			if path != "/shapes" {
				require.Contains(t, text, "canceled", path)
			}
		}
	})
}
