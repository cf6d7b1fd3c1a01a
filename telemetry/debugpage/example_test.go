package debugpage_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
)

// On a mux of one's own, under any path that ends in a slash. Importing the package alone
// serves it at /debug/databricks of http.DefaultServeMux.
func ExampleHandler() {
	admin := http.NewServeMux()
	admin.Handle("/internal/databricks/", debugpage.Handler())

	response := httptest.NewRecorder()
	admin.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "http://localhost/internal/databricks/?format=json", nil))
	fmt.Println(response.Code, response.Header().Get("Content-Type"))
	// Output: 200 application/json
}
