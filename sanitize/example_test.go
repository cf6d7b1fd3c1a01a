package sanitize_test

import (
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
)

func Example() {
	text := "[TABLE_OR_VIEW_NOT_FOUND] The table or view `hr`.`pay` cannot be found. SQLSTATE: 42P01; line 1 pos 14"
	fmt.Println(sanitize.Message(text))
	fmt.Println(sanitize.Class(text))
	// Output:
	// [TABLE_OR_VIEW_NOT_FOUND] The table or view <name> cannot be found. SQLSTATE: 42P01; line <number> pos <number>
	// [TABLE_OR_VIEW_NOT_FOUND] SQLSTATE: 42P01
}
