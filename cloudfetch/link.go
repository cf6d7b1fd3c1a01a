package cloudfetch

import (
	"bytes"
	"hash/maphash"
	"net/url"
)

// link is one TSparkArrowResultLink, without its URL.
type link struct {
	key         linkKey
	canonical   bool // see isCanonical: a request for the link can be recognized
	rows, bytes int64
}

// maxLink bounds the length of a link that is read, in bytes. Servers refuse requests of that length.
// The file of a longer link is untracked.
const maxLink = 16 << 10

// linkKey is a keyed hash of a presigned URL: 128 bits under two random keys, which are chosen when
// the process starts and never leave it. The URL is a secret and is not kept after it is read.
type linkKey [2]uint64

var linkSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashLink(text []byte) linkKey {
	return linkKey{maphash.Bytes(linkSeeds[0], text), maphash.Bytes(linkSeeds[1], text)}
}

// keyOf hashes a parsed URL in the form that net/url writes. It reports false for a URL that no
// registered link can have.
func keyOf(u *url.URL) (linkKey, bool) {
	if u == nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Host == "" {
		return linkKey{}, false
	}
	text := make([]byte, 0, 2<<10) // enough for most URLs, on the stack
	text = append(text, u.Scheme...)
	text = append(text, "://"...)
	text = append(text, u.Host...)
	text = append(text, u.EscapedPath()...)
	if u.ForceQuery || u.RawQuery != "" {
		text = append(text, '?')
		text = append(text, u.RawQuery...)
	}
	return hashLink(text), true
}

// The bytes that net/url does not change in a URL.
const (
	digits         = "0123456789"
	hexDigits      = digits + "abcdefABCDEF"
	authorityBytes = digits + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._"
	pathBytes      = authorityBytes + "~$&+,/:;=@!'()*[]"
)

// isCanonical reports whether net/url parses a link and writes it again as the same bytes. A request
// for a link that is not canonical cannot be recognized, so its file is untracked; otherwise it would
// seem that the file was never downloaded.
func isCanonical(link []byte) bool {
	rest, found := bytes.CutPrefix(link, []byte("https://"))
	if !found {
		if rest, found = bytes.CutPrefix(link, []byte("http://")); !found {
			return false
		}
	}
	address, query, _ := bytes.Cut(rest, []byte("?"))
	authority, path := address, []byte(nil)
	if slash := bytes.IndexByte(address, '/'); slash >= 0 {
		authority, path = address[:slash], address[slash:]
	}
	host, port, hasPort := bytes.Cut(authority, []byte(":"))
	return consistsOf(host, authorityBytes) && (!hasPort || consistsOf(port, digits)) && isCanonicalPath(path) &&
		bytes.IndexByte(query, '#') < 0 // begins a fragment
}

// isCanonicalPath is isCanonical for a path, which may be empty.
func isCanonicalPath(path []byte) bool {
	path = bytes.TrimLeft(path, pathBytes)
	for len(path) >= 3 && path[0] == '%' && consistsOf(path[1:3], hexDigits) {
		path = bytes.TrimLeft(path[3:], pathBytes)
	}
	return len(path) == 0
}

// consistsOf reports whether a text is not empty and has only allowed bytes.
func consistsOf(text []byte, allowed string) bool {
	return len(text) > 0 && len(bytes.TrimLeft(text, allowed)) == 0
}
