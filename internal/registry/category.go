package registry

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// Categories lists every telemetry.Category. The payload and the driver's own declarations are
// checked against this list.
var Categories = []telemetry.Category{
	telemetry.CategoryTimeout, telemetry.CategoryCanceled, telemetry.CategoryConnection, telemetry.CategoryAuth,
	telemetry.CategoryPermission, telemetry.CategoryNotFound, telemetry.CategorySyntax, telemetry.CategoryInvalidRequest,
	telemetry.CategoryChunkDownload, telemetry.CategoryDecompression, telemetry.CategoryArrowSchema,
	telemetry.CategoryResultSet, telemetry.CategoryUnsupported, telemetry.CategoryRateLimit, telemetry.CategoryTLS,
	telemetry.CategoryStatementTimeout, telemetry.CategoryStatementFailed, telemetry.CategoryStatementCanceled,
	telemetry.CategorySessionClosed, telemetry.CategoryStatementClosed, telemetry.CategoryOther,
}

func categoryNames() []string {
	names := make([]string, len(Categories))
	for i, c := range Categories {
		names[i] = string(c)
	}
	return names
}
