package main

import (
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// millis is a duration that is written to JSON in ms with microsecond precision, as in NDJSON.
type millis time.Duration

// MarshalJSON writes a number.
func (d millis) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(d).Microseconds())/1000, 'f', -1, 64), nil
}

// printJSON writes a document on one line.
func printJSON(w io.Writer, document any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(document)
}
