package format

import "strings"

// OneSpelling writes "canceled" in a category as outcomes have it. Categories are the service's names
// and are spelled with two l.
func OneSpelling(category string) string {
	return strings.ReplaceAll(category, "cancelled", "canceled")
}
