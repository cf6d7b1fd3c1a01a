package workspace

import (
	"context"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
)

// database and sqlSession are all that the server uses of the SQL engine, besides the types of a
// result.
type database interface {
	NewSession(catalog, schema string, conf map[string]string) (sqlSession, error)
	Close() error
}

type sqlSession interface {
	Execute(ctx context.Context, sql string, params []engine.Param) (*engine.Result, error)
	// Namespace is the current catalog and schema.
	Namespace() (catalog, schema string)
	// Setting is the value of a configuration key of the session, or "".
	Setting(key string) string
	Close() error
}

var (
	_ database   = engineDatabase{}
	_ sqlSession = (*engine.Session)(nil)
)

type engineDatabase struct{ *engine.Database }

func newDatabase() (database, error) {
	db, err := engine.New()
	if err != nil {
		return nil, err
	}
	return engineDatabase{db}, nil
}

func (d engineDatabase) NewSession(catalog, schema string, conf map[string]string) (sqlSession, error) {
	s, err := d.Database.NewSession(catalog, schema, conf)
	if err != nil {
		return nil, err
	}
	return s, nil
}
