package telemetry

// Maybe is a measurement that may not have been taken. Its zero value is unknown, which is different
// from zero: RowsRead is 0 for a statement that read no rows, and unknown for one whose rows were
// read as Arrow streams that the wrapper did not decode. Sinks leave out unknown values.
type Maybe[T any] struct {
	value T
	known bool
}

// Known returns a measurement that was taken.
func Known[T any](v T) Maybe[T] { return Maybe[T]{value: v, known: true} }

// Get returns the measurement and whether it was taken.
func (m Maybe[T]) Get() (T, bool) { return m.value, m.known }

// Or returns the measurement, or other if none was taken.
func (m Maybe[T]) Or(other T) T {
	if m.known {
		return m.value
	}
	return other
}
