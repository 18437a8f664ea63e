// Owns `waterbearctl query`: run SQL and print its result.
import ArgumentParser

struct QueryVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Run SQL and print its result.",
    discussion: """
      On a terminal, progress is shown on standard error. Ctrl-C, SIGTERM and SIGHUP end the query. If the \
      daemon goes away, this program waits until it is back, and the query goes on.

      A table's columns are as wide as the first 5000 rows ask for. csv and tsv have a header line; NULL is empty, an \
      empty string is "". In json and jsonl, decimals of more than 15 digits are strings. \
      arrow is an Arrow IPC stream and parquet a Parquet file, for a file or a program.
      """)

  @OptionGroup var statement: StatementOptions
  @OptionGroup var output: FormatOptions
  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let format = try output.format(console)
    let sql = try statement.text(console)
    var run = try QueryRun(console, connection, cancelsOnInterrupt: true)
    run.sql = sql
    let query = try run.submit(sql, statement, format: format)
    let stream = OutputStream(descriptor: console.output)
    try run.printResult(of: query, with: format.writer(to: stream), to: stream)
    return .done
  }
}
