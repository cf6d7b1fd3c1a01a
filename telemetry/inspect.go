package telemetry

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// Connector is a wrapped connector of the process, to be asked by whoever shows what the
// process is doing. Its methods may be called concurrently; none does I/O.
type Connector interface {
	// Info describes the connector as it is now.
	Info() ConnectorInfo
	// Running returns the statements that are not finished, oldest first, each as far as it
	// is known: Outcome is Unfinished and Total the time so far. While nobody records,
	// there are none.
	Running() []*Statement
	// Documents returns what Databricks is, or would be, told about a record, which is a
	// *Statement, *SessionOpened or *SessionClosed: one JSON document per event, with ids of
	// their own. It returns nil for a connector that does not report (Wrap).
	Documents(record any) []string
}

// ConnectorInfo describes a wrapped connector.
type ConnectorInfo struct {
	// ID counts the connectors of the process, from 1. Records bear it as Connector.
	ID int64
	// Door is how it was made: "dsn", "options" or "wrap".
	Door string
	// Server is host:port of the workspace; empty behind a connector that does not tell (Wrap).
	Server string
	// Created is when it was made.
	Created time.Time
	// Driver is the configuration in force; the zero value where it cannot be seen.
	Driver DriverConfig
	// Settings are ours in force, and who set them.
	Settings []SettingInForce
	// Sessions counts the connections that are open.
	Sessions int
	// Reports says who reports to Databricks: "us" when the server wants it, "driver"
	// (behind Wrap), or "nobody".
	Reports string
}

var sources register[func() []Connector]

// RegisterConnectors adds a source of connectors. Package driverwrap is one.
func RegisterConnectors(list func() []Connector) { sources.add(list) }

// Connectors returns the wrapped connectors of the process, in the order they were made.
// One that nothing refers to any more may be missing.
func Connectors() []Connector {
	var all []Connector
	for _, list := range sources.list() {
		all = append(all, list()...)
	}
	return all
}

// Pool is a sql.DB whose statistics are shown, under a name of the application's choice.
type Pool struct {
	Name string
	// Stats asks the pool. ok is false when it panics, or does not answer within a second;
	// one that hangs is not asked again until it has answered.
	Stats func() (stats sql.DBStats, ok bool)
}

// poolPatience is how long a pool has to answer. A sql.DB takes microseconds.
const poolPatience = time.Second

func newPool(name string, read func() sql.DBStats) *Pool {
	pool := contain.NewSupplied(&contain.Process, contain.Pool)
	return &Pool{name, func() (sql.DBStats, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), poolPatience)
		defer cancel()
		var answer sql.DBStats
		if pool.Run(ctx, func() { answer = read() }) != nil {
			return sql.DBStats{}, false
		}
		return answer, true
	}}
}

var pools register[*Pool]

// RegisterPool makes a pool's statistics known to metrics and the debug page: the wait for a
// connection happens in database/sql, before any driver is called. The usual pool is a
// *sql.DB. Unregister undoes it; call it when the pool is closed.
func RegisterPool(name string, pool interface{ Stats() sql.DBStats }) (unregister func()) {
	p := newPool(name, pool.Stats)
	pools.add(p)
	return func() { pools.remove(func(other *Pool) bool { return other == p }) }
}

// Pools returns the registered pools, by name.
func Pools() []Pool {
	all := []Pool{}
	for _, p := range pools.list() {
		all = append(all, *p)
	}
	slices.SortStableFunc(all, func(a, b Pool) int { return strings.Compare(a.Name, b.Name) })
	return all
}
