package telemetry

import (
	"database/sql"
	"slices"
	"strings"
	"sync"
	"time"
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

var sources struct {
	mu  sync.Mutex
	all []func() []Connector // guarded by mu
}

// RegisterConnectors adds a source of connectors. Package driverwrap is one.
func RegisterConnectors(list func() []Connector) {
	sources.mu.Lock()
	defer sources.mu.Unlock()
	sources.all = append(sources.all, list)
}

// Connectors returns the wrapped connectors of the process, in the order they were made.
// One that nothing refers to any more may be missing.
func Connectors() []Connector {
	sources.mu.Lock()
	lists := slices.Clone(sources.all)
	sources.mu.Unlock()
	var all []Connector
	for _, list := range lists {
		all = append(all, list()...)
	}
	return all
}

// Pool is a sql.DB whose statistics are shown, under a name of the application's choice.
type Pool struct {
	Name  string
	Stats func() sql.DBStats
}

var pools struct {
	mu  sync.Mutex
	all []*Pool // guarded by mu
}

// RegisterPool makes a pool's statistics known to metrics and the debug page: the wait for a
// connection happens in database/sql, before any driver is called. The usual pool is a
// *sql.DB. Unregister undoes it; call it when the pool is closed.
func RegisterPool(name string, pool interface{ Stats() sql.DBStats }) (unregister func()) {
	p := &Pool{Name: name, Stats: pool.Stats}
	pools.mu.Lock()
	defer pools.mu.Unlock()
	pools.all = append(pools.all, p)
	return func() {
		pools.mu.Lock()
		defer pools.mu.Unlock()
		pools.all = slices.DeleteFunc(pools.all, func(other *Pool) bool { return other == p })
	}
}

// Pools returns the registered pools, by name.
func Pools() []Pool {
	pools.mu.Lock()
	defer pools.mu.Unlock()
	all := make([]Pool, len(pools.all))
	for i, p := range pools.all {
		all[i] = *p
	}
	slices.SortStableFunc(all, func(a, b Pool) int { return strings.Compare(a.Name, b.Name) })
	return all
}
