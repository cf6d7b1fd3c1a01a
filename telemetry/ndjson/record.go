package ndjson

import (
	"errors"
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The keys of each record: those of package registry, and for some also lists.
var (
	attemptKeys = keysOf(registry.AttemptFields)
	rpcKeys     = keysOf(registry.RPCFields)
	callKeys    = keysOf(registry.CallFields).and(retriedKey, func(c *telemetry.Call, value []byte) (err error) {
		c.Retried, err = list(value, attemptKeys)
		return err
	})
	fileKeys = keysOf(registry.FileFields).and(retriedKey, func(f *telemetry.File, value []byte) (err error) {
		f.Retried, err = list(value, attemptKeys)
		return err
	})
	openedKeys    = keysOf(registry.SessionOpenedFields)
	closedKeys    = keysOf(registry.SessionClosedFields)
	reportKeys    = keysOf(registry.ServerReportFields)
	poolKeys      = keysOf(registry.PoolSampleFields)
	statementKeys = keysOf(registry.StatementFields).and(rpcsKey, func(s *telemetry.Statement, value []byte) (err error) {
		s.RPCs, err = list(value, rpcKeys) // replaces the sums of earlier keys
		return err
	}).and(callsKey, func(s *telemetry.Statement, value []byte) (err error) {
		s.Calls, err = list(value, callKeys)
		return err
	}).and(filesKey, func(s *telemetry.Statement, value []byte) (err error) {
		if s.CloudFetch == nil {
			s.CloudFetch = &telemetry.CloudFetch{}
		}
		s.CloudFetch.Files, err = list(value, fileKeys)
		return err
	})
)

// The keys of lists.
const (
	rpcsKey    = "rpcs_by_method"
	callsKey   = "calls"
	filesKey   = "file_list"
	retriedKey = "retried" // of a call or file
)

// keys has for each key of a line the function that sets its value in a record of type R.
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

// set sets the values of an object in a record. Unknown keys and null are passed over. The sums by method
// are set last: they replace those of other keys, which may follow them.
func (k keys[R]) set(r *R, object []byte) error {
	if object[0] != '{' {
		return errObject
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

// list reads an array of objects.
func list[E any](value []byte, k keys[E]) ([]E, error) {
	if value[0] != '[' {
		return nil, errArray
	}
	all := []E{}
	for element := range elements(value) {
		var e E
		if err := k.set(&e, element); err != nil {
			return nil, fmt.Errorf("%d: %w", len(all), err)
		}
		all = append(all, e)
	}
	return all, nil
}

var (
	errObject = errors.New("not an object")
	errArray  = errors.New("not an array")
)
