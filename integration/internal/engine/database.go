package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Database is the data of one workspace: catalogs, schemas, tables and views, in memory. Its
// sessions share it, and all its methods may be called concurrently.
type Database struct {
	store *store
	gate  gate   // orders statements that read or change stored data
	names *names // guarded by gate

	recursionRows int64 // limit of the rows of a recursive CTE; never changed while statements run

	mu     sync.Mutex
	closed bool // guarded by mu
	active sync.WaitGroup
}

// New makes an empty database with the catalogs main and hive_metastore, each with an empty
// schema default.
func New() (*Database, error) {
	s, err := openStore()
	if err != nil {
		return nil, fmt.Errorf("engine: opening the in-memory store: %w", err)
	}
	return &Database{store: s, names: newNames(), recursionRows: maxRecursionRows}, nil
}

// Close waits for running statements and frees all data. Statements after it fail.
func (d *Database) Close() error {
	d.mu.Lock()
	was := d.closed
	d.closed = true
	d.mu.Unlock()
	if was {
		return nil
	}
	d.active.Wait()
	return d.store.close()
}

// begin counts a running statement, unless the database is closed.
func (d *Database) begin() (end func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, failure("INVALID_HANDLE.SESSION_CLOSED", "HY000", "The handle is invalid. The workspace was closed.")
	}
	d.active.Add(1)
	return d.active.Done, nil
}

// NewSession opens a session. An empty catalog means main and an empty schema means default;
// a catalog or schema that does not exist is an error at once, as Databricks answers
// OpenSession. conf is the session's initial configuration: keys are case-insensitive, and
// "timezone" gives the zone in which timestamps without offset are read and shown.
func (d *Database) NewSession(catalog, schema string, conf map[string]string) (*Session, error) {
	end, err := d.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	if catalog == "" {
		catalog = defaultCatalog
	}
	if schema == "" {
		schema = defaultSchema
	}
	if err := d.gate.enter(context.Background(), false); err != nil {
		return nil, err
	}
	_, missing := d.names.schema(catalog, schema)
	d.gate.leave(false)
	if missing != nil {
		return nil, missing
	}
	s := &Session{db: d, catalog: catalog, schema: schema, conf: map[string]string{}, initial: map[string]string{}, temp: map[string]*table{}}
	for k, v := range conf {
		k = strings.ToLower(k)
		if k == "timezone" {
			if _, ok := location(v); !ok {
				return nil, errTimeZone(v)
			}
		}
		s.conf[k], s.initial[k] = v, v
	}
	return s, nil
}

func errTimeZone(zone string) *Error {
	return failure("INVALID_CONF_VALUE.TIME_ZONE", "22022", "The value '%s' in the config \"TIMEZONE\" is invalid. Cannot resolve the given timezone.", zone)
}
