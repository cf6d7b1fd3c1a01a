package driverwrap_test

import (
	"io"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/databricks/databricks-sql-go/logger"
)

func TestMain(m *testing.M) {
	// The environment of the test process must not change settings.
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "DATABRICKS_") || name == "DO_NOT_TRACK" {
			_ = os.Unsetenv(name)
		}
	}
	// The native driver logs every error it returns; the tests provoke hundreds.
	logger.SetLogOutput(io.Discard)
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}
