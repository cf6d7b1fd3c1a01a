package engine

// The syntax tree. It is never changed after parsing: a view keeps its tree and several
// statements may bind it at the same time.

// expr is one of the expression nodes below.
type expr interface{}

type (
	// literal is a constant with its type. value is nil, bool, int64, float64, string (also for
	// decimals) or []byte; dates and timestamps are still text, because their meaning depends on
	// the session's time zone.
	literal struct {
		typ   Type
		value any
		text  string // as the column header shows it
	}
	nameRef struct {
		parts []string
		at    int
	}
	star struct {
		qualifier []string
		except    []string
		at        int
	}
	param struct {
		name  string // empty for ?
		index int    // counts the ? from zero
		at    int
	}
	unary struct {
		op string // - + ~ NOT
		x  expr
	}
	binary struct {
		op   string
		l, r expr
	}
	between struct {
		x, lo, hi expr
		not       bool
	}
	inList struct {
		x    expr
		list []expr
		not  bool
	}
	inQuery struct {
		x   expr
		q   *query
		not bool
	}
	// index is x[i], field is x.name.
	index struct {
		x, i expr
		at   int
	}
	field struct {
		x    expr
		name string
		at   int
	}
	// lambda is (a, b) -> body, an argument of functions that take one.
	lambda struct {
		params []string
		body   expr
		at     int
	}
	// aliased is x AS name, an argument of struct().
	aliased struct {
		x    expr
		name string
	}
	// row is (a, b): a struct as a value, and compared field by field.
	row      struct{ items []expr }
	exists   struct{ q *query }
	subquery struct{ q *query }
	like     struct {
		op         string // LIKE ILIKE RLIKE
		x, pattern expr
		escape     expr
		not        bool
	}
	// likeAny is LIKE ANY or, with all, LIKE ALL.
	likeAny struct {
		likes []*like
		all   bool
		not   bool
	}
	is struct {
		x     expr
		what  string // NULL TRUE FALSE DISTINCT
		other expr   // of IS DISTINCT FROM
		not   bool
	}
	caseExpr struct {
		operand expr
		whens   []when
		els     expr
	}
	when struct{ cond, then expr }
	cast struct {
		x   expr
		to  Type
		try bool
	}
	call struct {
		name     string // lower case
		args     []expr
		distinct bool
		star     bool // count(*)
		filter   expr
		within   []orderItem // WITHIN GROUP (ORDER BY ...)
		over     *window
		at       int
	}
	// interval is a number of months and microseconds; it exists only beside + and -.
	interval struct {
		x    expr
		unit string
		at   int
	}
)

type window struct {
	name      string // of a WINDOW clause
	partition []expr
	order     []orderItem
	frame     string // as SQLite reads it, already validated
}

type orderItem struct {
	x     expr
	all   bool // ALL: every column of the select list
	desc  bool
	nulls string // FIRST, LAST or empty
}

type query struct {
	with      []cte
	recursive bool
	body      queryBody
	order     []orderItem
	limit     expr
	offset    expr
}

type cte struct {
	name    string
	columns []string
	q       *query
	levels  int64 // MAX RECURSION LEVEL, or 0
	at      int
}

// queryBody is *selectCore, *setOp, *valuesList or *query (in parentheses).
type queryBody interface{}

type (
	selectCore struct {
		distinct bool
		items    []selectItem
		from     []relation
		where    expr
		group    []expr
		sets     [][]expr // of GROUPING SETS, ROLLUP and CUBE, else nil
		groupAll bool
		having   expr
		qualify  expr
		windows  map[string]*window
	}
	selectItem struct {
		x       expr
		alias   string
		aliases []string // AS (a, b), of a generator
	}
	setOp struct {
		op   string // UNION INTERSECT EXCEPT
		all  bool
		l, r *query
	}
	valuesList struct{ rows [][]expr }
)

// relation is *tableRel, *subRel, *rangeRel, *lateralRel or *joinRel.
type relation interface{}

type (
	tableRel struct {
		parts   []string
		alias   string
		columns []string
		at      int
	}
	subRel struct {
		q       *query
		alias   string
		columns []string
	}
	rangeRel struct {
		args    []expr
		alias   string
		columns []string
		at      int
	}
	// lateralRel is a generator over the columns to its left: LATERAL VIEW, or a table function.
	lateralRel struct {
		gen     *call
		outer   bool
		alias   string
		columns []string
	}
	joinRel struct {
		kind    string // INNER LEFT RIGHT FULL CROSS SEMI ANTI
		natural bool
		l, r    relation
		on      expr
		using   []string
	}
)

// statement is one of the statement nodes below or *query.
type statement interface{}

type columnDef struct {
	name     string
	typ      Type
	notNull  bool
	comment  string
	fallback expr // DEFAULT
}

type (
	createTable struct {
		parts       []string
		columns     []columnDef
		as          *query
		replace     bool
		ifNotExists bool
		comment     string
		format      string // of USING, upper case; empty for the default
		located     bool   // LOCATION names files, which may define the columns
	}
	createView struct {
		parts       []string
		columns     []string
		q           *query
		text        string // of the query
		replace     bool
		temporary   bool
		ifNotExists bool
		comment     string
	}
	createSchema struct {
		parts       []string
		ifNotExists bool
	}
	createCatalog struct {
		name        string
		ifNotExists bool
	}
	drop struct {
		kind     string // TABLE VIEW SCHEMA CATALOG
		parts    []string
		ifExists bool
		cascade  bool
	}
	alterTable struct {
		parts  []string
		action string // ADD, DROP, RENAME COLUMN, RENAME, NONE
		add    []columnDef
		from   string
		to     []string
	}
	truncate  struct{ parts []string }
	commentOn struct {
		kind  string // TABLE COLUMN SCHEMA CATALOG
		parts []string
		text  string
	}
	insert struct {
		parts     []string
		columns   []string
		byName    bool
		q         *query
		overwrite bool
	}
	update struct {
		parts []string
		alias string
		set   []assignment
		where expr
	}
	assignment struct {
		column []string
		value  expr // nil for DEFAULT
		at     int
	}
	deleteFrom struct {
		parts []string
		alias string
		where expr
	}
	merge struct {
		parts   []string
		alias   string
		source  relation
		on      expr
		clauses []mergeClause
	}
	mergeClause struct {
		kind    string // MATCHED, NOT MATCHED, NOT MATCHED BY SOURCE
		cond    expr
		action  string // UPDATE DELETE INSERT
		all     bool   // UPDATE SET * and INSERT *
		set     []assignment
		columns []string
		values  []expr
	}
	use struct {
		kind  string // CATALOG, SCHEMA or empty
		parts []string
	}
	set struct {
		key   string
		value string
		has   bool
	}
	reset struct{ key string }
	show  struct {
		kind    string // TABLES VIEWS SCHEMAS CATALOGS COLUMNS FUNCTIONS CREATE
		parts   []string
		pattern string
	}
	describe struct {
		parts    []string
		extended bool
		q        *query
	}
	explain struct{ stmt statement }
	// noOp is a statement that changes nothing here, such as OPTIMIZE or ANALYZE; the table
	// it names must still exist.
	noOp struct{ parts []string }
)

// defaultValue is the DEFAULT keyword in VALUES and SET.
type defaultValue struct{}
