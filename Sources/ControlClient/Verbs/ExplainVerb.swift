// Owns `waterbearctl explain`: print a statement's plan.
import ArgumentParser

struct ExplainVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Print the plan of a statement without running it.")

  enum PlanType: String, CaseIterable, ExpressibleByArgument { case logical, distributed }
  enum PlanFormat: String, CaseIterable, ExpressibleByArgument { case text, json, graphviz }

  @OptionGroup var statement: StatementOptions

  @Option(name: .long, help: ArgumentHelp("logical or distributed.", valueName: "type"))
  var type = PlanType.distributed

  @Option(name: .long, help: ArgumentHelp("text, json or graphviz.", valueName: "format"))
  var format = PlanFormat.text

  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let sql = try statement.text(console)
    var run = try QueryRun(console, connection, cancelsOnInterrupt: true)
    run.sql = sql
    // On a line of its own, so that the columns of errors are those of the user's text.
    run.addedLines = 1
    let words = "EXPLAIN (TYPE \(type.rawValue.uppercased()), FORMAT \(format.rawValue.uppercased()))"
    let query = try run.submit(words + "\n" + sql, statement)
    let stream = OutputStream(descriptor: console.output)
    try run.printResult(of: query, with: RawWriter(output: stream), to: stream)
    return .done
  }
}
