// Owns the hidden subcommands under which the supervisor starts its children. Their options are ProcessContext's.
import ArgumentParser
import CoordinatorProcess
import Glibc
import Platform
import WorkerProcess

/// `waterbeard coordinator …`, started by the supervisor.
struct CoordinatorRole: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "coordinator", shouldDisplay: false)

  @Argument(parsing: .captureForPassthrough) var options: [String] = []

  func run() throws { Glibc.exit(CoordinatorMain.run(try context("coordinator", options))) }
}

/// `waterbeard worker …`, started by the supervisor.
struct WorkerRole: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

  @Argument(parsing: .captureForPassthrough) var options: [String] = []

  func run() throws { Glibc.exit(WorkerMain.run(try context("worker", options))) }
}

private func context(_ subcommand: String, _ options: [String]) throws -> ProcessContext {
  guard let context = ProcessContext(arguments: [subcommand] + options) else {
    throw ValidationError("\(subcommand) processes are started by waterbeard serve only")
  }
  return context
}
