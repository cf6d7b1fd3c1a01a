// Package views compares what operators read with what a program did: NDJSON, dbtel, the log and the debug page, of
// the real driver and simulated workspaces in fake time.
package views

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/databricks/databricks-sql-go/logger"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Prepare()
	logger.SetLogOutput(io.Discard) // the native driver logs every error it returns
	log.SetOutput(io.Discard)
	// The driver uses http.DefaultTransport for the files of volumes.
	t := http.DefaultTransport.(*http.Transport)
	network := t.DialContext
	t.DialContext = func(ctx context.Context, kind, address string) (net.Conn, error) {
		if to, ok := inMemory.Load(address); ok {
			return to.(*http.Transport).DialContext(ctx, kind, address)
		}
		return network(ctx, kind, address)
	}
	os.Exit(m.Run())
}

// inMemory has the transports of workspaces in memory, by their address.
var inMemory sync.Map
