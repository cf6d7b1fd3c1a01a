package engine

import (
	"crypto/md5"  //nolint:gosec // md5() is a SQL function
	"crypto/sha1" //nolint:gosec // and so is sha1()
	"crypto/sha256"
	"crypto/sha512"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxString prevents repeat('x', 2000000000) from exhausting the machine's memory.
const maxString = 64 << 20

func errTooLong() *Error {
	return failure("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "54000", "Can't create a string longer than %d bytes.", maxString)
}

// onText adapts functions of strings only.
func onText(f func(a []string) string) goFunction {
	return func(args []driver.Value) (driver.Value, *Error) {
		a := make([]string, len(args))
		for i := range args {
			a[i] = textArg(args[i])
		}
		return f(a), nil
	}
}

func onTextTrue(f func(s, sub string) bool) goFunction {
	return func(args []driver.Value) (driver.Value, *Error) {
		return truth(f(textArg(args[0]), textArg(args[1]))), nil
	}
}

func cutset(a []string) string {
	if len(a) == 2 {
		return a[1]
	}
	return " "
}

var textFunctions = map[string]goFunction{
	"upper":      onText(func(a []string) string { return strings.ToUpper(a[0]) }),
	"lower":      onText(func(a []string) string { return strings.ToLower(a[0]) }),
	"trim":       onText(func(a []string) string { return strings.Trim(a[0], cutset(a)) }),
	"ltrim":      onText(func(a []string) string { return strings.TrimLeft(a[0], cutset(a)) }),
	"rtrim":      onText(func(a []string) string { return strings.TrimRight(a[0], cutset(a)) }),
	"startswith": onTextTrue(strings.HasPrefix),
	"endswith":   onTextTrue(strings.HasSuffix),
	"contains":   onTextTrue(strings.Contains),
	"replace": onText(func(a []string) string {
		with := ""
		if len(a) == 3 {
			with = a[2]
		}
		if a[1] == "" || len(a[0]) > 0 && len(with) > maxString/len(a[0]) {
			return a[0]
		}
		return strings.ReplaceAll(a[0], a[1], with)
	}),
	"reverse": onText(func(a []string) string {
		r := []rune(a[0])
		for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
			r[i], r[j] = r[j], r[i]
		}
		return string(r)
	}),
	"initcap": onText(func(a []string) string {
		start := true
		return strings.Map(func(r rune) rune {
			defer func() { start = r == ' ' }()
			if start {
				return unicode.ToTitle(r)
			}
			return unicode.ToLower(r)
		}, a[0])
	}),
	"translate": onText(func(a []string) string {
		from, to := []rune(a[1]), []rune(a[2])
		return strings.Map(func(r rune) rune {
			for i, f := range from {
				if f == r {
					if i < len(to) {
						return to[i]
					}
					return -1
				}
			}
			return r
		}, a[0])
	}),
	"repeat": func(args []driver.Value) (driver.Value, *Error) {
		return repeatText(textArg(args[0]), integerArg(args[1]))
	},
	"space": func(args []driver.Value) (driver.Value, *Error) { return repeatText(" ", integerArg(args[0])) },
	"lpad":  func(args []driver.Value) (driver.Value, *Error) { return pad(args, true) },
	"rpad":  func(args []driver.Value) (driver.Value, *Error) { return pad(args, false) },
	"substring": func(args []driver.Value) (driver.Value, *Error) {
		r := []rune(textArg(args[0]))
		start, length := integerArg(args[1]), int64(len(r))
		n := length
		if len(args) == 3 {
			n = integerArg(args[2])
		}
		switch {
		case start > 0:
			start--
		case start < 0:
			start += length
		}
		end := start + max(min(n, length-min(start, 0)), 0)
		start, end = min(max(start, 0), length), min(max(end, 0), length)
		if end <= start {
			return "", nil
		}
		return string(r[start:end]), nil
	},
	"left": func(args []driver.Value) (driver.Value, *Error) {
		r := []rune(textArg(args[0]))
		return string(r[:min(max(integerArg(args[1]), 0), int64(len(r)))]), nil
	},
	"right": func(args []driver.Value) (driver.Value, *Error) {
		r := []rune(textArg(args[0]))
		return string(r[int64(len(r))-min(max(integerArg(args[1]), 0), int64(len(r))):]), nil
	},
	"instr": func(args []driver.Value) (driver.Value, *Error) {
		return indexFrom(textArg(args[0]), textArg(args[1]), 1), nil
	},
	"locate": func(args []driver.Value) (driver.Value, *Error) {
		from := int64(1)
		if len(args) == 3 {
			from = integerArg(args[2])
		}
		return indexFrom(textArg(args[1]), textArg(args[0]), from), nil
	},
	"split_part": func(args []driver.Value) (driver.Value, *Error) {
		n := integerArg(args[2])
		if n == 0 {
			return nil, failure("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).")
		}
		parts := []string{textArg(args[0])}
		if sep := textArg(args[1]); sep != "" {
			parts = strings.Split(parts[0], sep)
		}
		if n < 0 {
			n += int64(len(parts)) + 1
		}
		if n < 1 || n > int64(len(parts)) {
			return "", nil
		}
		return parts[n-1], nil
	},
	"ascii": func(args []driver.Value) (driver.Value, *Error) {
		r, n := utf8.DecodeRuneInString(textArg(args[0]))
		if n == 0 {
			return int64(0), nil
		}
		return int64(r), nil
	},
	"chr": func(args []driver.Value) (driver.Value, *Error) {
		if n := integerArg(args[0]); n >= 0 {
			return string(rune(n & 0xff)), nil
		}
		return "", nil
	},
	"md5": func(args []driver.Value) (driver.Value, *Error) {
		h := md5.Sum(bytesArg(args[0])) //nolint:gosec // see the import
		return hex.EncodeToString(h[:]), nil
	},
	"sha1": func(args []driver.Value) (driver.Value, *Error) {
		h := sha1.Sum(bytesArg(args[0])) //nolint:gosec // see the import
		return hex.EncodeToString(h[:]), nil
	},
	"sha2": func(args []driver.Value) (driver.Value, *Error) {
		in := bytesArg(args[0])
		switch integerArg(args[1]) {
		case 224:
			return fmt.Sprintf("%x", sha256.Sum224(in)), nil
		case 0, 256:
			return fmt.Sprintf("%x", sha256.Sum256(in)), nil
		case 384:
			return fmt.Sprintf("%x", sha512.Sum384(in)), nil
		case 512:
			return fmt.Sprintf("%x", sha512.Sum512(in)), nil
		}
		return nil, nil
	},
	"crc32": func(args []driver.Value) (driver.Value, *Error) {
		return int64(crc32.ChecksumIEEE(bytesArg(args[0]))), nil
	},
	"hex": func(args []driver.Value) (driver.Value, *Error) {
		if n, ok := args[0].(int64); ok {
			return fmt.Sprintf("%X", uint64(n)), nil
		}
		return strings.ToUpper(hex.EncodeToString(bytesArg(args[0]))), nil
	},
	"unhex": func(args []driver.Value) (driver.Value, *Error) {
		text := textArg(args[0])
		if len(text)%2 == 1 {
			text = "0" + text
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, nil
		}
		return b, nil
	},
	"base64": func(args []driver.Value) (driver.Value, *Error) {
		return base64.StdEncoding.EncodeToString(bytesArg(args[0])), nil
	},
	"unbase64": func(args []driver.Value) (driver.Value, *Error) {
		b, err := base64.StdEncoding.DecodeString(textArg(args[0]))
		if err != nil {
			return nil, failure("CONVERSION_INVALID_INPUT", "22018", "The value '%s' (\"STRING\") cannot be converted to \"BINARY\" because it is malformed.", textArg(args[0]))
		}
		return b, nil
	},
	"rlike": func(args []driver.Value) (driver.Value, *Error) {
		re, err := pattern(textArg(args[1]))
		if err != nil {
			return nil, err
		}
		return truth(re.MatchString(textArg(args[0]))), nil
	},
	"regexp_replace": func(args []driver.Value) (driver.Value, *Error) {
		re, err := pattern(textArg(args[1]))
		if err != nil {
			return nil, err
		}
		with := regexp.MustCompile(`\$(\d+)`).ReplaceAllString(textArg(args[2]), "$${$1}")
		return re.ReplaceAllString(textArg(args[0]), with), nil
	},
	"regexp_extract": func(args []driver.Value) (driver.Value, *Error) {
		re, err := pattern(textArg(args[1]))
		if err != nil {
			return nil, err
		}
		group := int64(1)
		if len(args) == 3 {
			group = integerArg(args[2])
		}
		if err := checkGroup("regexp_extract", re, group); err != nil {
			return nil, err
		}
		if m := re.FindStringSubmatch(textArg(args[0])); m != nil {
			return m[group], nil
		}
		return "", nil
	},
}

var patterns bounded[*regexp.Regexp]

func pattern(text string) (*regexp.Regexp, *Error) {
	if re, ok := patterns.get(text); ok {
		return re, nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, failure("INVALID_PARAMETER_VALUE.PATTERN", "22023", "The value of parameter(s) `regexp` is invalid: '%s'.", text)
	}
	patterns.put(text, re)
	return re, nil
}

func repeatText(s string, n int64) (driver.Value, *Error) {
	if n <= 0 || s == "" {
		return "", nil
	}
	if n > maxString/int64(len(s)) {
		return nil, errTooLong()
	}
	return strings.Repeat(s, int(n)), nil
}

func pad(args []driver.Value, left bool) (driver.Value, *Error) {
	s, n, with := []rune(textArg(args[0])), integerArg(args[1]), []rune(" ")
	if len(args) == 3 {
		with = []rune(textArg(args[2]))
	}
	switch {
	case n <= 0:
		return "", nil
	case n <= int64(len(s)):
		return string(s[:n]), nil
	case len(with) == 0:
		return string(s), nil
	case n > maxString/4:
		return nil, errTooLong()
	}
	fill := make([]rune, n-int64(len(s)))
	for i := range fill {
		fill[i] = with[i%len(with)]
	}
	if left {
		return string(fill) + string(s), nil
	}
	return string(s) + string(fill), nil
}

// indexFrom is the position of sub in s, counted in characters from one.
func indexFrom(s, sub string, from int64) int64 {
	r := []rune(s)
	if from < 1 || from > int64(len(r))+1 {
		return 0
	}
	rest := string(r[from-1:])
	i := strings.Index(rest, sub)
	if i < 0 {
		return 0
	}
	return from + int64(utf8.RuneCountInString(rest[:i]))
}
