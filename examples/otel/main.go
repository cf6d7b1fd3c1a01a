// Otel runs statements until it is interrupted and serves what OpenTelemetry measured at
// /metrics, for Prometheus. With -spans it also prints a line for each span.
//
// Without configuration it starts a simulated workspace and runs against that; with
// DATABRICKS_DSN set it runs against the workspace named there, leaving out the statements
// that write.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/databricks/databricks-sql-go/logger"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // registers "databricks-telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

func main() {
	p := program{out: os.Stdout}
	flag.StringVar(&p.listen, "listen", "127.0.0.1:2112", "address to serve /metrics on")
	flag.BoolVar(&p.spans, "spans", false, "print a line for each span")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := p.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

// program is one run of the example.
type program struct {
	listen string
	spans  bool
	rounds int // the load ends after this many; 0: never
	out    io.Writer

	serving func(address string)         // called once /metrics is served, before the load begins; may be nil
	done    func(statements, rows int64) // called after the last round; may be nil
}

func (p *program) run(ctx context.Context) error {
	_ = logger.SetLogLevel("disabled") // the native driver logs every error it returns; some are provoked here

	ws, err := demo.Open(p.out)
	if err != nil {
		return err
	}
	defer ws.Close()

	// An application sets up its OpenTelemetry providers in any case.
	metrics, shutdown, err := setProviders(p.spans, p.out)
	if err != nil {
		return err
	}
	defer shutdown()

	sink := otelsink.New() // on the global providers
	defer func() { _ = sink.Close() }()
	defer telemetry.Attach(sink)()

	db, err := sql.Open("databricks-telemetry", ws.DSN)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(3)
	db.SetConnMaxLifetime(time.Second)            // keeps opening connections, so that their metrics change too
	defer telemetry.RegisterPool("example", db)() // optional: its connections, and the waits for them

	address, stop, err := serve(ctx, p.listen, metrics)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(p.out, "Metrics are at http://%s/metrics. The load goes on until you press Ctrl-C.\n", address)
	if p.serving != nil {
		p.serving(address)
	}

	l := &load{db: db, workspace: ws}
	for round := 1; ctx.Err() == nil; round++ {
		l.round(ctx)
		fmt.Fprintf(p.out, "round %d: %d statements so far, %d failed, %d rows read\n", round, l.statements.Load(), l.failed.Load(), l.rows.Load())
		if round == p.rounds {
			if p.done != nil {
				p.done(l.statements.Load(), l.rows.Load())
			}
			<-ctx.Done()
		}
	}
	return nil
}

// serve answers at /metrics until stop is called.
func serve(ctx context.Context, listen string, metrics http.Handler) (address string, stop func(), err error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", metrics)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "otel:", err)
		}
	}()
	return l.Addr().String(), func() { _ = server.Close() }, nil
}
