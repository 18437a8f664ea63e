// Owns `waterbearctl cancel`: end queries.
import ArgumentParser
import Base
import ClientAPI
import Wire

struct CancelVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "End queries.",
    discussion: "Canceling a query that is over does nothing and is no error.")

  @Argument(help: ArgumentHelp("The queries' ids, as submit and list print them.", valueName: "query"))
  var queries: [String]

  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let client = connection.client(console)
    var worst = ControlExitCode.done
    for text in queries {
      let id = QueryID(text)
      do {
        let status = try client.call(CancelQuery(query: id), expecting: QueryStatus.self).message
        if status.state == .finished {
          console.tell("Query \(id) had already finished\n")
        } else if let error = status.error, error.code != .userCanceled {
          console.tell("Query \(id) had already failed: \(error) [\(error.code.rawValue)]\n")
        } else {
          console.tell("Query \(id) was canceled\n")
        }
      } catch let error as WaterbearError {
        // The other queries can still be ended.
        worst = ErrorReport(console, socketPath: connection.socketPath(console)).tell(error)
      }
    }
    return worst
  }
}
