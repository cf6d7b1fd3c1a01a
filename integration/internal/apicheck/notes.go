package main

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// check compares the migration tables of the notes with the difference of two listings. It returns
// a line for each declaration that is gone or different and that no table names, and for each wrong
// name in a table: an old one that the last version did not have, a new one that is not exported now.
//
//	#### `telemetry`                            the folder of the package, or the title of a listing
//	| 0.1.0 | 0.2.0 |
//	|---|---|
//	| `Statement.Closed`, `.Canceled` | `Statement.Calls` has them |
//
// In the first column every code span is an old name; one that begins with a dot is a member of the
// type before it. In the other columns, code spans that are exported Go names, of this package or
// qualified with another's, have to exist.
func check(before, now []string, notes string) (problems []string) {
	tables := migrationTables(notes)
	for _, line := range unnamed(breaking(before, now), tables.old) {
		problems = append(problems, "not named: "+line)
	}
	was, is := names(before), names(now)
	for place, old := range tables.old {
		for _, name := range old {
			if !was[place][name] {
				problems = append(problems, fmt.Sprintf("the last version had no %s in %s", name, place))
			}
		}
	}
	for place, replacements := range tables.replacements {
		for _, name := range replacements {
			if !exists(is, place, name) {
				problems = append(problems, fmt.Sprintf("%s, in the table of %s, is not exported", name, place))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// breaking returns the lines of before that are not in now: declarations that were removed or
// changed.
func breaking(before, now []string) []string {
	return slices.DeleteFunc(slices.Clone(before), func(line string) bool { return line == "" || slices.Contains(now, line) })
}

// unnamed returns the lines whose name is not among the old names of their place.
func unnamed(lines []string, old map[string][]string) (missing []string) {
	for _, line := range lines {
		if place, name := declared(line); !slices.Contains(old[place], name) {
			missing = append(missing, line)
		}
	}
	return missing
}

// exists reports whether a name in the table of a place is declared there or, if it is qualified, in
// the package of that name. Names of other modules count as existing.
func exists(is map[string]map[string]bool, place, name string) bool {
	pkg, rest, qualified := strings.Cut(name, ".")
	if !qualified || ast.IsExported(pkg) {
		return is[place][name]
	}
	ours := false // is a package of that name in this module?
	for folder, declared := range is {
		if path.Base(folder) == pkg {
			if declared[rest] {
				return true
			}
			ours = true
		}
	}
	return !ours
}

// migration has the names of the notes' tables, by place: the package or listing in the heading above.
type migration struct{ old, replacements map[string][]string }

func migrationTables(notes string) migration {
	tables := migration{map[string][]string{}, map[string][]string{}}
	place := ""
	for line := range strings.Lines(notes) {
		if heading, ok := strings.CutPrefix(line, "#### "); ok {
			place = strings.Trim(strings.TrimSpace(heading), "`")
			continue
		}
		if strings.HasPrefix(line, "#") {
			place = ""
		}
		cells := cellsOf(line)
		if place == "" || len(cells) < 2 {
			continue
		}
		holder := ""
		for _, span := range code.FindAllStringSubmatch(cells[0], -1) {
			name := span[1]
			if strings.HasPrefix(name, ".") {
				name = holder + name
			} else {
				holder, _, _ = strings.Cut(name, ".")
			}
			tables.old[place] = append(tables.old[place], name)
		}
		for _, cell := range cells[1:] {
			for _, span := range code.FindAllStringSubmatch(cell, -1) {
				if goName.MatchString(span[1]) {
					tables.replacements[place] = append(tables.replacements[place], span[1])
				}
			}
		}
	}
	return tables
}

var (
	code   = regexp.MustCompile("`([^`]+)`")
	goName = regexp.MustCompile(`^(?:[a-z]+\.)?[A-Z]\w*(?:\.[A-Z]\w*)?$`)
	// goDeclaration matches the name of a declaration, after the type of a receiver or member.
	goDeclaration = regexp.MustCompile(`^(?:func \(\*?(\w+)[^)]*\) |type (\w+)(?:\[[^\]]*\])? (?:struct|interface), (?:\*?(?:\w+\.)?)|func |const |var |type )(\w+)`)
)

// names are the names in a listing, by place.
func names(lines []string) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, line := range lines {
		place, name := declared(line)
		if all[place] == nil {
			all[place] = map[string]bool{}
		}
		all[place][name] = true
	}
	return all
}

// declared is the place of a line of a listing, and the name it declares: Type.Member for a field or a
// method.
func declared(line string) (place, name string) {
	place, declaration, _ := strings.Cut(line, ": ")
	if found := goDeclaration.FindStringSubmatch(declaration); found != nil {
		if holder := found[1] + found[2]; holder != "" {
			return place, holder + "." + found[3]
		}
		return place, found[3]
	}
	name, _, _ = strings.Cut(declaration, ", ")
	return place, name
}
