//go:build race

package driverwrap_test

const raceEnabled = true
