"""Random queries over the TPC-H tables, each in Waterbear's and in DuckDB's SQL.

Where the dialects differ (integer division, NULL ordering, split_part beyond the last part, substring from before the
first character, count_if of nothing) the two texts differ so that the answers agree. Answers that may differ a little
(sums of doubles, averages of decimals, which DuckDB computes as doubles) are marked `loose` and are used only as
outputs.
"""
import datetime
import math
import random


def table(text):
    return [tuple(word.split(":")) if ":" in word else (word, "str") for word in text.split()]


TABLES = {
    "region": table("r_regionkey:big r_name r_comment"),
    "nation": table("n_nationkey:big n_name n_regionkey:big n_comment"),
    "supplier": table("s_suppkey:big s_name s_address s_nationkey:big s_phone s_acctbal:amount s_comment"),
    "customer": table("c_custkey:big c_name c_address c_nationkey:big c_phone c_acctbal:amount c_mktsegment c_comment"),
    "part": table("p_partkey:big p_name p_mfgr p_brand p_type p_size:int p_container p_retailprice:amount p_comment"),
    "partsupp": table("ps_partkey:big ps_suppkey:big ps_availqty:int ps_supplycost:amount ps_comment"),
    "orders": table("o_orderkey:big o_custkey:big o_orderstatus o_totalprice:amount o_orderdate:date o_orderpriority "
                    "o_clerk o_shippriority:int o_comment"),
    "lineitem": table("l_orderkey:big l_partkey:big l_suppkey:big l_linenumber:int l_quantity:amount "
                      "l_extendedprice:amount l_discount:amount l_tax:amount l_returnflag l_linestatus l_shipdate:date "
                      "l_commitdate:date l_receiptdate:date l_shipinstruct l_shipmode l_comment"),
}
# Columns of one domain may be joined without the result growing beyond all bounds.
DOMAINS = [
    ["r_regionkey", "n_regionkey"], ["n_nationkey", "s_nationkey", "c_nationkey"],
    ["s_suppkey", "ps_suppkey", "l_suppkey"], ["c_custkey", "o_custkey"], ["p_partkey", "ps_partkey", "l_partkey"],
    ["o_orderkey", "l_orderkey"],
]
DOMAIN = {column: index for index, domain in enumerate(DOMAINS) for column in domain}
BIG_TABLES = {"lineitem", "orders", "partsupp"}
WORDS = ["final", "special", "requests", "furiously", "carefully", "Clerk#0000000", "BRASS", "green", "AIR", "1-URGENT",
         "express", "the", "Brand#2", "BUILDING", "regular", "sly", "RETURN", "F", "O", "MED", "", "e", "%", "_"]


class SQL:
    """A piece of SQL in both dialects, with its type: ('int',) ('big',) ('dec', p, s) ('dbl',) ('str',) ('date',)
    ('bool',). Answers of `loose` expressions may differ by that much. `domain` names the keys it is one of."""

    def __init__(self, w, d, t, loose=None, domain=None):
        self.w, self.d, self.t, self.loose, self.domain = w, d, t, loose, domain


def both(text, t, *parts, loose=None):
    """SQL that reads alike in both dialects; {0}, {1} are the parts."""
    return SQL(text.format(*[p.w for p in parts]), text.format(*[p.d for p in parts]), t, loose)


def apart(w, d, t, *parts, loose=None):
    """SQL whose spelling differs."""
    return SQL(w.format(*[p.w for p in parts]), d.format(*[p.d for p in parts]), t, loose)


BOOL, BIG, INT, DBL, STR, DATE = ("bool",), ("big",), ("int",), ("dbl",), ("str",), ("date",)
NUMBERS = ("int", "big", "dec", "dbl")


class Relation:
    """Something to select from: FROM-clause text in both dialects and its columns, as SQL that names them."""

    def __init__(self, w, d, columns, is_small=False):
        self.w, self.d, self.columns, self.is_small = w, d, columns, is_small


class Generator:
    def __init__(self, seed, schema):
        self.random = random.Random(seed)
        self.schema = schema
        self.doubles = self.random.random() < 0.2
        self.aliases = 0

    # -- choices

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, items):
        return self.random.choice(list(items))

    def number(self, low, high):
        return self.random.randint(low, high)

    def alias(self, prefix="t"):
        self.aliases += 1
        return f"{prefix}{self.aliases}"

    # -- expressions

    def literal(self, t):
        kind = t[0]
        if self.chance(0.03):
            name = {"int": "INTEGER", "big": "BIGINT", "dec": "DECIMAL(12,2)", "dbl": "DOUBLE", "str": "VARCHAR",
                    "date": "DATE", "bool": "BOOLEAN"}[kind]
            return both(f"CAST(NULL AS {name})", ("dec", 12, 2) if kind == "dec" else t)
        if kind in ("int", "big"):
            return both(str(self.pick([0, 1, 2, 3, 7, 10, 24, 100, 1000, 4999, self.number(1, 20000)])), t)
        if kind == "dec":
            text = f"{self.pick([0, 1, 5, 42, 999, self.number(0, 200000)])}.{self.number(0, 99):02}"
            return both(text, ("dec", len(text) - 1, 2))
        if kind == "dbl":
            return both(f"{self.pick([0.5, 1.25, 3, 100, 1e4, 12345.678]):.4E}", t)
        if kind == "str":
            return both(f"'{self.pick(WORDS)}'", t)
        if kind == "date":
            day = datetime.date(1992, 1, 1) + datetime.timedelta(days=self.number(0, 2700))
            return both(f"DATE '{day}'", t)
        return both(self.pick(["TRUE", "FALSE"]), t)

    def column(self, scope, kind):
        found = [c for c in scope if c.t[0] == kind and c.loose is None]
        return self.pick(found) if found else None

    def value(self, scope, kind, depth=2):
        """An expression of a kind."""
        if depth <= 0 or self.chance(0.3):
            return self.column(scope, kind) or self.literal(self.plain(kind))
        if self.chance(0.15):
            return self.conditional(scope, kind, depth)
        return getattr(self, "value_" + kind)(scope, depth - 1)

    def plain(self, kind):
        return ("dec", 12, 2) if kind == "dec" else (kind,)

    def conditional(self, scope, kind, depth):
        a, b = self.value(scope, kind, depth - 1), self.value(scope, kind, depth - 1)
        t = self.common(a.t, b.t)
        form = self.number(0, 5)
        if form == 0:
            return both("COALESCE({0}, {1})", t, a, b)
        if form == 1:
            return both("NULLIF({0}, {1})", a.t, a, b)
        if form == 2:
            return both("CASE WHEN {2} THEN {0} END", a.t, a, b, self.predicate(scope, depth - 1))
        if form == 3:
            return apart("IF({2}, {0}, {1})", "CASE WHEN {2} THEN {0} ELSE {1} END", t, a, b,
                         self.predicate(scope, depth - 1))
        if form == 4:
            operand = self.column(scope, "int") or self.column(scope, "big") or self.literal(BIG)
            return both("CASE {2} WHEN 1 THEN {0} WHEN 3 THEN {1} WHEN NULL THEN {0} END", t, a, b, operand)
        return both("CASE WHEN {2} THEN {0} WHEN {3} THEN NULL ELSE {1} END", t, a, b,
                    self.predicate(scope, depth - 1), self.predicate(scope, depth - 1))

    def common(self, a, b):
        if a[0] == "dec" and b[0] == "dec":
            scale = max(a[2], b[2])
            return ("dec", min(38, max(a[1] - a[2], b[1] - b[2]) + scale), scale)
        return a

    def value_int(self, scope, depth):
        name, modulus = self.pick([("INTEGER", 1000), ("INTEGER", 100000), ("SMALLINT", 20000), ("TINYINT", 100)])
        return both(f"CAST({{0}} % {modulus} AS {name})", INT, self.value(scope, "big", depth))

    def value_big(self, scope, depth):
        form = self.number(0, 12)
        if form <= 3:
            a = self.value(scope, self.pick(["big", "int"]), depth)
            b = self.pick([self.literal(BIG), self.column(scope, "int") or self.literal(BIG)])
            a = both("CAST({0} AS BIGINT)", BIG, a)
            return [
                both("({0} + {1})", BIG, a, b), both("({0} - {1})", BIG, a, b),
                both("({0} % 100000 * {1})", BIG, a, b),
                apart("({0} / NULLIF({1}, 0))", "({0} // NULLIF({1}, 0))", BIG, a, b),
            ][form]
        if form == 4:
            return both("({0} % {1})", BIG, self.value(scope, "big", depth), both(str(self.number(2, 1000)), BIG))
        if form == 5:
            return both("(- {0})", BIG, self.value(scope, "big", depth))
        if form == 6:
            return both("length({0})", BIG, self.value(scope, "str", depth))
        if form == 7:
            return apart("strpos({0}, {1})", "strpos({0}, {1})", BIG, self.value(scope, "str", depth),
                         self.literal(STR))
        if form in (8, 9):
            date = self.value(scope, "date", depth)
            w, d = self.pick([
                ("year", "year"), ("quarter", "quarter"), ("month", "month"), ("day", "day"),
                ("day_of_week", "isodow"), ("day_of_year", "doy"), ("week", "week"), ("year_of_week", "isoyear")])
            return apart(f"{w}({{0}})", f"date_part('{d}', {{0}})", BIG, date)
        if form == 10:
            a, b = self.value(scope, "date", depth), self.value(scope, "date", depth)
            return both("date_diff('day', {0}, {1})", BIG, a, b)
        if form == 11:
            return both("CAST({0} AS BIGINT)", BIG, self.value(scope, "dec", depth))
        return both("abs({0})", BIG, self.value(scope, "big", depth))

    def value_dec(self, scope, depth):
        a = self.value(scope, "dec", depth)
        form = self.number(0, 9)
        if a.t[0] != "dec":
            return a
        _, p, s = a.t
        if form <= 2:
            b = self.value(scope, "dec", depth)
            if b.t[0] != "dec":
                return a
            _, q, r = b.t
            if form == 2:
                return both("({0} * {1})", ("dec", p + q, s + r), a, b) if p + q <= 36 and s + r <= 12 else a
            if max(p - s, q - r) + max(s, r) + 1 > 38:
                return a
            t = ("dec", max(p - s, q - r) + max(s, r) + 1, max(s, r))
            return both("({0} %s {1})" % "+-"[form], t, a, b)
        if form == 3:
            return both("(- {0})", a.t, a)
        if form == 4:
            return both("abs({0})", a.t, a)
        if form == 5:
            scale = self.number(0, 3)
            return both(f"CAST({{0}} AS DECIMAL(38,{scale}))", ("dec", 38, scale), a)
        if form == 6:
            return both("CAST({0} AS DECIMAL(19,1))", ("dec", 19, 1), self.value(scope, "big", 0))
        if form == 7:
            return both("CAST({0} AS DECIMAL(30,8))", ("dec", 30, 8), self.column(scope, "dec") or self.literal(a.t))
        if form == 8:
            places = self.number(0, 2)
            return both(f"CAST(round({{0}}, {places}) AS DECIMAL(38,{s}))", ("dec", 38, s), a) if p < 36 else a
        return both(self.pick(["CAST(floor({0}) AS DECIMAL(38,0))", "CAST(ceil({0}) AS DECIMAL(38,0))"]),
                    ("dec", 38, 0), a)

    def value_dbl(self, scope, depth):
        a = self.value(scope, "dbl", depth)
        form = self.number(0, 6)
        if form <= 2:
            return both("({0} %s {1})" % "+-*"[form], DBL, a, self.value(scope, "dbl", 0))
        if form == 3:
            return both("({0} / (1E0 + abs({1})))", DBL, a, self.value(scope, "dbl", 0))
        if form == 4:
            return both("sqrt(abs({0}))", DBL, a)
        if form == 5:
            return both("CAST({0} AS DOUBLE)", DBL, self.value(scope, "big", depth))
        return both("(- {0})", DBL, a)

    def value_str(self, scope, depth):
        a = self.value(scope, "str", depth)
        form = self.number(0, 15)
        small = self.pick([1, 2, 3, 5, 9])
        if form <= 1:
            start = self.pick([1, 2, 4, -1, -4])
            text = f"substring({{0}}, {start}, {small})"
            # From before the text's start Trino takes nothing, DuckDB what overlaps.
            guarded = f"CASE WHEN length({{0}}) < {-start} THEN '' ELSE {text} END"
            return apart(text, guarded if start < 0 else text, STR, a)
        if form == 2:
            return both(f"substring({{0}}, {small})", STR, a)
        if form == 3:
            return both("upper({0})", STR, a)
        if form == 4:
            return both("lower({0})", STR, a)
        if form == 5:
            return both("trim({0})", STR, both("('  ' || {0} || ' ')", STR, a))
        if form == 6:
            return both("replace({0}, '%s', '%s')" % (self.pick("aeRs0 "), self.pick(["", "x", "yy"])), STR, a)
        if form == 7:
            return both("({0} || {1})", STR, a, self.value(scope, "str", 0))
        if form == 8:
            return apart("concat({0}, '-', {1})", "({0} || '-' || {1})", STR, a, self.value(scope, "str", 0))
        if form == 9:
            return both("reverse({0})", STR, a)
        if form == 10:
            return both(f"lpad({{0}}, {self.number(0, 30)}, '{self.pick(['*', 'ab', ' '])}')", STR, a)
        if form == 11:
            return both(f"rpad({{0}}, {self.number(0, 30)}, '{self.pick(['*', 'ab', ' '])}')", STR, a)
        if form == 12:
            kind = self.pick(["big", "dec", "date", "int"])
            return both("CAST({0} AS VARCHAR)", STR, self.value(scope, kind, 0))
        if form == 13:
            part = self.number(1, 3)
            return apart(f"split_part({{0}}, ' ', {part})", f"string_split({{0}}, ' ')[{part}]", STR, a)
        if form == 14:
            return both("ltrim({0})", STR, both("(' ' || {0})", STR, a))
        return both("CAST({0} AS VARCHAR)", STR, a)

    def value_date(self, scope, depth):
        a = self.value(scope, "date", depth)
        unit = self.pick(["day", "month", "year", "week"])
        form = self.number(0, 6)
        if form == 6:
            hours = self.number(-40, 40)
            text = f"CAST(date_trunc('hour', CAST({{0}} AS TIMESTAMP) + INTERVAL '{hours}' hour) AS DATE)"
            return both(text, DATE, a)
        if form <= 1:
            sign, count = self.pick("+-"), self.number(1, 40)
            if unit == "week":
                unit = "day"
            return apart(f"({{0}} {sign} INTERVAL '{count}' {unit})",
                         f"CAST({{0}} {sign} INTERVAL '{count}' {unit} AS DATE)", DATE, a)
        if form == 2:
            return both(f"CAST(date_trunc('{unit}', {{0}}) AS DATE)", DATE, a)
        if form == 3:
            return apart("last_day_of_month({0})", "last_day({0})", DATE, a)
        if form == 4:
            count = self.number(-40, 40)
            return apart(f"date_add('{unit}', {count}, {{0}})",
                         f"CAST({{0}} + {count} * INTERVAL '1' {unit} AS DATE)", DATE, a)
        return both("CAST(CAST({0} AS VARCHAR) AS DATE)", DATE, a)

    def value_bool(self, scope, depth):
        return both("({0})", BOOL, self.predicate(scope, depth))

    # -- predicates

    def kinds(self, scope):
        return sorted({c.t[0] for c in scope if c.loose is None and c.t[0] != "bool"}) or ["big"]

    def predicate(self, scope, depth=2):
        form = self.number(0, 15)
        if depth > 0 and form <= 3:
            a, b = self.predicate(scope, depth - 1), self.predicate(scope, depth - 1)
            return both(["({0} AND {1})", "({0} OR {1})", "(NOT ({0}))", "({0} OR NOT {1})"][form], BOOL, a, b)
        kind = self.pick(self.kinds(scope))
        a = self.value(scope, kind, depth)
        if form <= 8:
            b = self.value(scope, kind, self.pick([0, 0, depth - 1]))
            return both("({0} %s {1})" % self.pick(["=", "<>", "<>", "<", "<=", ">", ">=", ">", "<"]), BOOL, a, b)
        if form == 9:
            return both("({0} IS %sNULL)" % self.pick(["", "NOT "]), BOOL, a)
        if form == 10:
            parts = [self.literal(a.t) for _ in range(self.number(1, 5))]
            items = ", ".join("{%d}" % (i + 1) for i in range(len(parts))) + self.pick(["", "", ", NULL"])
            return both("({0} %sIN (" % self.pick(["", "NOT "]) + items + "))", BOOL, a, *parts)
        if form == 11:
            return both("({0} %sBETWEEN {1} AND {2})" % self.pick(["", "NOT "]), BOOL, a, self.literal(a.t),
                        self.value(scope, kind, 0))
        if form == 12:
            return both("({0} IS %sDISTINCT FROM {1})" % self.pick(["", "NOT "]), BOOL, a, self.value(scope, kind, 0))
        text = self.value(scope, "str", depth)
        words = [w for w in WORDS if w not in ("%", "_")]
        pattern = self.pick([
            "%" + self.pick(words) + "%", self.pick(words) + "%", "%" + self.pick(words),
            "%" + self.pick(words) + "%" + self.pick(words) + "%", "_" * self.number(1, 10) + "%", self.pick(words),
            "%_" + self.pick(words)[:2] + "_%", "a%b_%"])
        return both(f"({{0}} {self.pick(['', 'NOT '])}LIKE '{pattern}')", BOOL, text)

    # -- relations

    def base(self, name, most=None):
        """A table, perhaps a sample of about `most` rows of it."""
        alias = self.alias()
        mapping = "dbl" if self.doubles else "dec"
        catalog = "tpchd" if self.doubles else "tpch"
        w, d = f'{catalog}."{self.schema}".{name}', f"{mapping}.{name}"
        amount = DBL if self.doubles else ("dec", 12, 2)
        columns = [
            SQL(f"{alias}.{column}", f"{alias}.{column}", amount if kind == "amount" else (kind,),
                domain=DOMAIN.get(column)) for column, kind in TABLES[name]]
        scale = 0.01 if self.schema == "tiny" else float(self.schema[2:])
        rows = {"region": 5, "nation": 25, "supplier": 1e4 * scale, "customer": 15e4 * scale, "part": 2e5 * scale,
                "partsupp": 8e5 * scale, "orders": 15e5 * scale, "lineitem": 6e6 * scale}[name]
        if self.chance(0.02):
            test = self.pick(["FALSE", "1 > 2", f"{TABLES[name][0][0]} < -5", "NULL"])
            return Relation(f"(SELECT * FROM {w} WHERE {test}) {alias}", f"(SELECT * FROM {d} WHERE {test}) {alias}",
                            columns, True)
        if most and rows > most:
            step = math.ceil(rows / most)
            key = TABLES[name][0][0]
            test = f"{key} % {step} = {self.number(0, step - 1)}"
            if self.chance(0.3):
                # A stretch of keys instead of scattered ones; order keys are one in four.
                gap = 4 if name == "orders" else 1
                start = self.number(1, max(1, int(rows * gap) - most))
                test = f"{key} BETWEEN {start} AND {start + most * gap}"
            return Relation(f"(SELECT * FROM {w} WHERE {test}) {alias}", f"(SELECT * FROM {d} WHERE {test}) {alias}",
                            columns, True)
        return Relation(f"{w} {alias}", f"{d} {alias}", columns, rows <= 25)

    def derived(self, query, alias=None):
        """A query as a relation."""
        alias = alias or self.alias("q")
        columns = [SQL(f"{alias}.{n}", f"{alias}.{n}", c.t, c.loose, c.domain) for n, c in query.outputs]
        return Relation(f"({query.w}) {alias}", f"({query.d}) {alias}", columns, query.is_small)

    def values(self):
        alias = self.alias("v")
        kinds = [self.pick([BIG, STR, DATE, ("dec", 12, 2)]) for _ in range(self.number(1, 3))]
        rows = []
        for _ in range(self.number(1, 6)):
            cells = [both("NULL", k) if self.chance(0.15) else self.literal(k) for k in kinds]
            rows.append(cells)
        # The first row names the types.
        names = {"big": "BIGINT", "str": "VARCHAR", "date": "DATE", "dec": "DECIMAL(12,2)"}
        rows[0] = [both("CAST({0} AS %s)" % names[k[0]], k, c) for k, c in zip(kinds, rows[0])]
        text = ", ".join("(" + ", ".join(c.w for c in row) + ")" for row in rows)
        columns = ", ".join(f"v{i}" for i in range(len(kinds)))
        from_clause = f"(VALUES {text}) AS {alias}({columns})"
        return Relation(from_clause, from_clause,
                        [SQL(f"{alias}.v{i}", f"{alias}.v{i}", k) for i, k in enumerate(kinds)], True)

    def item(self, depth, most=None):
        form = self.number(0, 19)
        if form == 0:
            return self.values()
        if depth > 0 and form <= 3:
            return self.derived(self.query(depth - 1, is_nested=True))
        return self.base(self.pick(list(TABLES) + ["lineitem", "orders", "partsupp"]), most)

    def keyed_pairs(self, left, right):
        """Pairs of columns of one domain."""
        return [(a, b) for a in left for b in right if a.domain is not None and a.domain == b.domain
                and not a.loose and not b.loose]

    def odd_pair(self, left, right):
        kinds = sorted({c.t[0] for c in left if not c.loose} & {c.t[0] for c in right if not c.loose})
        kinds = [k for k in kinds if k != "bool"]
        if not kinds:
            return None
        kind = self.pick(kinds)
        if self.chance(0.15):
            wide = [self.value(left, self.pick(["int", "big", "dec"]), 1), self.value(right, "dec", 1)]
            return wide[0], wide[1]
        if self.chance(0.6):
            return self.column(left, kind), self.column(right, kind)
        return self.value(left, kind, 2), self.value(right, kind, 2)

    def condition(self, left, right):
        """What ties two relations: equalities on keys or odd columns, perhaps with more conditions."""
        pairs = self.keyed_pairs(left.columns, right.columns)
        chosen = []
        if pairs and self.chance(0.8):
            chosen = [self.pick(pairs)]
            if self.chance(0.4):
                chosen.append(self.pick(pairs))
            if self.chance(0.15):
                a, b = chosen[0]
                shift = both(str(self.number(-3, 3)), BIG)
                chosen[0] = (both("({0} + {1})", a.t, a, shift), b)
        if not chosen or self.chance(0.12):
            pair = self.odd_pair(left.columns, right.columns)
            if pair:
                chosen.append(pair)
        if self.chance(0.04):
            pair = self.odd_pair(left.columns, right.columns)
            if pair:
                chosen.append(pair)
        terms = [both("{0} = {1}", BOOL, a, b) if self.chance(0.5) else both("{1} = {0}", BOOL, a, b)
                 for a, b in chosen]
        if self.chance(0.2) or not terms:
            kind = self.pick(self.kinds(left.columns))
            a, b = self.value(left.columns, kind, 1), self.value(right.columns, kind, 1)
            terms.append(both("{0} %s {1}" % self.pick(["<", ">", "<>", "<=", ">="]), BOOL, a, b))
        if self.chance(0.12):
            terms.append(self.predicate(self.pick([left, right]).columns, 1))
        if self.chance(0.03):
            terms = [both(self.pick(["TRUE", "FALSE", "1 = 0", "CAST(NULL AS BOOLEAN)"]), BOOL)] + terms[:1]
        return both(" AND ".join("{%d}" % i for i in range(len(terms))), BOOL, *terms)

    def joined(self, depth):
        """A FROM clause of one to five relations."""
        count = self.pick([1, 1, 2, 2, 2, 3, 3, 4, 5])
        wild = self.chance(0.2)
        most = self.pick([300, 2000]) if wild else self.pick([None, None, 20000, 2000])
        result = self.item(depth, most if count > 1 else None)
        for _ in range(count - 1):
            if wild:
                right = self.item(depth, most)
            else:
                # Something that shares a key with what is there.
                domains = {c.domain for c in result.columns if c.domain is not None}
                near = [t for t in TABLES if any(DOMAIN.get(c) in domains for c, _ in TABLES[t])]
                is_near = near and self.chance(0.85)
                right = self.base(self.pick(near), most) if is_near else self.item(depth, most or 2000)
            kind = self.pick(["JOIN", "JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
            on = self.condition(result, right)
            result = Relation(f"{result.w} {kind} {right.w} ON {on.w}", f"{result.d} {kind} {right.d} ON {on.d}",
                              result.columns + right.columns, result.is_small and right.is_small)
        return result

    # -- subqueries in predicates

    def subquery_test(self, scope, depth):
        """IN, EXISTS and comparisons with a subquery, correlated or not."""
        is_table = self.chance(0.8)
        inner = self.base(self.pick(TABLES), self.pick([None, 20000, 500])) if is_table else self.joined(depth - 1)
        pairs = self.keyed_pairs(scope, inner.columns)
        form = self.number(0, 10)
        where = self.predicate(inner.columns, 2) if self.chance(0.6) else both("TRUE", BOOL)
        negation = self.pick(["", "NOT "])
        pair = self.pick(pairs) if pairs and self.chance(0.8) else self.odd_pair(scope, inner.columns)
        if pair is None:
            return self.predicate(scope, 2)
        a, b = pair
        if form <= 3:
            if self.chance(0.3):
                b = self.nulled(b, inner.columns)
            if self.chance(0.2):
                a = self.nulled(a, scope)
            a, b = self.widened(a, b)
            extra = both("TRUE", BOOL)
            if self.chance(0.25):
                more = self.odd_pair(scope, inner.columns) or (a, b)
                extra = both("{0} = {1}", BOOL, *more)
            return apart(f"({{0}} {negation}IN (SELECT {{1}} FROM {inner.w} WHERE {{2}} AND {{3}}))",
                         f"({{0}} {negation}IN (SELECT {{1}} FROM {inner.d} WHERE {{2}} AND {{3}}))", BOOL,
                         a, b, where, extra)
        if form <= 7:
            terms = [both("{0} = {1}", BOOL, a, b), where]
            if self.chance(0.35):
                kind = self.pick(self.kinds(inner.columns))
                terms.append(both("{0} %s {1}" % self.pick(["<>", "<", ">", ">="]), BOOL,
                                  self.value(inner.columns, kind, 1), self.value(scope, kind, 1)))
            test = both(" AND ".join("{%d}" % i for i in range(len(terms))), BOOL, *terms)
            return apart(f"({negation}EXISTS (SELECT 1 FROM {inner.w} WHERE {{0}}))",
                         f"({negation}EXISTS (SELECT 1 FROM {inner.d} WHERE {{0}}))", BOOL, test)
        if form == 10:
            test = f"({{0}} {self.pick(['<', '>', '=', '<>', '>='])} {self.pick(['ALL', 'ANY'])} "
            if self.chance(0.3):
                b = self.nulled(b, inner.columns)
            a, b = self.widened(a, b)
            return apart(f"{test}(SELECT {{1}} FROM {inner.w} WHERE {{2}}))",
                         f"{test}(SELECT {{1}} FROM {inner.d} WHERE {{2}}))", BOOL, a, b, where)
        value = self.scalar(scope, inner, a, b, where, is_correlated=form == 8)
        other = self.value(scope, value.t[0], 1)
        return both("({0} %s {1})" % self.pick(["<", ">", "=", "<>", ">="]), BOOL, other, value)

    def widened(self, a, b):
        """The two for IN and ANY. DuckDB does not compare decimals of unequal types there as it does with `=`."""
        if a.t == b.t or a.t[0] != "dec" or b.t[0] != "dec":
            return a, b
        scale = max(a.t[2], b.t[2])
        return tuple(both(f"CAST({{0}} AS DECIMAL(38,{scale}))", ("dec", 38, scale), x) for x in (a, b))

    def scalar(self, scope, inner, a, b, where, is_correlated):
        numeric = [c for c in inner.columns if c.t[0] in ("int", "big", "dec", "date", "str") and not c.loose]
        c = self.pick(numeric) if numeric else both("1", BIG)
        call = both("%s({0})" % self.pick(["min", "max"]), c.t, c)
        if self.chance(0.3):
            call = self.pick([both("count(*)", BIG), both("count({0})", BIG, c), both("count(DISTINCT {0})", BIG, c)])
        tie = both("{0} = {1}", BOOL, a, b) if is_correlated else both("TRUE", BOOL)
        return apart(f"(SELECT {{0}} FROM {inner.w} WHERE {{1}} AND {{2}})",
                     f"(SELECT {{0}} FROM {inner.d} WHERE {{1}} AND {{2}})", call.t, call, tie, where)

    def nulled(self, a, scope):
        return self.pick([
            both("NULLIF({0}, {1})", a.t, a, self.value(scope, a.t[0], 0)),
            both("CASE WHEN {1} THEN {0} END", a.t, a, self.predicate(scope, 1))])

    # -- queries

    def aggregate(self, scope):
        kind = self.pick(self.kinds(scope))
        a = self.value(scope, kind, self.pick([0, 0, 1, 2]))
        form = self.number(0, 15)
        distinct = "DISTINCT " if self.chance(0.2) else ""
        if form <= 1:
            call = both("count(*)", BIG)
        elif form <= 3:
            call = both(f"count({distinct}{{0}})", BIG, a)
        elif form <= 5:
            call = both("%s({0})" % self.pick(["min", "max"]), a.t, a)
        elif form == 6:
            call = both("%s({0})" % self.pick(["bool_and", "bool_or"]), BOOL, self.predicate(scope, 1))
        elif form == 7:
            call = apart("count_if({0})", "count(CASE WHEN {0} THEN 1 END)", BIG, self.predicate(scope, 1))
        elif form == 8:
            key = self.pick(["big", "date", "str"])
            by, of = self.column(scope, key), self.pick(["min_by", "max_by"])
            if by is None:
                call = both("count(*)", BIG)
            else:
                what = both("COALESCE({0}, 7)", BIG, self.value([by], "big", 1))
                call = both(of + "({0}, {1})", BIG, what, by)
        else:
            kinds = [k for k in self.kinds(scope) if k in NUMBERS]
            a = self.value(scope, self.pick(kinds), self.pick([0, 0, 1, 2])) if kinds else self.literal(BIG)
            kind = a.t[0]
            if form <= 11:
                t = {"dec": ("dec", 38, a.t[-1]), "dbl": DBL}.get(kind, BIG)
                call = both(f"sum({distinct}{{0}})", t, a, loose=1e-9 if kind == "dbl" else None)
            elif form <= 13:
                t = a.t if kind == "dec" else DBL
                loose = 0.51 * 10.0 ** -a.t[2] if kind == "dec" else 1e-9
                call = both(f"avg({distinct}{{0}})", t, a, loose=loose)
            else:
                name = self.pick(["stddev", "variance", "var_pop", "stddev_pop"])
                bounded = a if kind != "big" else both("({0} % 1000)", BIG, a)
                call = both(name + "(CAST({0} AS DOUBLE))", DBL, bounded, loose=1e-6)
        if self.chance(0.2):
            call = both("{0} FILTER (WHERE {1})", call.t, call, self.predicate(scope, 1), loose=call.loose)
        return call

    def query(self, depth=1, is_nested=False):
        form = self.number(0, 19)
        if depth > 0 and form <= 2:
            return self.set_operation(depth)
        if depth > 0 and form == 3:
            return self.with_query(depth)
        return self.select(depth, is_nested)

    def select(self, depth, is_nested=False):
        source = self.joined(depth)
        scope = source.columns
        w, d = f" FROM {source.w}", f" FROM {source.d}"
        tests = []
        if self.chance(0.5):
            tests.append(self.predicate(scope, 2))
        if self.chance(0.35):
            tests.append(self.subquery_test(scope, depth))
        if self.chance(0.08):
            tests.append(self.subquery_test(scope, depth))
        if tests:
            word = self.pick([" AND ", " AND ", " OR "])
            joint = both(word.join("{%d}" % i for i in range(len(tests))), BOOL, *tests)
            w, d = f"{w} WHERE {joint.w}", f"{d} WHERE {joint.d}"
        if self.chance(0.55):
            outputs, w, d = self.grouped(scope, w, d)
        else:
            outputs, w, d = self.plain_select(scope, w, d, depth)
        query = Query(w, d, outputs)
        query.is_small = source.is_small
        exact = all(c.loose is None and c.t[0] != "dbl" for _, c in outputs)
        if exact and self.chance(0.25):
            self.order(query, is_nested)
        return query

    def plain_select(self, scope, w, d, depth):
        chosen = []
        for _ in range(self.number(1, 5)):
            kind = self.pick(self.kinds(scope) + (["bool"] if self.chance(0.1) else []))
            if self.chance(0.5) and kind != "bool":
                chosen.append(self.pick([c for c in scope if c.loose is None]) if scope else self.literal(BIG))
            else:
                chosen.append(self.value(scope, kind, 3))
        if self.chance(0.12):
            inner = self.base(self.pick(TABLES), self.pick([None, 500]))
            pairs = self.keyed_pairs(scope, inner.columns)
            if pairs:
                a, b = self.pick(pairs)
                chosen.append(self.scalar(scope, inner, a, b, self.predicate(inner.columns, 1), self.chance(0.8)))
        if self.chance(0.1):
            chosen.append(both("({0})", BOOL, self.subquery_test(scope, depth)))
        outputs = [(f"c{i}", c) for i, c in enumerate(chosen)]
        distinct = "DISTINCT " if self.chance(0.2) else ""
        head_w = ", ".join(f"{c.w} AS {n}" for n, c in outputs)
        head_d = ", ".join(f"{c.d} AS {n}" for n, c in outputs)
        return outputs, f"SELECT {distinct}{head_w}{w}", f"SELECT {distinct}{head_d}{d}"

    def grouped(self, scope, w, d):
        keys = []
        for _ in range(self.pick([0, 1, 1, 1, 2, 2, 3, 4])):
            kind = self.pick([k for k in self.kinds(scope) if k != "dbl"] or ["big"])
            key = self.value(scope, kind, self.pick([0, 0, 0, 1, 2]))
            if all(key.w != k.w for k in keys) and "(" in key.w or any(key is c for c in scope):
                if all(key.w != k.w for k in keys):
                    keys.append(key)
        calls = [self.aggregate(scope) for _ in range(self.number(1, 4))]
        outputs = [(f"c{i}", c) for i, c in enumerate(keys + calls)]
        tail_w = tail_d = ""
        if keys:
            forms = ["{}", "{}", "{}", "ROLLUP ({})", "CUBE ({})", "GROUPING SETS (({}), ())",
                     "GROUPING SETS (({}), ({}))"]
            form = self.pick(forms[:3] if len(keys) == 1 or self.chance(0.6) else forms)
            columns = all(any(k is c for c in scope) for k in keys)
            if form != "{}" and (not columns or len(keys) > 3):
                form = "{}"
            first = keys[:1]

            def listed(dialect):
                names = [getattr(k, dialect) for k in keys]
                return form.format(", ".join(names), ", ".join(getattr(k, dialect) for k in first)) \
                    if form.count("{}") == 2 else form.format(", ".join(names))
            tail_w, tail_d = f" GROUP BY {listed('w')}", f" GROUP BY {listed('d')}"
            if form != "{}":
                names = ", ".join(k.w for k in keys)
                outputs.append((f"c{len(outputs)}", both(f"grouping({names})", BIG)))
        if self.chance(0.25):
            test = self.aggregate(scope)
            if test.loose is None and test.t[0] != "bool":
                having = both("{0} %s {1}" % self.pick([">", "<", "<>", ">="]), BOOL, test, self.literal(test.t))
                tail_w, tail_d = f"{tail_w} HAVING {having.w}", f"{tail_d} HAVING {having.d}"
        head_w = ", ".join(f"{c.w} AS {n}" for n, c in outputs)
        head_d = ", ".join(f"{c.d} AS {n}" for n, c in outputs)
        outputs = [(n, SQL(c.w, c.d, c.t, c.loose, c.domain)) for n, c in outputs]
        return outputs, f"SELECT {head_w}{w}{tail_w}", f"SELECT {head_d}{d}{tail_d}"

    def order(self, query, is_nested):
        """Orders by all columns, so that which rows a LIMIT keeps is certain."""
        indexes = list(range(1, len(query.outputs) + 1))
        self.random.shuffle(indexes)
        keys_w, keys_d = [], []
        for index in indexes:
            direction, nulls = self.pick(["", " DESC", " ASC"]), self.pick(["", " NULLS FIRST", " NULLS LAST"])
            keys_w.append(f"{index}{direction}{nulls}")
            keys_d.append(f"{index}{direction}{nulls or ' NULLS LAST'}")
        offset, limit = self.pick([0, 0, 1, 50]), self.pick([0, 1, 10, 100, 5000])
        tail_w = (f" OFFSET {offset}" if offset else "") + (f" LIMIT {limit}" if limit or is_nested else "")
        tail_d = (f" LIMIT {limit}" if limit or is_nested else "") + (f" OFFSET {offset}" if offset else "")
        query.w += f" ORDER BY {', '.join(keys_w)}{tail_w}"
        query.d += f" ORDER BY {', '.join(keys_d)}{tail_d}"
        query.is_ordered = True
        query.is_small = True

    def set_operation(self, depth):
        parts = []
        kinds = [self.pick(["big", "str", "date", "dec", "int"]) for _ in range(self.number(1, 3))]
        if self.doubles:
            kinds = ["big" if k == "dec" else k for k in kinds]
        for _ in range(self.pick([2, 2, 3])):
            source = self.joined(0)
            chosen = [self.value(source.columns, k, self.pick([0, 1, 1])) for k in kinds]
            # For decimals of unequal types DuckDB takes a type that rounds.
            chosen = [both("CAST({0} AS DECIMAL(38,4))", ("dec", 38, 4), c) if c.t[0] == "dec" else c for c in chosen]
            w = "SELECT " + ", ".join(f"{c.w} AS c{i}" for i, c in enumerate(chosen)) + f" FROM {source.w}"
            d = "SELECT " + ", ".join(f"{c.d} AS c{i}" for i, c in enumerate(chosen)) + f" FROM {source.d}"
            if self.chance(0.6):
                test = self.predicate(source.columns, 2)
                w, d = f"{w} WHERE {test.w}", f"{d} WHERE {test.d}"
            parts.append((w, d, chosen))
        w, d, chosen = parts[0]
        types = [c.t for c in chosen]
        for part in parts[1:]:
            operation = self.pick(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
            w, d = f"({w}) {operation} ({part[0]})", f"({d}) {operation} ({part[1]})"
            types = [self.common(t, c.t) for t, c in zip(types, part[2])]
        outputs = [(f"c{i}", SQL("", "", t)) for i, t in enumerate(types)]
        return Query(f"SELECT * FROM ({w}) u", f"SELECT * FROM ({d}) u", outputs)

    def with_query(self, depth):
        """A query that is used twice."""
        inner = self.select(depth - 1, is_nested=True)
        name = self.alias("w")
        a, b = self.alias(), self.alias()
        columns = [[SQL(f"{x}.{n}", f"{x}.{n}", c.t, c.loose, c.domain) for n, c in inner.outputs] for x in (a, b)]
        left = Relation(f"{name} {a}", f"{name} {a}", columns[0])
        right = Relation(f"{name} {b}", f"{name} {b}", columns[1])
        exact = [i for i, (_, c) in enumerate(inner.outputs) if c.loose is None]
        if not exact:
            return inner
        key = self.pick(exact)
        on = both("{0} = {1}", BOOL, columns[0][key], columns[1][key])
        kind = self.pick(["JOIN", "LEFT JOIN", "FULL JOIN"])
        w = f" FROM {left.w} {kind} {right.w} ON {on.w}"
        d = f" FROM {left.d} {kind} {right.d} ON {on.d}"
        outputs, w, d = self.grouped([c for c in columns[0] + columns[1] if c.loose is None], w, d)
        return Query(f"WITH {name} AS ({inner.w}) {w}", f"WITH {name} AS MATERIALIZED ({inner.d}) {d}", outputs)


class Query:
    """A whole query in both dialects and its output columns, by name."""

    def __init__(self, w, d, outputs):
        self.w, self.d, self.outputs = w, d, outputs
        self.is_ordered = self.is_small = False

    def checksum(self):
        """One row that stands for a large result."""
        parts = [("n", both("count(*)", BIG))]
        for name, column in self.outputs:
            kind = column.t[0]
            parts.append((f"{name}n", both(f"count({name})", BIG)))
            if kind == "bool":
                parts.append((f"{name}t", apart(f"count_if({name})", f"count(CASE WHEN {name} THEN 1 END)", BIG)))
                continue
            if column.loose is None and kind != "dbl":
                parts.append((f"{name}d", both(f"count(DISTINCT {name})", BIG)))
            loose = column.loose
            parts.append((f"{name}lo", both(f"min({name})", column.t, loose=loose)))
            parts.append((f"{name}hi", both(f"max({name})", column.t, loose=loose)))
            if kind in ("big", "int"):
                parts.append((f"{name}s", both(f"sum(CAST({name} AS DECIMAL(38,0)))", ("dec", 38, 0))))
            elif kind == "dec" and loose is None:
                parts.append((f"{name}s", both(f"sum({name})", ("dec", 38, column.t[2]))))
            elif kind == "str":
                parts.append((f"{name}s", both(f"sum(length({name}))", BIG)))
        text = ", ".join(f"{c.w} AS {n}" for n, c in parts)
        return Query(f"SELECT {text} FROM ({self.w}) x", f"SELECT {text} FROM ({self.d}) x", parts)
