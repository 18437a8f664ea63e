// Owns what the program knows of its surroundings: descriptors, terminals, environment. Reads no command line.
import CPlatform
import Glibc

/// Columns and rows of a terminal.
public struct TerminalSize: Hashable, Sendable {
  public var columns: Int
  public var rows: Int

  public init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}

/// Where the answer, the messages and the input are, and what they may look like.
public struct Console: Sendable {
  public var input: Int32
  public var output: Int32
  public var error: Int32
  public var outputIsTerminal: Bool
  public var errorIsTerminal: Bool
  /// Whether what goes to a terminal may have colours.
  public var allowsColour: Bool
  /// Whether the terminal understands moving the cursor.
  public var movesCursor: Bool
  public var environment: [String: String]
  /// The size of the terminal behind `error`, asked each time, because people resize windows.
  public var size: @Sendable () -> TerminalSize
  /// Whether this is a process of its own, which may set signal actions.
  public var ownsProcess: Bool

  public init(
    input: Int32, output: Int32, error: Int32, outputIsTerminal: Bool = false, errorIsTerminal: Bool = false,
    allowsColour: Bool = false, movesCursor: Bool = true, environment: [String: String] = [:],
    ownsProcess: Bool = false,
    size: @escaping @Sendable () -> TerminalSize = { TerminalSize(columns: 80, rows: 24) }
  ) {
    self.input = input
    self.output = output
    self.error = error
    self.outputIsTerminal = outputIsTerminal
    self.errorIsTerminal = errorIsTerminal
    self.allowsColour = allowsColour
    self.movesCursor = movesCursor
    self.environment = environment
    self.ownsProcess = ownsProcess
    self.size = size
  }

  /// The console of this process. NO_COLOR (no-color.org) counts where it is set and not empty.
  public static func process() -> Console {
    var environment: [String: String] = [:]
    for name in ["NO_COLOR", "TERM", "WATERBEAR_SOCKET"] {
      if let value = getenv(name) { environment[name] = String(cString: value) }
    }
    let errorIsTerminal = isatty(STDERR_FILENO) == 1
    let isDumb = environment["TERM"] ?? "dumb" == "dumb"
    return Console(
      input: STDIN_FILENO, output: STDOUT_FILENO, error: STDERR_FILENO, outputIsTerminal: isatty(STDOUT_FILENO) == 1,
      errorIsTerminal: errorIsTerminal,
      allowsColour: !isDumb && environment["NO_COLOR", default: ""].isEmpty, movesCursor: !isDumb,
      environment: environment, ownsProcess: true, size: { Self.terminalSize(STDERR_FILENO) })
  }

  private static func terminalSize(_ descriptor: Int32) -> TerminalSize {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard wb_terminal_size(descriptor, &columns, &rows) == 0, columns > 0, rows > 0 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(columns), rows: Int(rows))
  }

  /// Writes a message to people. Nobody may be listening, and that must not matter: a failure is ignored.
  public func tell(_ text: String) {
    let bytes = Array(text.utf8)
    var written = 0
    bytes.withUnsafeBytes { raw in
      while written < raw.count {
        guard let start = raw.baseAddress else { return }
        let count = write(error, start + written, raw.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        written += count
      }
    }
  }
}
