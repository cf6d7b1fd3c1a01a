package main

import (
	"regexp"
	"slices"
	"strings"
)

// breaking are the lines of before that are not in now: what is gone, or different.
func breaking(before, now []string) (lines []string) {
	for _, line := range before {
		if line != "" && !slices.Contains(now, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// unmentioned are the lines of which the notes name neither what is declared nor its package, as
// code: `Flush`, `telemetry.Flush`, `telemetry/export`.
func unmentioned(lines []string, notes string) (missing []string) {
	named := map[string]bool{}
	for _, code := range code.FindAllStringSubmatch(notes, -1) {
		named[code[1]] = true
		for _, word := range word.FindAllString(code[1], -1) {
			named[word] = true
		}
	}
	for _, line := range lines {
		folder, declaration, _ := strings.Cut(line, ": ")
		if !named[folder] && !named[declared(declaration)] {
			missing = append(missing, line)
		}
	}
	return missing
}

var (
	code = regexp.MustCompile("`([^`\n]+)`")
	word = regexp.MustCompile(`\w+`)
	// The name of a declaration: of a method without its receiver, of a field without its type.
	name = regexp.MustCompile(`^(?:func (?:\([^)]*\) )?|const |var |type \w+(?:\[[^\]]*\])? (?:struct|interface), \*?(?:\w+\.)?|type )(\w+)`)
)

func declared(declaration string) string {
	if found := name.FindStringSubmatch(declaration); found != nil {
		return found[1]
	}
	return ""
}
