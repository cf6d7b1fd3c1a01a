// Package explain says why a statement took as long as it did: in a sentence with what to
// try ([Of]), and as bars over time ([TimelineOf]) that the debug page draws as a picture and
// dbtel as characters. Both are computed from the record alone, and say nothing that is not
// in it: what a record does not tell apart stays together under one name.
package explain
