// Owns `waterbearctl list`: the queries the daemon knows.
import ArgumentParser
import Base
import ClientAPI
import Columnar
import Platform
import Wire

struct ListVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List queries, newest first.",
    discussion: "Times are in UTC. A table shows the beginning of the SQL, the other formats all of it.")

  @Option(
    name: [.long, .customShort("n", allowingJoined: true)],
    help: ArgumentHelp("How many queries at most.", valueName: "count"))
  var limit = 20

  @OptionGroup var output: FormatOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit must be at least 1.") }
  }

  func perform(_ console: Console) throws -> ControlExitCode {
    let format = try output.format(console)
    let list = try connection.client(console).call(ListQueries(limit: limit), expecting: QueryList.self).message
    let now = SystemClock.wallMicroseconds()
    var table = RecordTable([
      OutputColumn("query", .varcharUnbounded), OutputColumn("state", .varcharUnbounded),
      OutputColumn("user", .varcharUnbounded), OutputColumn("created", .timestamp(precision: 3)),
      OutputColumn("seconds", .decimal(precision: 18, scale: 3)), OutputColumn("error", .varcharUnbounded),
      OutputColumn("sql", .varcharUnbounded),
    ])
    for query in list.queries {
      let elapsed = max(0, (query.endedMicroseconds ?? now) - query.createdMicroseconds)
      let isForPeople = format == .table || format == .markdown
      table.append([
        .text(query.query.text), .text(query.state.rawValue), .text(query.user),
        .number(query.createdMicroseconds), .number(elapsed / 1000), .optionalText(query.errorCode),
        .text(isForPeople ? Self.excerpt(of: query.sql) : query.sql),
      ])
    }
    try table.print(as: format, to: OutputStream(descriptor: console.output))
    return .done
  }

  /// SQL on one line, cut to 80 characters.
  static func excerpt(of sql: String) -> String {
    let line = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count <= 80 ? line : line.prefix(79) + "…"
  }
}
