package export_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
)

func TestTheWarehouseIsThatOfTheHTTPPath(t *testing.T) {
	for path, want := range map[string]string{
		"/sql/1.0/warehouses/0a1b2c3d4e5f6789":                     "0a1b2c3d4e5f6789",
		"/sql/1.0/endpoints/0a1b2c3d4e5f6789":                      "0a1b2c3d4e5f6789",
		"/sql/1.0/warehouses/0a1b2c3d4e5f6789?o=42":                "0a1b2c3d4e5f6789",
		"/sql/1.0/warehouses/0a1b2c3d4e5f6789/":                    "0a1b2c3d4e5f6789",
		"/sql/1.0/warehouses/":                                     "",
		"/sql/1.0/warehouses/a/b":                                  "",
		"/sql/1.0/warehouses/dapi0123456789abcdef0123456789abcdef": "",
		"/sql/1.0/warehouses/0123456789abcdef0123456789abcdef":     "",
		"/sql/protocolv1/o/42/0123-456789-abcdefgh":                "",
		"/other/warehouses/abc":                                    "",
		"/sql/1.0/warehouses/" + strings.Repeat("x", 33):           "",
		"/sql/1.0/warehouses/token%20with%20space":                 "",
		"/sql/1.0/warehouses/AbCdEf0123456789GhIjKlMnOpQrStUv":     "",
		"/sql/1.0/warehouses/npm_16C7e42F292c6912E7710c838347":     "",
	} {
		t.Run(path, func(t *testing.T) {
			require.Equal(t, want, (&export.Connection{HTTPPath: path}).WarehouseID())
		})
	}
}
