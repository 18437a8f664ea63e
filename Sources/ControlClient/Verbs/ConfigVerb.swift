// Owns `waterbearctl config`: the settings in force.
import ArgumentParser
import ClientAPI
import Columnar
import Wire

struct ConfigVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Print the settings in force.")

  @Flag(name: .long, help: "Only settings that differ from their defaults.")
  var changed = false

  @OptionGroup var output: FormatOptions
  @OptionGroup var connection: ConnectionOptions

  func perform(_ console: Console) throws -> ControlExitCode {
    let format = try output.format(console)
    let status = try connection.client(console).call(AskStatus(), expecting: DaemonStatus.self).message
    var table = RecordTable([
      OutputColumn("key", .varcharUnbounded), OutputColumn("value", .varcharUnbounded),
      OutputColumn("is_default", .boolean), OutputColumn("meaning", .varcharUnbounded),
    ])
    for setting in status.settings.sorted(by: { $0.key < $1.key }) where !changed || !setting.isDefault {
      table.append([
        .text(setting.key), .text(setting.value), .boolean(setting.isDefault), .text(setting.meaning),
      ])
    }
    try table.print(as: format, to: OutputStream(descriptor: console.output))
    return .done
  }
}
