// Owns `waterbearctl workers`: the worker processes and what they do.
import ArgumentParser
import ClientAPI
import Columnar
import Wire

struct WorkersVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "workers", abstract: "List the worker processes and what runs on them.")

  @OptionGroup var output: FormatOptions
  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let format = try output.format(console)
    let list = try connection.client(console).call(ListWorkers(), expecting: WorkerList.self).message
    var table = RecordTable([
      OutputColumn("worker", .integer), OutputColumn("pid", .integer), OutputColumn("state", .varcharUnbounded),
      OutputColumn("slots", .integer), OutputColumn("running", .integer), OutputColumn("memory_bytes", .bigint),
      OutputColumn("resident_bytes", .bigint), OutputColumn("uptime_seconds", .bigint),
      OutputColumn("attempts", .varcharUnbounded),
    ])
    for worker in list.workers.sorted(by: { $0.number < $1.number }) {
      table.append([
        .number(worker.number), .number(worker.pid), .text(worker.state), .number(worker.slots),
        .number(worker.running.count), .number(worker.memoryBytes), .number(worker.residentBytes),
        .number(worker.uptimeMicroseconds / 1_000_000), .text(worker.running.joined(separator: " ")),
      ])
    }
    try table.print(as: format, to: OutputStream(descriptor: console.output))
    return .done
  }
}
