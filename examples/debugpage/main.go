// Debugpage is a small web application with the debug page mounted. It serves orders from a
// warehouse at /orders, calls itself now and then so that there is something to see, and prints the
// address of the page.
//
// Without configuration it starts a simulated workspace and runs against that; with
// DATABRICKS_DSN set it runs against the workspace named there.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/databricks/databricks-sql-go/logger"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // registers "databricks-telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage" // mounts /debug/databricks
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	announce := func(url string) { fmt.Println("Open " + url + "/debug/databricks/ in a browser. Ctrl-C ends it.") }
	if err := run(ctx, "127.0.0.1:8080", announce); err != nil {
		fmt.Fprintln(os.Stderr, "debugpage:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, and says when it does.
func run(ctx context.Context, address string, serving func(url string)) error {
	_ = logger.SetLogLevel("disabled") // the native driver logs every error it returns; some are provoked here

	ws, err := demo.Open(os.Stdout)
	if err != nil {
		return err
	}
	defer ws.Close()
	if ws.Simulated != nil {
		slowStorage(ws.Simulated)
	}
	db, err := sql.Open("databricks-telemetry", withQueryText(ws.DSN))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(4)
	defer telemetry.RegisterPool("orders", db)() // the page shows who waits for a connection

	// Both are on the default mux: /orders from here, the page from its import. An
	// application that others can reach keeps the page on a mux of its own, with
	// debugpage.Handler, on an address that only operators can reach.
	http.Handle("GET /orders", orders{db})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.DefaultServeMux, ReadHeaderTimeout: 5 * time.Second}
	url := "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		load(ctx, url)
	}()
	serving(url)

	<-ctx.Done()
	<-loaded
	_ = server.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// withQueryText adds the text of statements to the page. The text stays in the process.
func withQueryText(dsn string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&telemetry_query_text=true"
	}
	return dsn + "?telemetry_query_text=true"
}

// slowStorage delays files as storage in another region would, some more than others.
func slowStorage(ws *workspace.Workspace) {
	ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Do: workspace.Latency(120 * time.Millisecond)})
	ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Share: 0.3, Do: workspace.Latency(250 * time.Millisecond)})
}
