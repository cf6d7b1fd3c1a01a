package workspace

import "testing"

// New starts a workspace for a test and closes it when the test ends.
func New(t testing.TB, opts Options) *Workspace {
	t.Helper()
	w, err := Start(opts)
	if err != nil {
		t.Fatalf("start workspace: %v", err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close workspace: %v", err)
		}
	})
	return w
}
