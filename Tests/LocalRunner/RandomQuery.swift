// Owns the writing of random queries for tests that compare two ways to run the same query.

/// Writes random queries over the sample tables t(a, b, c), u(a, d, e) and w(k, x). All columns compared are integers.
public struct RandomQuery {
  private var generator: SeededNumbers
  private var nextAlias = 0

  public init(seed: UInt64) { generator = SeededNumbers(seed: seed) }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &generator)]
  }

  private mutating func alias() -> String {
    nextAlias += 1
    return "r\(nextAlias)"
  }

  /// A query without ORDER BY.
  public mutating func query() -> String {
    let (from, columns) = relation(depth: 2)
    let condition = chance(75) ? " WHERE \(predicate(columns, [], depth: 2))" : ""
    if chance(40) { return grouped(from, columns, condition) }
    let items = (0..<Int.random(in: 1...3, using: &generator)).map { _ in value(columns, depth: 1) }
    let distinct = chance(20) ? "DISTINCT " : ""
    let list = items.enumerated().map { "\($1) AS o\($0)" }.joined(separator: ", ")
    var sql = "SELECT \(distinct)\(list) FROM \(from)\(condition)"
    if chance(15) { sql += " UNION \(pick(["ALL ", ""]))SELECT \(items.map { _ in "1" }.joined(separator: ", "))" }
    return sql
  }

  private mutating func grouped(_ from: String, _ columns: [String], _ condition: String) -> String {
    let key = pick(columns)
    let call = "\(pick(["sum", "count", "min", "max"]))(\(value(columns, depth: 1)))"
    let having = chance(40) ? " HAVING \(call) > \(number())" : ""
    if chance(30) { return "SELECT count(*), \(call) FROM \(from)\(condition)\(having)" }
    return "SELECT \(key), count(*), \(call) FROM \(from)\(condition) GROUP BY \(key)\(having)"
  }

  /// A FROM clause and the names of its columns.
  private mutating func relation(depth: Int) -> (String, [String]) {
    if depth == 0 || chance(25) { return table() }
    if chance(15) {
      let name = alias()
      let (inner, columns) = relation(depth: depth - 1)
      let key = pick(columns)
      return ("(SELECT \(key) AS p, sum(\(pick(columns))) AS q FROM \(inner) GROUP BY \(key)) \(name)",
        ["\(name).p", "\(name).q"])
    }
    let (left, leftColumns) = relation(depth: depth - 1)
    let (right, rightColumns) = table()
    let kind = pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
    let columns = leftColumns + rightColumns
    if kind == "CROSS JOIN" { return ("\(left) \(kind) \(right)", columns) }
    var condition = "\(pick(leftColumns)) = \(pick(rightColumns))"
    if chance(30) { condition += " AND \(predicate(columns, [], depth: 0))" }
    return ("\(left) \(kind) \(right) ON \(condition)", columns)
  }

  private mutating func table() -> (String, [String]) {
    let name = alias()
    let (table, columns) = pick([("t", ["a", "b"]), ("u", ["a", "d"]), ("w", ["k", "x"]), ("t", ["a", "b"])])
    return ("\(table) \(name)", columns.map { "\(name).\($0)" })
  }

  private mutating func number() -> String { pick(["1", "2", "3", "20", "150", "NULL"]) }

  private mutating func value(_ columns: [String], depth: Int) -> String {
    switch Int.random(in: 0..<(depth == 0 ? 6 : 10), using: &generator) {
    case 0...4: return pick(columns)
    case 5: return number()
    case 6: return "(\(pick(columns)) \(pick(["+", "-", "*"])) \(pick(columns)))"
    case 7: return "coalesce(\(pick(columns)), \(pick(columns)))"
    case 8: return "CASE WHEN \(predicate(columns, [], depth: 0)) THEN \(pick(columns)) ELSE 7 END"
    default: return scalar(columns)
    }
  }

  /// A subquery with one value for each outer row.
  private mutating func scalar(_ columns: [String]) -> String {
    let condition = "z.a \(chance(60) ? "=" : comparison()) \(pick(columns))"
    if chance(30) { return "(SELECT z.d FROM u z WHERE \(condition) ORDER BY z.d LIMIT 1)" }
    return "(SELECT \(pick(["count(*)", "max(d)", "sum(d) + 1", "count(DISTINCT d)"])) FROM u z WHERE \(condition))"
  }

  /// A condition on `columns`; those of `outer` are an outer query's.
  private mutating func predicate(_ columns: [String], _ outer: [String], depth: Int) -> String {
    if depth > 0, chance(45) {
      let terms = (0..<2).map { _ in predicate(columns, outer, depth: depth - 1) }
      return "(\(terms.joined(separator: pick([" AND ", " AND ", " OR "]))))"
    }
    switch Int.random(in: 0..<(depth > 0 && outer.isEmpty ? 10 : 6), using: &generator) {
    case 0, 1: return "\(pick(columns)) \(comparison()) \(number())"
    case 2: return "\(pick(columns)) \(comparison()) \(pick(columns))"
    case 3: return "\(pick(columns)) IS \(pick(["", "NOT "]))NULL"
    case 4: return "\(pick(columns)) \(pick(["", "NOT "]))IN (1, 2, \(number()))"
    case 5: return "NOT (\(pick(columns)) \(comparison()) \(number()))"
    case 6 where chance(25):
      return "(\(pick(columns)), \(pick(columns))) \(pick(["", "NOT "]))IN (SELECT a, d FROM u\(inner(columns)))"
    case 6: return "\(pick(columns)) \(pick(["", "NOT "]))IN (SELECT \(pick(["a", "d"])) FROM u\(inner(columns)))"
    case 7, 8: return "\(pick(["", "NOT "]))EXISTS (SELECT 1 FROM u i WHERE \(tie(columns)))"
    default: return "\(pick(columns)) \(comparison()) (SELECT max(i.d) FROM u i WHERE i.a = \(pick(columns)))"
    }
  }

  private mutating func comparison() -> String { pick(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"]) }

  private mutating func inner(_ columns: [String]) -> String {
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: ""
    case 1: " WHERE a IS NOT NULL"
    default: " i WHERE \(tie(columns))"
    }
  }

  /// What ties a subquery over `u i` to the outer row.
  private mutating func tie(_ columns: [String]) -> String {
    let equality = "i.a \(chance(80) ? "=" : comparison()) \(pick(columns))"
    return chance(40) ? "\(equality) AND i.d \(comparison()) \(pick(columns))" : equality
  }
}

/// A generator with a seed, so that every run sees the same queries (SplitMix64).
public struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
