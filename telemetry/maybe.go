package telemetry

// Maybe is a measurement that may not have been taken. Its zero value is unknown, which is
// not the same as zero: a statement that read no rows has RowsRead 0, one whose rows were
// read as Arrow streams that the wrapper did not decode has RowsRead unknown. Sinks leave out
// what is unknown.
type Maybe[T any] struct {
	value T
	known bool
}

// Known is a measurement that was taken.
func Known[T any](v T) Maybe[T] { return Maybe[T]{value: v, known: true} }

// Get returns the measurement and whether it was taken.
func (m Maybe[T]) Get() (T, bool) { return m.value, m.known }

// Or returns the measurement, or other where none was taken.
func (m Maybe[T]) Or(other T) T {
	if m.known {
		return m.value
	}
	return other
}
