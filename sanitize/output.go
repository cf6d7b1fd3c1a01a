package sanitize

import (
	"strings"
	"unicode/utf8"
)

const (
	ellipsis = "…"
	// roomBytes holds any result without growing: no rune in it has more than
	// three bytes.
	roomBytes = 3 * MaxRunes
	// maxPunctuation is how much of a run of punctuation is kept: rulers like
	// "-----^^^" say nothing and would eat the bound.
	maxPunctuation = 3
)

// An output is what a scanner lets through. It is an array, not a slice, so that it
// stays on the stack.
type output struct {
	room       [roomBytes]byte
	size       int // bytes used
	runes      int
	last       byte // last byte emitted
	space      bool // a space is due before the next piece
	full       bool // the bound is exceeded
	mark       int  // size where it may be cut
	markNested bool // the cut is within a nested text
}

// emit appends a piece, after the space that was held back.
func (o *output) emit(piece string) {
	if o.full || piece == "" {
		return
	}
	space := 0
	if o.space && o.size > 0 {
		space = 1
	}
	o.space = false
	runes := utf8.RuneCountInString(piece)
	if o.runes+space+runes > MaxRunes || o.size+space+len(piece) > len(o.room) {
		o.full = true
		return
	}
	if space > 0 {
		o.room[o.size] = ' '
		o.size++
	}
	o.size += copy(o.room[o.size:], piece)
	o.runes += space + runes
	o.last = piece[len(piece)-1]
}

// cut marks the end of a token: a place where the output may be cut. It must leave
// room for the ellipsis and for the quote of a nested text.
func (o *output) cut(nested bool) {
	if !o.full && o.runes <= MaxRunes-2 {
		o.mark, o.markNested = o.size, nested
	}
}

// finish cuts what did not fit.
func (o *output) finish() []byte {
	if o.full {
		o.size = o.mark
		o.size += copy(o.room[o.size:], ellipsis)
		if o.markNested {
			o.size += copy(o.room[o.size:], `"`)
		}
	}
	return o.room[:o.size]
}

// punctuation emits a run of punctuation, shortened.
func (o *output) punctuation(run string) {
	if strings.HasPrefix(run, ellipsis) {
		o.emit(ellipsis)
		return
	}
	o.emit(run[:min(len(run), maxPunctuation)])
}
