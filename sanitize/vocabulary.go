package sanitize

import "strings"

// A wordClass is a set of the things a word may be. Words that are in no class are
// neither good nor bad: they stay in a sentence and go in a suspicious position.
type wordClass uint32

const (
	harmless     wordClass = 1 << iota // may stay in any position but a secret's
	joining                            // leads away from a name: "table or", "user does"
	connecting                         // leads on to a name: "table named t"
	noun                               // what follows is a name: "table t"
	person                             // the same, of people and groups
	literal                            // what follows is a literal: "value 5"
	secretWord                         // what follows is a secret: "token dapi..."
	stateLabel                         // what follows is a SQLSTATE
	announcing                         // before a colon, what follows is a name: "not found: t"
	coded                              // its value is a number or constant of the protocol
	prose                              // its value, in JSON, is a message
	boolean                            // a value without information
	typeName                           // a SQL type
	keyword                            // a word of SQL's grammar
	verb                               // starts a SQL statement
	clause                             // starts a part of one
	scheme                             // an authorization scheme
	locatorName                        // the scheme of a URL
	storage                            // one whose path is all names
	element                            // a tag of XML or HTML
	proseElement                       // one that holds a message, a code, or others
	routeRoot                          // starts the path of a Databricks API
	route                              // continues it
	builtin                            // a function of SQL
	slashWord                          // a word with a slash or dot that is no path
	parameter                          // of a Databricks DSN
)

// vocabulary maps words in small letters to their classes.
var vocabulary = func() map[string]wordClass {
	m := make(map[string]wordClass, 1200)
	for _, v := range []struct {
		classes wordClass
		words   string
	}{
		{harmless, harmlessWords},
		{harmless | joining, joiningWords},
		{harmless | connecting, connectingWords},
		{harmless | noun, nouns},
		{harmless | person, people},
		{harmless | literal, literals},
		{harmless | secretWord, secretWords},
		{harmless | stateLabel, "sqlstate state"},
		{announcing, announcingWords},
		{coded, codes},
		{prose | harmless, "message error_message errormessage error_description detail details displaymessage reason"},
		{boolean | harmless, "true false null none nil"},
		{typeName | harmless, types},
		{keyword, keywords},
		{verb | keyword, verbs},
		{clause | keyword, "from where join values having union intersect except qualify"},
		{scheme | harmless, "bearer basic digest negotiate ntlm aws4-hmac-sha256 sharedkey"},
		{locatorName, "http https ws wss tcp databricks"},
		{locatorName | storage, "s3 s3a s3n gs abfs abfss wasb wasbs adl dbfs file hdfs volumes"},
		{element | proseElement, "error code message errorresponse errors html head body title h1 h2 h3 p pre center div span br hr"},
		{element, elements},
		{routeRoot | route, "sql api oidc telemetry-ext telemetry-unauth"},
		{route, routes},
		{builtin | harmless, builtins},
		{slashWord, slashWords},
		{parameter, parameters},
	} {
		for word := range strings.FieldsSeq(v.words) {
			m[word] |= v.classes
		}
	}
	return m
}()

// longestWord bounds what is looked up.
const longestWord = 32

// class returns the classes of a word, whatever its case.
func class(word string) wordClass {
	if len(word) > longestWord {
		return 0
	}
	var small [longestWord]byte
	for i := range len(word) {
		c := word[i]
		if isUpper(c) {
			c |= 0x20
		}
		small[i] = c
	}
	return vocabulary[string(small[:len(word)])]
}

// isClass reports whether word is in any of the classes.
func isClass(word string, classes wordClass) bool { return class(word)&classes != 0 }

func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
