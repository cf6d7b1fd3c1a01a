package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// documented lists the names that users rely on and that are not Go, sorted: settings with their
// descriptions, fields of records, attributes of spans, and metrics. They are read from tables that
// tests compare with the code. A missing document has no names.
func documented(repository string) (lines []string, err error) {
	for _, document := range []struct{ path, listing string }{
		{"README.md", "settings"},
		{"docs/TELEMETRY.md", "records"},
		{"docs/OPENTELEMETRY.md", "spans and metrics"},
	} {
		text, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(document.path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		table := "" // the generated table that contains the line
		for line := range strings.Lines(string(text)) {
			if marker := marker.FindStringSubmatch(line); marker != nil {
				table = ""
				if marker[1] == "generated" {
					table = marker[2]
				}
			}
			cells := cellsOf(line)
			if len(cells) < 2 {
				continue
			}
			for _, span := range code.FindAllStringSubmatch(cells[0], -1) {
				switch {
				case document.listing == "settings" && table == "parameters":
					lines = append(lines, "settings: "+span[1]+", "+strings.Join(cells[1:], ", "))
				case document.listing == "records" && table != "":
					lines = append(lines, "records: "+table+"."+span[1])
				case document.listing == "spans and metrics":
					lines = append(lines, "spans and metrics: "+span[1])
				}
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// cellsOf returns the cells of a table row, and none for any other line.
func cellsOf(line string) []string {
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	return strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
}

var marker = regexp.MustCompile(`<!-- (generated|end): ([\w ]*\w)`)
