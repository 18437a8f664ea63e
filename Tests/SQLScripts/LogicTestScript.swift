// Owns the reading of sqllogictest scripts: records one after the other, with the line each begins on.

/// A script in the form of sqllogictest with one record more: `table NAME`, which makes a table of a query's rows.
///
///     query IT rowsort
///     SELECT 1, 'a'
///     ----
///     1|a
///
/// Values of a row are separated by `|`; NULL is `NULL`, an empty string `(empty)`, text with blanks at its ends stands
/// in quotes. The letters say what each column is: I an integer, R another number, B a truth value, D a date, time or
/// interval, T text. A statement that fails ends with `----` and the error: `CODE: message`, with the place in front of
/// the message where it has one.
public struct LogicTestScript: Sendable {
  /// A statement and what is to come of it.
  public struct Record: Sendable {
    public var line: Int
    public var sql: String
    public var kind: Kind
  }

  /// What is to come of a statement.
  public enum Kind: Sendable {
    case table(name: String)
    case query(columns: String, sorted: Bool, rows: [String])
    case fails(error: String)
    case succeeds
  }

  public private(set) var records: [Record] = []

  /// The script, or the first line that makes no sense.
  public static func parse(_ text: String) throws -> LogicTestScript {
    var script = LogicTestScript()
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var start = 0
    while start < lines.count {
      if lines[start].isEmpty || lines[start].hasPrefix("#") {
        start += 1
        continue
      }
      let end = lines[start...].firstIndex(of: "") ?? lines.count
      script.records.append(try record(Array(lines[start..<end]), line: start + 1))
      start = end
    }
    return script
  }

  private static func record(_ lines: [String], line: Int) throws -> Record {
    let words = lines[0].split(separator: " ").map(String.init)
    let separator = lines.firstIndex(of: "----") ?? lines.count
    let sql = lines[1..<separator].joined(separator: "\n")
    let result = Array(lines[min(separator + 1, lines.count)...])
    switch (words[0], words.count > 1 ? words[1] : "") {
    case ("table", let name) where !name.isEmpty: return Record(line: line, sql: sql, kind: .table(name: name))
    case ("statement", "ok"): return Record(line: line, sql: sql, kind: .succeeds)
    case ("statement", "error") where result.count == 1:
      return Record(line: line, sql: sql, kind: .fails(error: result[0]))
    case ("query", let columns) where separator < lines.count:
      let order = words.count > 2 ? words[2] : "nosort"
      guard order == "nosort" || order == "rowsort" else { throw MalformedScript(line: line, text: lines[0]) }
      return Record(line: line, sql: sql, kind: .query(columns: columns, sorted: order == "rowsort", rows: result))
    default: throw MalformedScript(line: line, text: lines[0])
    }
  }
}

/// A line that begins no record.
public struct MalformedScript: Error {
  public var line: Int
  public var text: String
}
