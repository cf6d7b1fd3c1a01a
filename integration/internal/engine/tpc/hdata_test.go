package tpc

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// The tables of TPC-H. Amounts are cents; rates are hundredths; dates are ISO text.
type (
	nation struct {
		key, region int
		name        string
	}
	supplier struct {
		key, nation int
		name, addr  string
		phone       string
		balance     int64
		comment     string
	}
	customer struct {
		key, nation       int
		name, addr, phone string
		balance           int64
		segment, comment  string
	}
	part struct {
		key                    int
		name, mfgr, brand, typ string
		size                   int
		container              string
		price                  int64
	}
	partsupp struct {
		part, supplier, available int
		cost                      int64
	}
	order struct {
		key, customer  int
		status         string
		total          int64
		date, priority string
		clerk, comment string
	}
	lineitem struct {
		order, part, supplier, line int
		quantity                    int64 // whole units
		price, discount, tax        int64
		flag, status                string
		ship, commit, receipt       string
		instruct, mode              string
	}
)

type hData struct {
	regions   []string
	nations   []nation
	suppliers []supplier
	customers []customer
	parts     []part
	partsupps []partsupp
	orders    []order
	lines     []lineitem
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func isoDay(days int) string {
	return time.Date(1992, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days).Format(time.DateOnly)
}

// makeH makes the data. Domains are narrower than the benchmark's, so that every predicate selects some
// of the few rows.
func makeH() *hData {
	r := rand.New(rand.NewPCG(19, 92))
	d := &hData{regions: strings.Fields("AFRICA AMERICA ASIA EUROPE MIDDLE_EAST")}
	d.regions[4] = "MIDDLE EAST"
	for i, n := range []struct {
		name   string
		region int
	}{
		{"ALGERIA", 0}, {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1}, {"EGYPT", 4}, {"FRANCE", 3}, {"GERMANY", 3}, {"INDIA", 2}, {"SAUDI ARABIA", 4}, {"UNITED KINGDOM", 3},
	} {
		d.nations = append(d.nations, nation{i, n.region, n.name})
	}
	for i := range 24 {
		n := i % len(d.nations)
		comment := "quick deposits"
		if i%7 == 3 {
			comment = "wake Customer slow Complaints"
		}
		d.suppliers = append(d.suppliers, supplier{i + 1, n, fmt.Sprintf("Supplier#%03d", i+1), fmt.Sprintf("addr %d", i), phone(r, n), int64(r.IntN(1_000_000)) - 100_000, comment})
	}
	for i := range 60 {
		n := r.IntN(len(d.nations))
		d.customers = append(d.customers, customer{i + 1, n, fmt.Sprintf("Customer#%03d", i+1), fmt.Sprintf("street %d", i), phone(r, n), int64(r.IntN(1_000_000)) - 100_000,
			pick(r, "AUTOMOBILE", "BUILDING", "MACHINERY"), "regular"})
	}
	for i := range 60 {
		d.parts = append(d.parts, part{i + 1, pick(r, "forest", "lemon", "green", "ivory") + " " + pick(r, "chiffon", "green", "puff"), "Manufacturer#" + pick(r, "1", "2"),
			pick(r, "Brand#12", "Brand#23", "Brand#34", "Brand#45"), pick(r, "ECONOMY", "MEDIUM", "PROMO") + " " + pick(r, "POLISHED", "ANODIZED") + " " + pick(r, "BRASS", "STEEL"),
			pick(r, 3, 9, 14, 15, 23), pick(r, "SM CASE", "MED BOX", "LG BOX", "MED BAG"), int64(90_000 + r.IntN(20_000))})
		for k := range 4 {
			d.partsupps = append(d.partsupps, partsupp{i + 1, (i*5+k*7)%24 + 1, r.IntN(60), int64(100 + r.IntN(90_000))})
		}
	}
	d.makeOrders(r)
	return d
}

func phone(r *rand.Rand, nation int) string {
	return fmt.Sprintf("%d-%03d-%04d", 10+nation*3, r.IntN(1000), r.IntN(10_000))
}

func (d *hData) makeOrders(r *rand.Rand) {
	for i := range 350 {
		day := r.IntN(2400)
		o := order{key: i*3 + 1, customer: r.IntN(40) + 1, date: isoDay(day), priority: pick(r, "1-URGENT", "2-HIGH", "3-MEDIUM", "5-LOW"), clerk: "Clerk#1",
			comment: pick(r, "nothing", "handle special big requests", "special care")}
		open := 0
		n := 1 + r.IntN(5)
		for k := range n {
			at := r.IntN(len(d.partsupps))
			ship := day + 1 + r.IntN(120)
			l := lineitem{order: o.key, part: d.partsupps[at].part, supplier: d.partsupps[at].supplier, line: k + 1, quantity: int64(1 + r.IntN(50)),
				discount: int64(r.IntN(11)), tax: int64(r.IntN(9)), ship: isoDay(ship), commit: isoDay(day + 30 + r.IntN(60)), receipt: isoDay(ship + 1 + r.IntN(30)),
				instruct: pick(r, "DELIVER IN PERSON", "NONE"), mode: pick(r, "MAIL", "SHIP", "AIR", "REG AIR")}
			l.price = l.quantity * d.parts[l.part-1].price
			l.flag, l.status = pick(r, "R", "A"), "F"
			if l.ship > "1995-06-17" {
				l.flag, l.status = "N", "O"
				open++
			}
			o.total += l.price
			d.lines = append(d.lines, l)
		}
		o.status = map[bool]string{true: "F", false: "P"}[open == 0]
		if open == n {
			o.status = "O"
		}
		d.orders = append(d.orders, o)
	}
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, abs(cents%100)) }

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// signed is money with the sign of amounts between zero and one kept.
func signed(cents int64) string {
	if cents < 0 {
		return "-" + money(-cents)
	}
	return money(cents)
}

// statements create and fill the tables.
func (d *hData) statements() []string {
	out := []string{
		"CREATE TABLE region (r_regionkey BIGINT, r_name STRING, r_comment STRING)",
		"CREATE TABLE nation (n_nationkey BIGINT, n_name STRING, n_regionkey BIGINT, n_comment STRING)",
		"CREATE TABLE supplier (s_suppkey BIGINT, s_name STRING, s_address STRING, s_nationkey BIGINT, s_phone STRING, s_acctbal DECIMAL(15,2), s_comment STRING)",
		"CREATE TABLE customer (c_custkey BIGINT, c_name STRING, c_address STRING, c_nationkey BIGINT, c_phone STRING, c_acctbal DECIMAL(15,2), c_mktsegment STRING, c_comment STRING)",
		"CREATE TABLE part (p_partkey BIGINT, p_name STRING, p_mfgr STRING, p_brand STRING, p_type STRING, p_size INT, p_container STRING, p_retailprice DECIMAL(15,2), p_comment STRING)",
		"CREATE TABLE partsupp (ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INT, ps_supplycost DECIMAL(15,2), ps_comment STRING)",
		"CREATE TABLE orders (o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus STRING, o_totalprice DECIMAL(15,2), o_orderdate DATE, o_orderpriority STRING, o_clerk STRING, o_shippriority INT, o_comment STRING)",
		"CREATE TABLE lineitem (l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INT, l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag STRING, l_linestatus STRING, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct STRING, l_shipmode STRING, l_comment STRING)",
	}
	var rows []string
	flush := func(table string) {
		for len(rows) > 0 {
			n := min(len(rows), 500)
			out = append(out, "INSERT INTO "+table+" VALUES "+strings.Join(rows[:n], ","))
			rows = rows[n:]
		}
	}
	add := func(format string, args ...any) { rows = append(rows, fmt.Sprintf(format, args...)) }
	for i, name := range d.regions {
		add("(%d,'%s','')", i, name)
	}
	flush("region")
	for _, n := range d.nations {
		add("(%d,'%s',%d,'')", n.key, n.name, n.region)
	}
	flush("nation")
	for _, s := range d.suppliers {
		add("(%d,'%s','%s',%d,'%s',%s,'%s')", s.key, s.name, s.addr, s.nation, s.phone, signed(s.balance), s.comment)
	}
	flush("supplier")
	for _, c := range d.customers {
		add("(%d,'%s','%s',%d,'%s',%s,'%s','%s')", c.key, c.name, c.addr, c.nation, c.phone, signed(c.balance), c.segment, c.comment)
	}
	flush("customer")
	for _, p := range d.parts {
		add("(%d,'%s','%s','%s','%s',%d,'%s',%s,'')", p.key, p.name, p.mfgr, p.brand, p.typ, p.size, p.container, money(p.price))
	}
	flush("part")
	for _, p := range d.partsupps {
		add("(%d,%d,%d,%s,'')", p.part, p.supplier, p.available, money(p.cost))
	}
	flush("partsupp")
	for _, o := range d.orders {
		add("(%d,%d,'%s',%s,'%s','%s','%s',0,'%s')", o.key, o.customer, o.status, money(o.total), o.date, o.priority, o.clerk, o.comment)
	}
	flush("orders")
	for _, l := range d.lines {
		add("(%d,%d,%d,%d,%d,%s,%s,%s,'%s','%s','%s','%s','%s','%s','%s','')", l.order, l.part, l.supplier, l.line, l.quantity, money(l.price), money(l.discount), money(l.tax),
			l.flag, l.status, l.ship, l.commit, l.receipt, l.instruct, l.mode)
	}
	flush("lineitem")
	return out
}
