//go:build race

package cloudfetch

const raceEnabled = true
