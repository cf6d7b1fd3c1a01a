package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"reflect"
	"testing"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// optional are the interfaces a caller may look for, besides the required ones.
var optional = []reflect.Type{
	reflect.TypeFor[driver.Pinger](), reflect.TypeFor[driver.SessionResetter](), reflect.TypeFor[driver.Validator](),
	reflect.TypeFor[driver.ExecerContext](), reflect.TypeFor[driver.QueryerContext](),
	reflect.TypeFor[driver.Execer](), reflect.TypeFor[driver.Queryer](), //nolint:staticcheck // old ones count, too
	reflect.TypeFor[driver.ConnPrepareContext](), reflect.TypeFor[driver.ConnBeginTx](), reflect.TypeFor[driver.NamedValueChecker](),
	reflect.TypeFor[driver.StmtExecContext](), reflect.TypeFor[driver.StmtQueryContext](), reflect.TypeFor[driver.ColumnConverter](), //nolint:staticcheck // as above
	reflect.TypeFor[driver.RowsNextResultSet](), reflect.TypeFor[driver.RowsColumnTypeScanType](), reflect.TypeFor[driver.RowsColumnTypeDatabaseTypeName](),
	reflect.TypeFor[driver.RowsColumnTypeLength](), reflect.TypeFor[driver.RowsColumnTypeNullable](), reflect.TypeFor[driver.RowsColumnTypePrecisionScale](),
	reflect.TypeFor[dbsqlrows.Rows](), reflect.TypeFor[driver.Valuer](), reflect.TypeFor[driver.DriverContext](),
}

func interfaces(v any) (has []string) {
	for _, t := range optional {
		if v != nil && reflect.TypeOf(v).Implements(t) {
			has = append(has, t.String())
		}
	}
	return has
}

func TestEveryObjectHasTheInterfacesOfTheNativeOne(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	look := func(entry entryPoint) map[string][]string {
		db := entry.open(t, ws)
		defer db.Close()
		has := map[string][]string{"driver": interfaces(db.Driver())}
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Raw(func(raw any) error {
			has["conn"] = interfaces(raw)
			rows, err := raw.(driver.QueryerContext).QueryContext(context.Background(), "SELECT 1", nil)
			require.NoError(t, err)
			has["rows"] = interfaces(rows)
			require.NoError(t, rows.Close())
			stmt, err := raw.(driver.ConnPrepareContext).PrepareContext(context.Background(), "SELECT 1")
			require.NoError(t, err)
			has["stmt"] = interfaces(stmt)
			old, err := raw.(driver.Conn).Prepare("SELECT 1")
			require.NoError(t, err)
			has["stmt without context"] = interfaces(old)
			rows, err = stmt.(driver.StmtQueryContext).QueryContext(context.Background(), nil)
			require.NoError(t, err)
			has["rows of a stmt"] = interfaces(rows)
			return rows.Close()
		}))
		return has
	}
	want := look(native)
	require.Contains(t, want["rows"], "rows.Rows")
	for _, entry := range entryPoints(&memory{}) {
		require.Equal(t, want, look(entry), entry.name)
	}
}

func TestRawLeadsToTheNativeConn(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	for _, entry := range entryPoints(&memory{}) {
		db := entry.open(t, ws)
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(conn any) error {
			raw := conn.(interface{ Raw() driver.Conn }).Raw()
			require.Equal(t, "*dbsql.conn", reflect.TypeOf(raw).String())
			return nil
		}))
		require.NoError(t, c.Close())
		require.NoError(t, db.Close())
	}
}

func TestClosingTheDatabaseClosesAConnectorThatCanBe(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	inner := &closable{Connector: nativeConnector(t, ws.DSN("enableTelemetry=false"))}
	db := sql.OpenDB(listening(&memory{}).Wrap(inner))
	require.NoError(t, db.Ping())
	require.Equal(t, io.ErrNoProgress, db.Close())
	require.True(t, inner.closed)
}

type closable struct {
	driver.Connector
	closed bool
}

func (c *closable) Close() error {
	c.closed = true
	return io.ErrNoProgress
}
