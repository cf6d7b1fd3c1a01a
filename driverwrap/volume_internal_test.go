package driverwrap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var volumeStatements = map[string]telemetry.VolumeOperation{
	"PUT '/a' INTO '/Volumes/a'":                     telemetry.VolumePut,
	"put\n'/a' INTO '/Volumes/a'":                    telemetry.VolumePut,
	"Get\t'/Volumes/a' TO '/a'":                      telemetry.VolumeGet,
	"remove\r\n'/Volumes/a'":                         telemetry.VolumeDelete,
	"PUT'/a' INTO '/Volumes/a'":                      telemetry.VolumePut,
	"PUT/* all */'/a' INTO '/Volumes/a'":             telemetry.VolumePut,
	" \f\v\t\r\n GET '/Volumes/a' TO '/a'":           telemetry.VolumeGet,
	"-- nightly\n-- upload\r\n PUT '/a'":             telemetry.VolumePut,
	"/* one */ /* two\n*/ --three\nREMOVE '/a'":      telemetry.VolumeDelete,
	"/* GET /* nested */ -- PUT\n still */ PUT '/a'": telemetry.VolumePut,
	"/**/PUT '/a'":                                   telemetry.VolumePut,
	"/*/ PUT '/a'":                                   "",
	"/* PUT '/a'":                                    "",
	"-- PUT '/a'":                                    "",
	"*/ PUT '/a'":                                    "",
	"PUTS '/a'":                                      "",
	"PUT_X '/a'":                                     "",
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
		rest := afterComments(query)
		require.True(t, strings.HasSuffix(query, rest))
		require.Equal(t, rest, afterComments(rest))
		if len(query) < longestLead/2 {
			require.Equal(t, volumeOperation(query), volumeOperation("\t-- a\n/* b */"+query))
		}
	})
}
