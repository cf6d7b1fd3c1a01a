package main

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// versionOf returns the version of the module, the commit if it is known, and Go's version.
func versionOf(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "dbtel of an unknown version"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	words := []string{"dbtel", cmp.Or(info.Main.Version, "(devel)")}
	if commit := settings["vcs.revision"]; commit != "" {
		words = append(words, "commit", commit)
		if settings["vcs.modified"] == "true" {
			words = append(words, "with changes")
		}
	}
	return strings.Join(append(words, info.GoVersion), " ")
}
