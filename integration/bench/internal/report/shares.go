package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// sharesFile holds the shares, beside the files of the variants.
const sharesFile = "profile.csv"

var sharesHead = []string{"variant", "part", "ns", "ns-allocating"}

func (r *Results) writeShares(dir string) (err error) {
	f, err := os.Create(filepath.Join(dir, sharesFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := csv.NewWriter(f)
	rows := [][]string{sharesHead}
	for _, s := range r.Shares {
		rows = append(rows, []string{s.Variant, s.Part, strconv.FormatFloat(s.Time, 'f', 1, 64), strconv.FormatFloat(s.Memory, 'f', 1, 64)})
	}
	return out.WriteAll(rows)
}

func (r *Results) readShares(dir string) error {
	f, err := os.Open(filepath.Join(dir, sharesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	in := csv.NewReader(f)
	in.FieldsPerRecord = len(sharesHead)
	rows, err := in.ReadAll()
	if err != nil {
		return err
	}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		time, err1 := strconv.ParseFloat(row[2], 64)
		memory, err2 := strconv.ParseFloat(row[3], 64)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("%s, line %d: %w", sharesFile, i+1, err)
		}
		if partIndex(row[1]) < 0 {
			return fmt.Errorf("%s, line %d: there is no part %q", sharesFile, i+1, row[1])
		}
		r.Shares = append(r.Shares, Share{Variant: row[0], Part: row[1], Time: time, Memory: memory})
	}
	return nil
}

// share returns what a part took of a variant's time.
func (r *Results) share(variant, part string) Share {
	if i := r.shareIndex(variant, part); i >= 0 {
		return r.Shares[i]
	}
	return Share{}
}

// shareTable says what a statement's time was spent on: a row for each part, a column for
// each variant.
func (r *Results) shareTable(d *document) {
	if len(r.Shares) == 0 {
		return
	}
	d.linef("## Where the time goes")
	d.linef("")
	d.linef("%s", aboutShares)
	d.linef("")
	head := []string{"part"}
	var variants []string
	for _, v := range r.Variants {
		if slices.ContainsFunc(r.Shares, func(s Share) bool { return s.Variant == v }) {
			variants = append(variants, v)
			head = append(head, ">"+variantTitle(v), ">of it memory")
		}
	}
	d.head(head...)
	sums := make([]Share, len(variants))
	for _, part := range aboutParts {
		row := []string{part.text}
		for i, v := range variants {
			s := r.share(v, part.title)
			sums[i].Time += s.Time
			sums[i].Memory += s.Memory
			row = append(row, microseconds(s.Time), microseconds(s.Memory))
		}
		d.row(row...)
	}
	row := []string{"together"}
	for _, s := range sums {
		row = append(row, microseconds(s.Time), microseconds(s.Memory))
	}
	d.row(row...)
	d.linef("")
	least := 0.0
	for _, part := range indispensable {
		least += r.share("ours-local", part).Time
	}
	d.linef(meaningOfShares, microseconds(least))
	d.linef("")
}

// microseconds writes nanoseconds so that a column adds up; zero is empty.
func microseconds(ns float64) string {
	if ns == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f µs", ns/1000)
}
