package registry

// Scope says where a field may go.
type Scope uint8

// The scopes.
const (
	ScopeNone       Scope = 0
	ScopeLocal      Scope = 1 << 0 // to the application's own operators
	ScopeDatabricks Scope = 1 << 1 // may leave the process in the payload to Databricks
	ScopeBoth             = ScopeLocal | ScopeDatabricks
)

// String names the scope as the documentation does.
func (s Scope) String() string {
	switch s {
	case ScopeLocal:
		return "local"
	case ScopeDatabricks:
		return "Databricks"
	case ScopeBoth:
		return "both"
	}
	return "none"
}

// Field describes one fact about a record of type R: its name, unit, meaning and scope, its place in
// the payload, and how it is read and written.
type Field[R any] struct {
	// Name is the key in every sink. Durations end in _ms.
	Name string
	// Unit is "ms", "rows", "bool", ... or empty for names and ids.
	Unit string
	// Doc is one sentence.
	Doc string
	// Scope says where the field may go.
	Scope Scope
	// Payload says where in the payload to Databricks the field goes. It is the zero Payload unless
	// Scope includes ScopeDatabricks.
	Payload Payload
	access[R]
}
