// Owns the one error type that crosses module and process borders.

/// Where in the SQL text an error was found; both counts start at 1, as Trino prints them.
public struct SourceLocation: Hashable, Codable, Sendable, CustomStringConvertible {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public var description: String { "line \(line):\(column)" }
}

/// An operating error: what happened, where, and what to do. Bugs trap instead.
///
/// `code` decides about retries. `causes` runs from the nearest cause to the root cause.
public struct WaterbearError: Error, Hashable, Codable, Sendable, CustomStringConvertible {
  public var code: ErrorCode
  public var message: String
  public var location: SourceLocation?
  public var causes: [String]
  public var remedy: String?

  public init(
    _ code: ErrorCode, _ message: String, at location: SourceLocation? = nil, causes: [String] = [],
    remedy: String? = nil
  ) {
    self.code = code
    self.message = message
    self.location = location
    self.causes = causes
    self.remedy = remedy
  }

  /// The message as a person reads it, with the place in front, in Trino's form `line 1:8: …`.
  public var description: String {
    guard let location else { return message }
    return "\(location): \(message)"
  }

  /// This error as the outcome of a larger step that failed because of it.
  public func asCause(of message: String, code: ErrorCode? = nil) -> WaterbearError {
    WaterbearError(
      code ?? self.code, message, at: location, causes: [self.message] + causes, remedy: remedy)
  }

  /// Any error as a `WaterbearError`; one that is none becomes GENERIC_INTERNAL_ERROR.
  public static func wrapping(_ error: any Error) -> WaterbearError {
    if let known = error as? WaterbearError { return known }
    return WaterbearError(.genericInternalError, String(describing: error))
  }
}
