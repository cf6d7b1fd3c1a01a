package driverwrap_test

import (
	"database/sql/driver"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"weak"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications drop connectors without closing them, such as one for each user's token. What
// the bare driver releases then, the wrapper must release, too.

// token is an authenticator that the application supplies: it must be released with its connector.
type token struct{ name string }

func (t *token) Authenticate(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+t.name)
	return nil
}

// entryPoints make a connector each, with an authenticator of its own where that is possible.
var entryPoints = map[string]func(testing.TB, driverwrap.Config, *token) driver.Connector{
	"dsn": func(t testing.TB, c driverwrap.Config, own *token) driver.Connector {
		made, err := c.OpenConnector("token:" + own.name + "@localhost:443/sql/1.0/warehouses/a")
		require.NoError(t, err)
		return made
	},
	"options": func(t testing.TB, c driverwrap.Config, own *token) driver.Connector {
		made, err := c.NewConnector(dbsql.WithServerHostname("localhost"), dbsql.WithPort(443), dbsql.WithHTTPPath("/sql/1.0/warehouses/a"), dbsql.WithAuthenticator(own))
		require.NoError(t, err)
		return made
	},
	"wrap": func(t testing.TB, c driverwrap.Config, own *token) driver.Connector {
		inner, err := dbsql.NewConnector(dbsql.WithServerHostname("localhost"), dbsql.WithPort(443), dbsql.WithHTTPPath("/sql/1.0/warehouses/a"), dbsql.WithAuthenticator(own))
		require.NoError(t, err)
		return c.Wrap(inner)
	},
}

// dropped makes many connectors and drops them. They are used without database/sql: a goroutine
// keeps an sql.DB alive until it is closed, with the bare driver, too.
func dropped(t *testing.T, process *telemetry.Process, config driverwrap.Config, open func(testing.TB, driverwrap.Config, *token) driver.Connector) {
	many := 10_000
	if raceEnabled {
		many = 500
	}
	// The runtime keeps the memory of goroutines that have ended, for those to come. On one processor
	// thousands may wait to run at once, so that many are started before the heap is measured.
	var waiting sync.WaitGroup
	release := make(chan struct{})
	for range many {
		waiting.Go(func() { <-release })
	}
	close(release)
	waiting.Wait()
	runtime.GC()
	heap := liveHeap()
	connectors, owns := make([]weak.Pointer[byte], many), make([]weak.Pointer[token], many)
	for i := range many {
		own := &token{fmt.Sprint("dapi", i)}
		c := open(t, config.In(process), own)
		connectors[i], owns[i] = weak.Make((*byte)(reflect.ValueOf(c).UnsafePointer())), weak.Make(own)
	}
	kept := func() (n int) {
		for i := range many {
			if connectors[i].Value() != nil || owns[i].Value() != nil {
				n++
			}
		}
		return n
	}
	// Cleanups run beside the program: several rounds may be needed.
	eventually(t, func() bool { runtime.GC(); return kept() == 0 }, "connectors and authenticators")
	eventually(t, func() bool { return len(process.Connectors()) == 0 })
	eventually(t, func() bool { runtime.GC(); return liveHeap()-heap < 1<<20 }, "100 bytes each, weak pointers of the test included")
	runtime.KeepAlive(connectors)
	runtime.KeepAlive(owns)
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestConnectorsThatAreDroppedWithoutCloseLeaveNothing(t *testing.T) {
	config := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff, LogLevel: "warn"}, Sinks: []telemetry.Sink{discard{}}}
	for name, open := range entryPoints {
		t.Run(name, func(t *testing.T) { dropped(t, &telemetry.Process{}, config, open) })
	}
	t.Run("with a connection whose rows are open", func(t *testing.T) {
		dropped(t, &telemetry.Process{}, config, func(t testing.TB, config driverwrap.Config, _ *token) driver.Connector {
			c := config.Wrap(&fakeConnector{calls: &calls{}, conn: fakeConns["modern"]})
			conn, err := c.Connect(t.Context())
			require.NoError(t, err)
			rows, err := conn.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
			require.NoError(t, err)
			require.NoError(t, rows.Next(make([]driver.Value, 1)))
			return c
		})
	})
	t.Run("closed, with a connection whose rows are open", func(t *testing.T) {
		dropped(t, &telemetry.Process{}, config, func(t testing.TB, config driverwrap.Config, _ *token) driver.Connector {
			c := config.Wrap(&fakeConnector{calls: &calls{}, conn: fakeConns["modern"]})
			conn, err := c.Connect(t.Context())
			require.NoError(t, err)
			_, err = conn.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
			require.NoError(t, err)
			require.NoError(t, c.(io.Closer).Close())
			return c
		})
	})
}
