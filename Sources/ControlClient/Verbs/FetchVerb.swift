// Owns `waterbearctl fetch`: print the result of a query submitted before.
import ArgumentParser
import Base

struct FetchVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "fetch", abstract: "Print the result of a query submitted before.",
    discussion: """
      Waits while the query runs. Once all of the result has been written, the daemon may delete it; with --keep it \
      stays until it expires.
      """)

  @Argument(help: ArgumentHelp("The query's id, as submit and list print it.", valueName: "query"))
  var query: String

  @Flag(name: .long, help: "Leave the result at the daemon, to be fetched again.")
  var keep = false

  @OptionGroup var output: FormatOptions
  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let format = try output.format(console)
    var run = try QueryRun(console, connection, cancelsOnInterrupt: false)
    run.keepsResult = keep
    let stream = OutputStream(descriptor: console.output)
    try run.printResult(of: QueryID(query), with: format.writer(to: stream), to: stream)
    return .done
  }
}
