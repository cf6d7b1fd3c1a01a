package workspace

import "time"

// Held is what a workspace holds in memory for its clients.
type Held struct {
	Sessions, Operations, Links int
	ResultBytes, FileBytes      int64 // of open operations; behind links
}

// Held counts.
func (w *Workspace) Held() (h Held) {
	h.Sessions = len(w.sessions.all())
	for _, o := range w.sessions.finished() {
		h.ResultBytes += o.heldBytes()
	}
	w.sessions.mu.Lock()
	h.Operations = len(w.sessions.operations)
	w.sessions.mu.Unlock()
	w.objects.mu.Lock()
	defer w.objects.mu.Unlock()
	h.Links = len(w.objects.links)
	for _, set := range w.objects.sets {
		h.FileBytes += set.bytes()
	}
	return h
}

// Sweep removes everything that has outlived its lifetime at the given time.
func (w *Workspace) Sweep(at time.Time) { w.sweep(at) }

// Tokens is how many bearer tokens are known.
func (w *Workspace) Tokens() int {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	return len(w.auth.tokens)
}
