package failure_test

import (
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// executionError has the shape of the driver's own, whose type is internal.
type executionError struct {
	dbsqlerr.DBExecutionError // what the tests do not need
	error
	state     string
	retryable bool
}

func (e executionError) Error() string      { return e.error.Error() }
func (e executionError) IsRetryable() bool  { return e.retryable }
func (e executionError) SqlState() string   { return e.state }
func (executionError) Is(target error) bool { return target == dbsqlerr.ExecutionError }

// declared has the method newer drivers tag their errors with.
type (
	tag      string
	declared struct {
		error
		as tag
	}
)

func (d declared) Category() tag { return d.as }
func (d declared) Unwrap() error { return d.error }

// otherCategory has a method named Category with another meaning.
type otherCategory struct{ error }

func (otherCategory) Category(int) string { return "timeout" }

func TestFailuresAreClassifiedByTypeAndStateNeverByText(t *testing.T) {
	text := errors.New("syntax error: timeout: permission denied for user bob@example.com")
	state := func(s string) error { return executionError{error: text, state: s} }
	tests := map[string]struct {
		err  error
		want telemetry.Failure
	}{
		"text alone":          {text, telemetry.Failure{Category: telemetry.CategoryOther}},
		"canceled":            {fmt.Errorf("a: %w", context.Canceled), telemetry.Failure{Category: telemetry.CategoryCanceled}},
		"deadline":            {context.DeadlineExceeded, telemetry.Failure{Category: telemetry.CategoryTimeout}},
		"syntax":              {state("42601"), telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}},
		"table not found":     {state("42P01"), telemetry.Failure{Category: telemetry.CategoryNotFound, SQLState: "42P01"}},
		"permission":          {state("42501"), telemetry.Failure{Category: telemetry.CategoryPermission, SQLState: "42501"}},
		"login":               {state("28000"), telemetry.Failure{Category: telemetry.CategoryAuth, SQLState: "28000"}},
		"connection class":    {state("08006"), telemetry.Failure{Category: telemetry.CategoryConnection, SQLState: "08006"}},
		"internal":            {state("XXKST"), telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "XXKST"}},
		"a word, no state":    {state("SMITH"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"other state":         {state("22012"), telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "22012"}},
		"no state":            {state(""), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state with a secret": {state("dapi0"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state too long":      {state("42P01; drop table"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"retryable":           {executionError{error: text, retryable: true}, telemetry.Failure{Category: telemetry.CategoryStatementFailed, Retryable: true}},
		"declared":            {fmt.Errorf("a: %w", declared{text, "chunk_download_error"}), telemetry.Failure{Category: telemetry.CategoryChunkDownload}},
		"declared deeper":     {declared{declared{text, "decompression_error"}, "result_set_error"}, telemetry.Failure{Category: telemetry.CategoryDecompression}},
		"declared unknown":    {declared{text, "users_bob"}, telemetry.Failure{Category: telemetry.CategoryOther}},
		"declared otherwise":  {otherCategory{text}, telemetry.Failure{Category: telemetry.CategoryOther}},
		"unknown authority":   {fmt.Errorf("a: %w", x509.UnknownAuthorityError{}), telemetry.Failure{Category: telemetry.CategoryTLS}},
		"no such host":        {&net.DNSError{Err: "no such host"}, telemetry.Failure{Category: telemetry.CategoryConnection}},
		"dial timeout":        {&net.DNSError{IsTimeout: true}, telemetry.Failure{Category: telemetry.CategoryTimeout}},
		"bad connection":      {driver.ErrBadConn, telemetry.Failure{Category: telemetry.CategoryConnection}},
		"half a body":         {io.ErrUnexpectedEOF, telemetry.Failure{Category: telemetry.CategoryConnection}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, &test.want, failure.Of(test.err))
		})
	}
	require.Nil(t, failure.Of(nil))
}
