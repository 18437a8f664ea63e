// Owns `waterbearctl wait`: wait for a query's end.
import ArgumentParser
import Base
import ClientAPI

struct WaitVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait for a query's end.",
    discussion: "Exit code 0 if it finished, 1 if it failed, with its error on standard error.")

  @Argument(help: ArgumentHelp("The query's id, as submit and list print it.", valueName: "query"))
  var query: String

  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let run = try QueryRun(console, connection, cancelsOnInterrupt: false)
    let id = QueryID(query)
    do {
      let status = try QueryStream.wait(for: id, client: run.client, onProgress: run.progress.show)
      run.progress.end()
      try run.interruption.settle()
      if let error = status.error { throw run.failure(id, error) }
      return status.state == .finished ? .done : .failed
    } catch {
      run.progress.end()
      try run.interruption.settle()
      throw error
    }
  }
}
