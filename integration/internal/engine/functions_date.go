package engine

import (
	"fmt"
	"strings"
)

func (t functionTable) addDates() {
	d, ts, s, n, l := typeDate, typeTimestamp, typeString, typeInt, typeBigInt
	t.add("current_timestamp now localtimestamp", 0, 0, func(b *binder, _ []bound) bound {
		return unnamed(b.constant(b.now.UnixMicro(), ts))
	})
	t.add("current_date curdate", 0, 0, func(b *binder, _ []bound) bound {
		return unnamed(b.constant(dayOf(b.now.In(b.loc)), d))
	})
	t.add("date_add dateadd", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: "(" + b.coerce(args[0], d).sql + " + " + b.coerce(args[1], n).sql + ")", typ: d}
	})
	t.add("date_sub", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: "(" + b.coerce(args[0], d).sql + " - " + b.coerce(args[1], n).sql + ")", typ: d}
	})
	t.add("datediff date_diff", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: "(" + b.coerce(args[0], d).sql + " - " + b.coerce(args[1], d).sql + ")", typ: n}
	})
	t.add("timestampadd timestampdiff", 3, 3, func(*binder, []bound) bound {
		fail(failure("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", "The value of parameter(s) `unit` is invalid: expects one of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND."))
		return bound{}
	})
	t.add("add_months", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: fmt.Sprintf("dbx_shift(%s,%s,'MONTH',1,%d,'UTC')", b.coerce(args[0], d).sql, b.coerce(args[1], typeDouble).sql, d.code()), typ: d}
	})
	t.plain("last_day", 1, 1, d, "dbx_last_day", d)
	t.plain("make_date", 3, 3, d, "dbx_make_date", n)
	for _, part := range strings.Fields("year quarter month day dayofmonth dayofweek weekday dayofyear week weekofyear") {
		t.add(part, 1, 1, func(b *binder, args []bound) bound {
			return bound{sql: "dbx_part('" + part + "'," + b.coerce(args[0], d).sql + "*86400000000,'UTC')", typ: n}
		})
	}
	for _, part := range strings.Fields("hour minute second") {
		t.add(part, 1, 1, func(b *binder, args []bound) bound {
			return bound{sql: "dbx_part('" + part + "'," + b.coerce(args[0], ts).sql + "," + constantText(b.zone) + ")", typ: n}
		})
	}
	t.add("date_format", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: "dbx_date_format(" + b.list(args, []Type{ts, s}) + "," + constantText(b.zone) + ")", typ: s}
	})
	t.add("to_date", 1, 2, func(b *binder, args []bound) bound {
		if len(args) == 1 {
			return unnamed(b.coerce(args[0], d))
		}
		return bound{sql: "dbx_divide('floor',dbx_parse_time(" + b.list(args, []Type{s}) + ",'UTC'),86400000000)", typ: d}
	})
	t.add("to_timestamp", 1, 2, func(b *binder, args []bound) bound {
		if len(args) == 1 {
			return unnamed(b.coerce(args[0], ts))
		}
		return bound{sql: "dbx_parse_time(" + b.list(args, []Type{s}) + "," + constantText(b.zone) + ")", typ: ts}
	})
	t.add("date_trunc", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: "dbx_truncate(" + b.list(args, []Type{s, ts}) + "," + constantText(b.zone) + ")", typ: ts}
	})
	t.add("trunc", 2, 2, func(b *binder, args []bound) bound {
		day := b.coerce(args[0], d)
		return bound{sql: "dbx_truncate_date(" + b.coerce(args[1], s).sql + "," + day.sql + "*86400000000)/86400000000", typ: d}
	})
	t.add("unix_timestamp to_unix_timestamp", 0, 2, func(b *binder, args []bound) bound {
		switch {
		case len(args) == 0:
			return unnamed(b.constant(b.now.Unix(), l))
		case len(args) == 2 && args[0].typ.ID == String:
			return bound{sql: "dbx_divide('floor',dbx_parse_time(" + b.list(args, []Type{s}) + "," + constantText(b.zone) + "),1000000)", typ: l}
		}
		return bound{sql: "dbx_divide('floor'," + b.coerce(args[0], ts).sql + ",1000000)", typ: l}
	})
	t.add("from_unixtime", 1, 2, func(b *binder, args []bound) bound {
		format := "'yyyy-MM-dd HH:mm:ss'"
		if len(args) == 2 {
			format = b.coerce(args[1], s).sql
		}
		return bound{sql: "dbx_date_format(" + b.coerce(args[0], l).sql + "*1000000," + format + "," + constantText(b.zone) + ")", typ: s}
	})
	for name, micros := range map[string]string{"micros": "1", "millis": "1000", "seconds": "1000000"} {
		t.add("unix_"+name, 1, 1, func(b *binder, args []bound) bound {
			return bound{sql: "dbx_divide('floor'," + b.coerce(args[0], ts).sql + "," + micros + ")", typ: l}
		})
		t.add("timestamp_"+name, 1, 1, func(b *binder, args []bound) bound {
			if name == "seconds" && !args[0].typ.isInteger() { // with a fraction
				return unnamed(b.convert(b.numeric("timestamp_seconds", args[0]), ts, false))
			}
			return bound{sql: "(" + b.coerce(args[0], l).sql + "*" + micros + ")", typ: ts}
		})
	}
}
