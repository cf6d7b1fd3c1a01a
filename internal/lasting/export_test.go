package lasting

// Len returns the number of states.
func (s *States[S]) Len() int { return len(s.all) }
