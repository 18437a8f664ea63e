// Owns the options that several verbs share, and what their values mean.
import ArgumentParser
import Base
import ClientAPI
import Glibc
import Platform

/// Where the daemon is and how long it may take.
struct ConnectionOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The daemon's socket (default: $WATERBEAR_SOCKET, else \(Self.systemSocket)).", valueName: "path"))
  var socket: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Give up after this time, such as 30s, 5m or 500ms; exit code 5.", valueName: "time"),
    transform: ConnectionOptions.timeSpan)
  var timeout: TimeSpan?

  /// The socket of the daemon that systemd runs.
  static let systemSocket = "/run/waterbear/waterbear.sock"

  func socketPath(_ console: Console) -> String {
    if let socket { return socket }
    if let named = console.environment["WATERBEAR_SOCKET"], !named.isEmpty { return named }
    return Self.systemSocket
  }

  /// A client that says on the console when the daemon is away; `progress` makes way for that.
  func client(_ console: Console, progress: ProgressDisplay? = nil) -> DaemonClient {
    let client = DaemonClient(socketPath: socketPath(console), timeout: timeout)
    client.onAbsence = { isAway in
      progress?.clear()
      console.tell(isAway ? "the daemon is away; waiting for it …\n" : "the daemon is back\n")
    }
    return client
  }

  @Sendable
  static func timeSpan(_ text: String) throws -> TimeSpan {
    // A bare number is seconds.
    guard let span = TimeSpan(parsing: text) ?? TimeSpan(parsing: text + "s"), span > .zero else {
      throw ValidationError("'\(text)' is no time such as 30s, 5m or 500ms.")
    }
    return span
  }

  func validate() throws {
    if socket == "" { throw ValidationError("--socket is empty.") }
  }
}

extension OutputFormat: ExpressibleByArgument {}

/// In which form rows are printed.
struct FormatOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "\(OutputFormat.names) (default: table on a terminal, else csv).", valueName: "format"))
  var format: OutputFormat?

  func format(_ console: Console) throws -> OutputFormat {
    try (format ?? .standard(for: console)).allowed(on: console)
  }
}

/// The SQL and what its names mean.
struct StatementOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The SQL; - reads it from standard input.", valueName: "sql"))
  var sql: String?

  @Option(name: [.long, .customShort("f")], help: ArgumentHelp("Read the SQL from a file.", valueName: "path"))
  var file: String?

  @Option(name: .long, help: ArgumentHelp("The catalog of names without one.", valueName: "name"))
  var catalog: String?

  @Option(name: .long, help: ArgumentHelp("The schema of names without one.", valueName: "name"))
  var schema: String?

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("A session property; may be given again for others.", valueName: "key=value"))
  var session: [String] = []

  func validate() throws {
    if sql != nil, file != nil { throw ValidationError("Give the SQL or --file, not both.") }
    if sql == nil, file == nil { throw ValidationError("Give the SQL, --file FILE, or - to read standard input.") }
    _ = try properties()
  }

  /// The session properties; the last of two with one name counts.
  func properties() throws -> [String: String] {
    var properties: [String: String] = [:]
    for pair in session {
      guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
        throw ValidationError("--session takes key=value, not '\(pair)'.")
      }
      properties[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
    }
    return properties
  }

  /// The text of the statement, wherever it comes from.
  func text(_ console: Console) throws -> String {
    let text: String
    if let file {
      text = try Self.contents(of: file)
    } else if sql == "-" {
      text = try Self.readAll(console.input, name: "standard input")
    } else {
      text = sql ?? ""
    }
    guard text.contains(where: { !$0.isWhitespace }) else { throw ValidationError("The SQL is empty.") }
    return text
  }

  private static func contents(of path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ValidationError("Cannot read \(path): \(SystemCall.message(errno)).") }
    defer { close(descriptor) }
    return try readAll(descriptor, name: path)
  }

  private static func readAll(_ descriptor: Int32, name: String) throws -> String {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { raw in
        SystemCall.retrying { read(descriptor, raw.baseAddress, raw.count) }
      }
      guard count >= 0 else { throw ValidationError("Cannot read \(name): \(SystemCall.message(errno)).") }
      guard count > 0 else { break }
      text += chunk[..<count]
      guard text.count <= 64 << 20 else { throw ValidationError("\(name) is too long for a statement.") }
    }
    guard let valid = String(validating: text, as: UTF8.self) else {
      throw ValidationError("\(name) is not UTF-8 text.")
    }
    return valid
  }
}
