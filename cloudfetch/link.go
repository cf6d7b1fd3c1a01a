package cloudfetch

import (
	"bytes"
	"hash/maphash"
	"net/url"
)

// link is one TSparkArrowResultLink, without its URL.
type link struct {
	key         linkKey
	canonical   bool // as canonicalURL says: a request for the link can be recognized
	rows, bytes int64
}

// linkKey is a keyed hash of a presigned URL: 128 bits under two keys that are drawn
// when the process starts and never leave it. The URL itself is a secret and is
// never kept.
type linkKey [2]uint64

var linkSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// linkHash hashes a URL piece by piece.
type linkHash [2]maphash.Hash

func (h *linkHash) reset() {
	h[0].SetSeed(linkSeeds[0])
	h[1].SetSeed(linkSeeds[1])
}

func (h *linkHash) write(p []byte) {
	_, _ = h[0].Write(p)
	_, _ = h[1].Write(p)
}

func (h *linkHash) writeString(s string) {
	_, _ = h[0].WriteString(s)
	_, _ = h[1].WriteString(s)
}

func (h *linkHash) key() linkKey { return linkKey{h[0].Sum64(), h[1].Sum64()} }

// keyOf hashes a parsed URL as net/url writes it. It reports false for a URL that no registered
// link can have.
func keyOf(u *url.URL) (linkKey, bool) {
	if u == nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Host == "" {
		return linkKey{}, false
	}
	var h linkHash
	h.reset()
	h.writeString(u.Scheme)
	h.writeString("://")
	h.writeString(u.Host)
	h.writeString(u.EscapedPath())
	if u.ForceQuery || u.RawQuery != "" {
		h.writeString("?")
		h.writeString(u.RawQuery)
	}
	return h.key(), true
}

// canonicalURL reads a link byte by byte, and says whether parsing the link and writing it
// again gives the same bytes. The request for a link that is not canonical
// cannot be recognized, and its file is untracked instead of never downloaded.
type canonicalURL struct {
	part  uint8 // inScheme to notCanonical
	n     uint8 // position in the scheme; 1 after a byte of the authority; hex digits due in the path
	colon bool  // the authority had its colon
}

const (
	inScheme = iota
	inAuthority
	inPath
	inQuery
	notCanonical
)

const (
	authorityByte = 1 << iota
	pathByte
	hexByte
)

var linkBytesAllowed = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = authorityByte | pathByte | hexByte
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] = authorityByte | pathByte
		t[c-'a'+'A'] = authorityByte | pathByte
	}
	for _, c := range "abcdefABCDEF" {
		t[c] |= hexByte
	}
	for _, c := range "-._" {
		t[c] = authorityByte | pathByte
	}
	// What net/url does not escape in a path.
	for _, c := range "~$&+,/:;=@!'()*[]" {
		t[c] = pathByte
	}
	return t
}()

func (s *canonicalURL) write(p []byte) {
	const schemes = "https://"
	for i, c := range p {
		switch s.part {
		case inScheme:
			switch {
			case s.n == 4 && c == ':': // http
				s.n = 6
			case c == schemes[s.n]:
				if s.n++; int(s.n) == len(schemes) {
					s.part, s.n = inAuthority, 0
				}
			default:
				s.part = notCanonical
			}
		case inAuthority:
			switch {
			case linkBytesAllowed[c]&authorityByte != 0 && (!s.colon || c >= '0' && c <= '9'):
				s.n = 1
			case s.n == 0: // an empty host or port
				s.part = notCanonical
			case c == ':' && !s.colon:
				s.colon, s.n = true, 0
			case c == '/':
				s.part, s.n = inPath, 0
			case c == '?':
				s.part = inQuery
			default:
				s.part = notCanonical
			}
		case inPath:
			switch {
			case s.n > 0:
				if s.n--; linkBytesAllowed[c]&hexByte == 0 {
					s.part = notCanonical
				}
			case linkBytesAllowed[c]&pathByte != 0:
			case c == '%':
				s.n = 2
			case c == '?':
				s.part = inQuery
			default:
				s.part = notCanonical
			}
		case inQuery:
			// Kept as it is by net/url, but for a fragment.
			if bytes.IndexByte(p[i:], '#') >= 0 {
				s.part = notCanonical
			}
			return
		default:
			return
		}
	}
}

// canonical reports whether a request for the link will have the same bytes.
func (s *canonicalURL) canonical() bool {
	switch s.part {
	case inAuthority:
		return s.n == 1
	case inPath:
		return s.n == 0
	}
	return s.part == inQuery
}
