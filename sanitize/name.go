package sanitize

import "strings"

const (
	maxClass     = 100 // of an error class with its subclass
	maxClassPart = 18  // of a word in one: MISCONFIGURATION
)

// errorClassAt returns the length of the error class in brackets that text starts
// with, [TABLE_OR_VIEW_NOT_FOUND] or [UNRESOLVED_COLUMN.WITH_SUGGESTION], or 0.
func errorClassAt(text string) int {
	end := strings.IndexByte(text[:min(len(text), maxClass+2)], ']')
	if end < 0 || !errorClass(text[1:end]) {
		return 0
	}
	return end + 1
}

// errorClass reports whether a has the form of an error class: words in capitals,
// joined by underscores.
func errorClass(a string) bool {
	if len(a) > maxClass || strings.IndexByte(a, '_') < 0 || !isUpper(a[0]) || looksLikeToken(a) {
		return false
	}
	part, digits := 0, 0
	for i := range len(a) {
		switch c := a[i]; {
		case isUpper(c):
			part++
		case isDigit(c):
			part++
			digits++
		case c == '_' || c == '.':
			if part == 0 {
				return false
			}
			part = 0
		default:
			return false
		}
		if part > maxClassPart || digits > 2 {
			return false
		}
	}
	return part > 0
}

// knownConstant reports whether a is in capitals and every part of it is in the
// vocabulary.
func knownConstant(a string) bool {
	if !errorClass(a) {
		return false
	}
	for part := range strings.FieldsFuncSeq(a, func(r rune) bool { return r == '_' || r == '.' }) {
		if !isClass(part, harmless|keyword|verb|typeName) && (len(part) > 2 || !allDigits(part)) {
			return false
		}
	}
	return true
}

// configPrefixes are the settings of Spark that are not made of names. (Others are:
// spark.hadoop.fs.azure.account.key.<account>.)
var configPrefixes = [...]string{"spark.sql.", "spark.databricks."}

// configName reports whether a is a setting of Spark: spark.sql.ansi.enabled.
func configName(a string) bool {
	if len(a) > maxClass || strings.Count(a, ".") < 2 {
		return false
	}
	for _, p := range configPrefixes {
		if strings.HasPrefix(a, p) {
			return segments(a[len(p):], ".")
		}
	}
	return false
}

// classPrefixes are the packages whose classes and methods appear in stack traces.
var classPrefixes = [...]string{
	"org.apache.spark.", "org.apache.hadoop.", "org.apache.hive.", "org.apache.thrift.", "org.apache.http.",
	"org.apache.parquet.", "org.apache.arrow.", "org.sparkproject.", "java.", "javax.", "jdk.", "sun.", "scala.",
	"com.databricks.", "com.amazonaws.", "com.google.cloud.", "com.microsoft.azure.", "io.delta.", "io.grpc.", "io.netty.",
}

// className reports whether a is the name of a class or method of a known package.
func className(a string) bool {
	if len(a) > 256 {
		return false
	}
	for _, p := range classPrefixes {
		if strings.HasPrefix(a, p) {
			return segments(a[len(p):], ".$")
		}
	}
	return false
}

// segments reports whether a consists of words between separators.
func segments(a, separators string) bool {
	for part := range strings.FieldsFuncSeq(a, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if len(part) <= 2 && allDigits(part) {
			continue
		}
		word := plainWord(part) && isLetters(part)
		if !word && !camel(part) && part != "java8" {
			return false
		}
	}
	return true
}

func isLetters(a string) bool { return shapeOf(a) == letters }

// sourceFile reports whether a names a source file of a stack trace, by its class.
func sourceFile(a string) bool {
	name, ext, _ := strings.Cut(a, ".")
	return (ext == "scala" || ext == "java") && isUpper(firstByte(name)) && camel(name)
}

// domains are the last labels of names that are more likely hosts than tables.
const domains = " com net org io dev local internal cloud gov edu eu us uk de cn localdomain "

// hostLike tells a host from a table or file with a dotted name, to name it well; it
// decides nothing else.
func hostLike(a string) bool {
	dot := strings.LastIndexByte(a, '.')
	return dot > 0 && strings.Contains(domains, " "+a[dot+1:]+" ")
}
