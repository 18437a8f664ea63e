// Owns `waterbearctl show`: everything about one query.
import ArgumentParser
import Base
import ClientAPI
import Columnar
import Wire

struct ShowVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a query: its stages, tasks, attempts, and why each retry.",
    discussion: """
      Times are in UTC. csv, tsv, jsonl, arrow and parquet hold the attempts, one in each row; json holds everything. \
      Of a query with more than 200 attempts, table and markdown show those of the tasks that needed more than one.
      """)

  @Argument(help: ArgumentHelp("The query's id, as submit and list print it.", valueName: "query"))
  var query: String

  @Option(
    name: .long,
    help: ArgumentHelp("\(OutputFormat.names) (default: table).", valueName: "format"))
  var format = OutputFormat.table

  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let format = try format.allowed(on: console)
    let request = ShowQuery(query: QueryID(query))
    let detail = try connection.client(console).call(request, expecting: QueryDetail.self).message
    let report = QueryReport(detail)
    let output = OutputStream(descriptor: console.output)
    switch format {
    case .json: report.writeJSON(to: output)
    case .table, .markdown: try report.writeSections(as: format, to: output)
    case .csv, .tsv, .jsonl, .arrow, .parquet: try report.attempts(ofAll: true).write(to: format.writer(to: output))
    }
    try output.flush()
    return .done
  }
}
