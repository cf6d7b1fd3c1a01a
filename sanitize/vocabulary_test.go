package sanitize

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheVocabularyHoldsNothingPersonal(t *testing.T) {
	for kind, words := range map[string]string{
		"given names": `James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Richard Susan Joseph Jessica Thomas Sarah Charles Karen
			Christopher Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark Ashley Donald Kimberly Steven Emily Paul Donna Andrew Michelle Joshua Carol Kenneth Amanda Kevin
			Melissa Brian Deborah George Stephanie Timothy Rebecca Ronald Laura Jason Sharon Edward Cynthia Jeffrey Kathleen Ryan Amy Jacob Angela Gary Shirley Nicholas Anna
			Eric Brenda Jonathan Emma Stephen Pamela Larry Nicole Justin Helen Scott Samantha Brandon Katherine Frank Christine Benjamin Rachel Gregory Carolyn Raymond Janet
			Samuel Maria Patrick Heather Alexander Diane Jack Olivia Dennis Julie Jerry Joyce Tyler Victoria Aaron Ruth Jose Virginia Adam Lauren Nathan Kelly Henry Christina
			Zachary Joan Douglas Evelyn Peter Judith Kyle Andrea Noah Hannah Ethan Megan Jeremy Cheryl Walter Jacqueline Christian Martha Keith Madison Roger Teresa Terry
			Gloria Austin Sara Sean Janice Gerald Ann Carl Kathryn Harold Abigail Dylan Sophia Arthur Frances Lawrence Jean Jordan Alice Jesse Judy Bryan Isabella Billy Julia
			Bruce Grace Gabriel Amber Joe Denise Logan Danielle Alan Marilyn Juan Beverly Albert Charlotte Willie Natalie Elijah Theresa Wayne Diana Randy Brittany Vincent
			Doris Mason Kayla Roy Alexis Ralph Lori Bobby Marie Russell Bradley Philip Eugene Will Grant May Bill Rob Art Sue Pat Max Case Rose Dawn Hope Faith Joy Ray Dean
			Chase Jane Bob Tom Erika Lena Karl Mustafa Wei Ming Olga Ivan Priya Fatima Ahmed Yuki Hiroshi Carlos Sofia Lars Ingrid Can Unique Legacy Trace`,
		"family names":          "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Novak Kowalski Müller Schmidt Doe Baker Nguyen Singh Khan Tanaka",
		"months, days":          "January February March April June July August September October November December Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
		"cities":                "London Paris Berlin Madrid Rome Vienna Dublin Chicago Boston Dallas Seattle Austin Denver Tokyo Delhi Mumbai Sydney Toronto Amsterdam Munich Zurich Washington Houston",
		"cities that are words": "Reading Split Normal",
		"passwords": `password passwd secret letmein monkey dragon sunshine princess football baseball shadow master superman batman qwerty welcome admin root guest login hello
			freedom whatever ninja mustang trustno ranger buster soccer hockey killer pepper summer winter spring autumn cheese banana orange cookiemonster computer internet
			starwars matrix maverick phoenix silver golden purple diamond ginger hammer thunder cowboy tiger lion eagle falcon jordan hunter harley love iloveyou jesus angel
			lovely flower butterfly chocolate test demo changeme oracle money samsung google pokemon naruto liverpool chelsea arsenal barcelona magic windows`,
		"tables": `customers customer salaries salary orders payroll employees employee patients patient invoices invoice payments payment transactions accounts users persons people
			contacts addresses bonus bonuses layoffs sickness diagnosis diagnoses prescriptions claims policies revenue sales leads deals tickets subscriptions donors donations
			students grades voters applicants candidates staff members products inventory shipments suppliers vendors clients logs events clicks visits sessions ledger budgets`,
		"personal data": "ssn iban birthday birthdate birth surname religion gender ethnicity nationality passport phone mobile email salary wage income pregnant hiv cancer diabetes criminal",
	} {
		for word := range strings.FieldsSeq(words) {
			lower := strings.ToLower(word)
			if kind == "given names" || kind == "cities that are words" { // a few are words too, and pass unless capitalized
				assert.False(t, passes(word), "%s: %s", kind, word)
				assert.False(t, known().words[lower], "%s: %s", kind, word)
				continue
			}
			for _, w := range []string{word, lower, strings.ToUpper(word)} {
				assert.False(t, passes(w), "%s: %s", kind, w)
			}
		}
	}
}

func TestEveryListedWordPasses(t *testing.T) {
	k := known()
	require.Greater(t, len(k.words), 1000)
	require.Greater(t, len(k.exact), 50)
	require.Greater(t, len(k.classes), 500)
	require.Greater(t, len(k.subclasses), 100)
	for word := range k.words {
		require.Equal(t, strings.ToLower(word), word)
		require.Equal(t, word, requireGuarantees(t, word))
	}
	for word := range k.exact {
		require.Equal(t, word, requireGuarantees(t, word))
	}
	for class := range k.classes {
		require.Equal(t, "["+class+"]", requireGuarantees(t, "["+class+"]"))
		require.Equal(t, "["+class+"]", Class("["+class+"]"))
	}
	for sub := range k.subclasses {
		require.Equal(t, "[UNRESOLVED_COLUMN."+sub+"]", requireGuarantees(t, "[UNRESOLVED_COLUMN."+sub+"]"))
	}
	for _, kind := range placeholders {
		require.Equal(t, kind, requireGuarantees(t, kind))
	}
}
