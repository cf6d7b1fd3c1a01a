package main

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionIsThatOfTheModuleAndItsCommit(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.25.0", Main: debug.Module{Version: version}, Settings: settings}
	}
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}
	for want, info := range map[string]*debug.BuildInfo{
		"dbtel v1.2.3 go1.25.0":                                                build("v1.2.3"),
		"dbtel (devel) go1.25.0":                                               build(""),
		"dbtel v1.2.4-dev commit 0123456789abcdef go1.25.0":                    build("v1.2.4-dev", commit, debug.BuildSetting{Key: "vcs.modified", Value: "false"}),
		"dbtel v1.2.4-dev+dirty commit 0123456789abcdef with changes go1.25.0": build("v1.2.4-dev+dirty", commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"}),
	} {
		require.Equal(t, want, versionOf(info, true))
	}
	require.Equal(t, "dbtel of an unknown version", versionOf(nil, false))
}

func TestVersionIsPrinted(t *testing.T) {
	for _, arg := range []string{"version", "--version", "-version"} {
		got := dbtel(t, "", arg)
		require.Equal(t, outcome{out: got.out}, got)
		require.Regexp(t, `^dbtel \S+.* go1\.\S+\n$`, got.out)
	}
}
