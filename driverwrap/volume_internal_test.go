package driverwrap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var volumeStatements = map[string]string{
	"PUT '/a' INTO '/Volumes/a'":                     "PUT",
	"put\n'/a' INTO '/Volumes/a'":                    "PUT",
	"Get\t'/Volumes/a' TO '/a'":                      "GET",
	"remove\r\n'/Volumes/a'":                         "DELETE",
	"PUT'/a' INTO '/Volumes/a'":                      "PUT",
	"PUT/* all */'/a' INTO '/Volumes/a'":             "PUT",
	" \f\v\t\r\n GET '/Volumes/a' TO '/a'":           "GET",
	"-- nightly\n-- upload\r\n PUT '/a'":             "PUT",
	"/* one */ /* two\n*/ --three\nREMOVE '/a'":      "DELETE",
	"/* GET /* nested */ -- PUT\n still */ PUT '/a'": "PUT",
	"/**/PUT '/a'":                                   "PUT",
	"/*/ PUT '/a'":                                   "",
	"/* PUT '/a'":                                    "",
	"-- PUT '/a'":                                    "",
	"*/ PUT '/a'":                                    "",
	"PUTS '/a'":                                      "",
	"PUT_X '/a'":                                     "",
	"PUT2 '/a'":                                      "",
	"SELECT 'PUT'":                                   "",
	"":                                               "",
	strings.Repeat("/* x */", longestLead) + "PUT '/a'": "", // too far to look
}

func TestTheVolumeOperationIsTheFirstWordPastCommentsAndWhiteSpace(t *testing.T) {
	for query, want := range volumeStatements {
		require.Equal(t, want, volumeOperation(query), "%.60q", query)
		require.Zero(t, testing.AllocsPerRun(10, func() { volumeOperation(query) }), "%.60q", query)
	}
}

// White space and comments before a statement change nothing.
func FuzzVolumeOperation(f *testing.F) {
	for query := range volumeStatements {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if len(query) < longestLead/2 {
			require.Equal(t, volumeOperation(query), volumeOperation("\t-- a\n/* b */"+query))
		}
	})
}
