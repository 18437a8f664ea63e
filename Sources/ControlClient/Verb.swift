// Owns what every verb of waterbearctl has.
import ArgumentParser

/// A verb. `perform` does the work with nothing but the console, so that tests can call it in their own process.
protocol Verb: ParsableCommand {
  var connection: ConnectionOptions { get }
  /// Throws what `ErrorReport` explains.
  func perform(_ console: Console) throws -> ControlExitCode
}
