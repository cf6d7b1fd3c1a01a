package queue

// pieceSize is the number of items in one allocation. A short queue keeps one piece.
const pieceSize = 32

// list is a double-ended list in pieces. Growing never copies items. Empty pieces are released,
// except for one spare.
type list[T any] struct {
	head, tail *piece[T] // nil before the first item
	from, to   int       // first item in head; end of the items in tail
	n          int
	spare      *piece[T]
}

type piece[T any] struct {
	items [pieceSize]T
	next  *piece[T]
}

// front returns the first item, or nil if there is none.
func (l *list[T]) front() *T {
	if l.n == 0 {
		return nil
	}
	return &l.head.items[l.from]
}

// extend adds an item at the end, to be filled in place.
func (l *list[T]) extend() *T {
	switch {
	case l.head == nil:
		l.head = l.newPiece()
		l.tail = l.head
	case l.to == pieceSize:
		l.tail.next = l.newPiece()
		l.tail, l.to = l.tail.next, 0
	}
	l.to++
	l.n++
	return &l.tail.items[l.to-1]
}

func (l *list[T]) pushFront(v T) {
	if l.n == 0 {
		*l.extend() = v
		return
	}
	if l.from == 0 {
		p := l.newPiece()
		p.next, l.head, l.from = l.head, p, pieceSize
	}
	l.from--
	l.head.items[l.from] = v
	l.n++
}

// dropFront removes the first item; there must be one.
func (l *list[T]) dropFront() {
	var none T
	l.head.items[l.from] = none // releases the memory of the item
	l.from++
	l.n--
	switch {
	case l.n == 0:
		l.from, l.to = 0, 0
	case l.from == pieceSize:
		empty := l.head
		l.head, l.from = empty.next, 0
		empty.next, l.spare = nil, empty
	}
}

func (l *list[T]) newPiece() *piece[T] {
	if p := l.spare; p != nil {
		l.spare = nil
		return p
	}
	return new(piece[T])
}
