package ndjson

import (
	"errors"
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The keys of each record: those of package registry, and the lists that some records have.
var (
	attemptKeys = keysOf(registry.AttemptFields)
	rpcKeys     = keysOf(registry.RPCFields)
	openedKeys  = keysOf(registry.SessionOpenedFields)
	closedKeys  = keysOf(registry.SessionClosedFields)
	reportKeys  = keysOf(registry.ServerReportFields)
	poolKeys    = keysOf(registry.PoolSampleFields)
)

var callKeys = keysOf(registry.CallFields).
	and(retriedKey, listOf(attemptKeys, func(c *telemetry.Call) *[]telemetry.Attempt { return &c.Retried }))

var fileKeys = keysOf(registry.FileFields).
	and(retriedKey, listOf(attemptKeys, func(f *telemetry.File) *[]telemetry.Attempt { return &f.Retried }))

var statementKeys = keysOf(registry.StatementFields).
	and(rpcsKey, listOf(rpcKeys, func(s *telemetry.Statement) *[]telemetry.RPC { return &s.RPCs })). // replaces the sums of earlier keys
	and(callsKey, listOf(callKeys, func(s *telemetry.Statement) *[]telemetry.Call { return &s.Calls })).
	and(filesKey, listOf(fileKeys, func(s *telemetry.Statement) *[]telemetry.File {
		if s.CloudFetch == nil {
			s.CloudFetch = &telemetry.CloudFetch{}
		}
		return &s.CloudFetch.Files
	}))

// The keys of lists.
const (
	rpcsKey    = "rpcs_by_method"
	callsKey   = "calls"
	filesKey   = "file_list"
	retriedKey = "retried" // of a call or file
)

// keys maps each key of a line to the function that sets its value in a record of type R.
type keys[R any] map[string]func(r *R, value []byte) error

func keysOf[R any](fields []registry.Field[R]) keys[R] {
	k := make(keys[R], len(fields))
	for _, f := range fields {
		if !f.Computed() {
			k[f.Name] = f.Set
		}
	}
	return k
}

func (k keys[R]) and(name string, set func(r *R, value []byte) error) keys[R] {
	k[name] = set
	return k
}

// set sets the values of an object in a record. Unknown keys and null are skipped. The sums by method are
// set last, because they replace those of other keys, which may follow them.
func (k keys[R]) set(r *R, object []byte) error {
	if object[0] != '{' {
		return errors.New("not an object")
	}
	var rpcs []byte
	for name, value := range members(object) {
		if string(name) == rpcsKey {
			rpcs = value
		} else if err := k.setKey(r, name, value); err != nil {
			return err
		}
	}
	return k.setKey(r, []byte(rpcsKey), rpcs)
}

func (k keys[R]) setKey(r *R, name, value []byte) error {
	set, ok := k[string(name)]
	if !ok || len(value) == 0 || value[0] == 'n' {
		return nil
	}
	if err := set(r, value); err != nil {
		return fmt.Errorf("%q: %w", string(name), err)
	}
	return nil
}

// listOf returns a function that reads an array of objects into a field.
func listOf[R, E any](k keys[E], field func(*R) *[]E) func(r *R, value []byte) error {
	return func(r *R, value []byte) error {
		if value[0] != '[' {
			return errors.New("not an array")
		}
		all := []E{}
		for element := range elements(value) {
			var e E
			if err := k.set(&e, element); err != nil {
				return fmt.Errorf("%d: %w", len(all), err)
			}
			all = append(all, e)
		}
		*field(r) = all
		return nil
	}
}
