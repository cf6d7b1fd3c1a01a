package export_test

import (
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// corpus is what must never be found in a request, in none of its parts.
var corpus = []string{
	"dapi0123456789abcdef0123456789abcdef", "dose00112233445566778899aabbccddeeff", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln",
	"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "sk-ant-0123456789",
	"alice@example.com", "alice.smith@corp.example", "+49 170 1234567", "192.168.17.23", "2001:db8::17",
	"SELECT ssn FROM hr.people WHERE name = 'Alice'", "DROP TABLE main.finance.salaries", "main.finance.salaries", "ssn",
	"/home/alice/.databrickscfg", `C:\Users\alice\secrets.txt`, "/Volumes/main/hr/raw/salaries.csv", "s3://acme-private/results/part-0.arrow",
	"https://acme.blob.core.windows.net/r?sig=Zm9vYmFy%3D", "Bearer abc.def.ghi", "Basic YWxpY2U6aHVudGVyMg==", "hunter2",
	"Ünïcödé Näme", "quote\" and back\\slash", "line\nbreak", "4111 1111 1111 1111", "078-05-1120", "\x00\x1f\xff",
}

// fragments are parts of them that must not be found either.
var fragments = []string{"alice", "Alice", "acme", "salaries", "finance", "hunter2", "abc.def", "0123456789abcdef", "Zm9v", "192.168", "2001:db8", "ssn", "people", "corp.example", "Volumes", "1111 1111"}

func TestNothingPrivateIsInAnyRequest(t *testing.T) {
	for _, variable := range []string{"LC_ALL", "LC_CTYPE", "LANG", "USER", "HOME", "HOSTNAME"} {
		t.Setenv(variable, "secret_alice@example.com")
	}
	for _, force := range []bool{false, true} {
		for _, secret := range corpus {
			t.Run(secret, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, x := newService(), &export.Exporter{}
					s.upload = first(1, func(*http.Request) (*http.Response, error) { return nil, &leakyError{secret} })
					c := connection(s)
					c.UserAgentEntry, c.HTTPPath, c.Credential = secret, "/sql/1.0/warehouses/"+secret+"?o="+secret+"&x="+secret, export.Fingerprint(secret)
					c.Driver.Version, c.Driver.AuthMech, c.Driver.AuthFlow = secret, secret, secret
					h := x.Open(c, telemetry.Settings{ForceEnable: force})
					failure := &telemetry.Failure{Category: telemetry.Category(secret), SQLState: secret}
					h.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Server: secret, SessionID: secret, WorkspaceID: secret, Failure: failure, Driver: c.Driver})
					if force {
						_ = h.Flush(t.Context())
						time.Sleep(time.Minute)
					}
					h.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Server: secret, SessionID: secret, WorkspaceID: secret, Driver: c.Driver})
					st := fullStatement()
					st.Server, st.SessionID, st.StatementID, st.Kind, st.Outcome, st.WorkspaceID = secret, secret, secret, telemetry.Kind(secret), telemetry.Outcome(secret), secret
					st.WarehouseID, st.InitialCatalog, st.InitialSchema, st.CorrelationID, st.Query, st.Shape = secret, secret, secret, secret, secret, secret
					st.QueryTags, st.Attributes = map[string]string{secret: secret}, []slog.Attr{slog.String(secret, secret)}
					st.Failure, st.CloseFailure = failure, failure
					st.Result.Format, st.Result.Cache = telemetry.ResultFormat(secret), secret
					st.RPCs = append(st.RPCs, telemetry.RPC{Method: secret, Calls: 1})
					st.CloudFetch.Files = []telemetry.File{{State: secret}}
					h.StatementFinished(st)
					h.SessionClosed(&telemetry.SessionClosed{Started: time.Now(), Server: secret, SessionID: secret, Failure: failure})
					_ = h.Flush(t.Context())
					time.Sleep(time.Minute)
					require.NoError(t, h.Close(t.Context()))
					require.Equal(t, balanced(t, x).Recorded, x.Stats().Sent)
					require.GreaterOrEqual(t, len(s.requests), 2)

					sent := s.all()
					require.NotContains(t, sent, secret)
					for _, part := range fragments {
						require.NotContains(t, sent, part)
					}
					for _, p := range x.Stats().Pipelines {
						require.NotContains(t, p.LastError, secret)
					}
				})
			})
		}
	}
}

type leakyError struct{ text string }

func (e *leakyError) Error() string { return e.text }

func TestTheHostAndTheTokenAreNotInThePayload(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		h.StatementFinished(fullStatement())
		require.NoError(t, h.Close(t.Context()))
		for _, body := range s.bodies {
			require.NotContains(t, body, "dbc-1")
			require.NotContains(t, body, "t0")
			require.NotContains(t, body, "abcdef0123456789")
		}
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
			s.upload = status(code, "Location", "https://elsewhere.example/telemetry-ext")
			s.flag = first(1, status(code, "Location", "https://elsewhere.example/flag"))
			h := x.Open(connection(s), telemetry.Settings{})
			h.SessionOpened(opened())
			time.Sleep(10 * time.Minute)
			require.Error(t, h.Close(t.Context()), "the event still waits")
			require.GreaterOrEqual(t, len(s.requests), 2)
			for _, r := range s.requests {
				require.Equal(t, "https://dbc-1.cloud.databricks.com:443", r.URL.Scheme+"://"+r.URL.Host, "to no other host")
			}
		})
	}
}
