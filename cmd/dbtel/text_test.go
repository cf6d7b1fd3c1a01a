package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestANumberIsNotTornFromItsUnit(t *testing.T) {
	require.Equal(t, []string{"slowest", "14 ms, Photon", "88 %"}, wrap("slowest 14 ms, Photon 88 %", 13))
	require.Equal(t, []string{"takes 12 min", "03 s of an s"}, wrap("takes 12 min 03 s of an s", 12))
}
