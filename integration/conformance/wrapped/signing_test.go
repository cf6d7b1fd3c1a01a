package wrapped

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// tokenFromDatabase signs the first call of a method with a token that it reads from a database, within the
// context of the request, as token providers do.
type tokenFromDatabase struct {
	signer
	method string
	from   *sql.DB
	read   *bool
}

func (a tokenFromDatabase) Authenticate(r *http.Request) error {
	if !*a.read && isCall(r, a.method) {
		*a.read = true
		var token int
		if err := a.from.QueryRowContext(r.Context(), "SELECT 1").Scan(&token); err != nil {
			return err
		}
	}
	return a.signer.Authenticate(r)
}

func TestAStatementOfAnAuthenticatorIsNotTheStatementThatItSignsFor(t *testing.T) {
	for _, method := range []string{"OpenSession", "ExecuteStatement"} {
		t.Run(method, func(t *testing.T) {
			ws, other := workspace.New(t, workspace.Options{}), workspace.New(t, workspace.Options{})
			silent, err := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector(options(other)...)
			require.NoError(t, err)
			from := sql.OpenDB(silent)
			defer func() { require.NoError(t, from.Close()) }()
			sink := &memory{}
			c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithAuthenticator(tokenFromDatabase{signer{ws.Token()}, method, from, new(bool)}))...)
			require.NoError(t, err)
			db := sql.OpenDB(c)
			_, err = drain(db.QueryContext(t.Context(), statement(3)))
			require.NoError(t, err)
			require.NoError(t, db.Close())

			require.Len(t, sink.statements, 1)
			r, truth := sink.statements[0], ws.Statements()[0]
			require.Equal(t, truth.ID, r.StatementID)
			require.Len(t, r.Calls, 1)
			require.Equal(t, telemetry.Known[int64](3), r.Calls[0].Rows, "the rows of the answer to its own ExecuteStatement")
			require.Len(t, sink.opened, 1)
			require.Equal(t, r.SessionID, sink.opened[0].SessionID)
		})
	}
}

// The driver passes ids to a callback in the context, which such a statement inherits.
func TestTheIDsOfAnAuthenticatorsStatementAreNotThoseOfTheStatementThatItSignsFor(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		for _, method := range []string{"GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CloseOperation"} {
			t.Run(fmt.Sprint(method, ", Wrap ", wrapped), func(t *testing.T) {
				ws := workspace.New(t, workspace.Options{NoDirectResults: true, CloudFetchThreshold: -1})
				other := workspace.New(t, workspace.Options{})
				from := sql.OpenDB(nativeConnector(t, other.DSN("enableTelemetry=false")))
				defer func() { require.NoError(t, from.Close()) }()
				sink := &memory{}
				opts := append(options(ws), dbsql.WithAuthenticator(tokenFromDatabase{signer{ws.Token()}, method, from, new(bool)}))
				c, err := listening(sink).NewConnector(opts...)
				if wrapped {
					var native driver.Connector
					native, err = dbsql.NewConnector(opts...)
					c = listening(sink).Wrap(native)
				}
				require.NoError(t, err)
				db := sql.OpenDB(c)
				_, err = drain(db.QueryContext(t.Context(), statement(3)))
				require.NoError(t, err)
				require.NoError(t, db.Close())

				truth := ws.Statements()[0]
				require.Len(t, sink.statements, 1)
				require.Equal(t, truth.ID, sink.statements[0].StatementID)
				require.Equal(t, truth.SessionID, sink.statements[0].SessionID)
			})
		}
	}
}
