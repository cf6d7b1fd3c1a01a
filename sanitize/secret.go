package sanitize

import "strings"

// maxName is how much of the end of a name is looked at.
const maxName = 32

// secretMarkers give a name away wherever they are in it.
var secretMarkers = [...]string{
	"password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "accesskey", "accountkey", "privatekey",
	"sharedkey", "storagekey", "credential", "signature", "authorization", "bearer", "cookie", "codeverifier", "assertion", "jwt",
	"keyid", "clientid", "username",
}

// secretNames do so only on their own.
const secretNames = " key pat sig auth user uid login email owner principal sas pw pass "

// namesSecret reports whether what is assigned to name must not stay: a secret or
// a person's name. Case and separators don't matter.
func namesSecret(name string) bool {
	var room [maxName]byte
	n := 0
	for i := max(0, len(name)-maxName); i < len(name); i++ {
		c := name[i]
		switch {
		case isUpper(c):
			c |= 0x20
		case !isLower(c) && !isDigit(c):
			continue
		}
		room[n] = c
		n++
	}
	small := string(room[:n])
	for _, marker := range secretMarkers {
		if len(marker) <= n && strings.Contains(small, marker) {
			return true
		}
	}
	return n > 0 && n < 10 && strings.Contains(secretNames, " "+small+" ")
}

// secretKeys are the names of secrets that may be shown.
const secretKeys = ` password passwd pwd passphrase secret token api_key apikey access_key accesskey accountkey account_key private_key
 shared_key sharedaccesssignature credential signature authorization proxy-authorization bearer cookie set-cookie code_verifier assertion client_assertion jwt
 key pat sig auth user uid login email owner principal sas username client_id clientid access_token accesstoken refresh_token
 id_token client_secret clientsecret aws_access_key_id aws_secret_access_key aws_session_token secret_key session_token
 x-amz-signature x-amz-credential x-amz-security-token x-goog-signature x-goog-credential private_key_id databricks_token
 x-amz-algorithm x-api-key x-databricks-azure-sp-management-token pass pw secretkey secretaccesskey sessiontoken auth_token `

// plainKey reports whether the name of a secret or of something harmless may be
// shown: only names that are known.
func plainKey(name string) bool {
	if len(name) > maxName || name == "" {
		return false
	}
	if isClass(name, harmless|coded|parameter) {
		return true
	}
	for i := range len(name) {
		if c := name[i]; !isWord(c) && c != '-' {
			return false
		}
	}
	return containsWord(secretKeys, name)
}

// containsWord reports whether word is in a list of words between spaces or line
// ends, whatever its case.
func containsWord(list, word string) bool {
	for known := range strings.FieldsSeq(list) {
		if equalFold(known, word) {
			return true
		}
	}
	return false
}

// namesHeader reports whether name is that of a header whose whole line is secret.
func namesHeader(name string) bool {
	return equalFold(name, "authorization") || equalFold(name, "proxy-authorization") ||
		equalFold(name, "cookie") || equalFold(name, "set-cookie")
}

// harmlessValue reports whether the value of key may stay: a truth value, a constant,
// or a number where the protocol puts one.
func harmlessValue(key, v string) bool {
	if isPlaceholder(v) || isClass(v, boolean) {
		return true
	}
	if !isClass(key, coded) {
		return false
	}
	return knownConstant(v) || len(v) <= maxDigits && allDigits(v)
}
