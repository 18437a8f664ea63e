// Owns `waterbearctl submit`: start a query and leave it to itself.
import ArgumentParser

struct SubmitVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Start a query and print its id.",
    discussion: """
      When the id is printed, the query is durable: it is answered even if the daemon restarts. waterbearctl fetch \
      prints its result.
      """)

  @OptionGroup var statement: StatementOptions
  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let sql = try statement.text(console)
    // Until the id is printed nobody could end the query, so an interrupt does.
    var run = try QueryRun(console, connection, cancelsOnInterrupt: true)
    run.sql = sql
    let query = try run.submit(sql, statement, isAwaited: false)
    try run.interruption.settle()
    let output = OutputStream(descriptor: console.output)
    output.append("\(query)\n")
    try output.flush()
    return .done
  }
}
