package debugpage

import (
	"fmt"
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

func TestErrorsLeadToStatementsThatAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.all = []telemetry.Connector{&connector{}}
		fail := func(id string, category telemetry.Category) {
			s := quick(len(id)) // the frequent ones are slower
			s.StatementID, s.Outcome, s.Failure = id, telemetry.OutcomeFailed, &telemetry.Failure{Category: category}
			f.memory.StatementFinished(s)
		}
		fail("rare", telemetry.CategoryAuth)
		require.Contains(t, f.html(t, "/errors"), `href="statement?id=rare"`)
		time.Sleep(time.Minute)
		for n := range recentKept {
			fail(fmt.Sprint("frequent-", n), telemetry.CategorySyntax)
		}
		links := regexp.MustCompile(`href="(statements?\?(?:id|category)=[^"]*)"`)
		for _, page := range []string{"/", "/errors"} {
			body := f.html(t, page)
			require.Contains(t, body, "auth_<wbr>error", page)
			for _, link := range links.FindAllStringSubmatch(body, -1) {
				require.NotContains(t, f.html(t, "/"+link[1]), "No statement matches", link[1])
			}
		}
	})
}

func TestThePageOfAStatementSaysThatItsClosingFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFixture(), quick(3)
		s.CloseFailure = &telemetry.Failure{Category: telemetry.CategoryConnection}
		f.memory.StatementFinished(s)
		require.Contains(t, f.html(t, "/statement?id="+s.StatementID), "Closing failed: connection_error")
	})
}

func TestAMessageThatIsCutIsMarked(t *testing.T) {
	for name, c := range map[string]struct{ message, want string }{
		"short":           {"no table", "no table"},
		"as long as kept": {strings.Repeat("é", messageLength), strings.Repeat("é", messageLength)},
		"longer":          {strings.Repeat("é", messageLength+1), strings.Repeat("é", messageLength) + "…"},
		"much longer":     {strings.Repeat("𝛑", 64<<10), strings.Repeat("𝛑", messageLength) + "…"},
	} {
		f := newFixture()
		f.memory.failures.add(time.Now(), ofStatement, &telemetry.Failure{Category: telemetry.CategoryNotFound, Message: c.message}, "1")
		all := f.memory.failures.views(time.Now(), time.Hour)
		require.Len(t, all, 1, name)
		require.Equal(t, c.want, all[0].Message, name)
	}
}

func TestAConnectionThatCouldNotBeOpenedHasNoLinkToStatements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		s := failed()
		f.memory.StatementFinished(s)
		f.refuse(1, s.Failure.Category)
		require.Equal(t, 1, strings.Count(f.html(t, "/errors"), `href="statements?category=`), "that of the statement")
		require.NotContains(t, f.html(t, "/"), "last status", "it is unknown")
	})
}
