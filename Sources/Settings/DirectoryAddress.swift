// Owns the two ways in which a directory may be written: as a path, and as an address with `file:`.

/// A directory of a mounted file system. `/mnt/a` and `file:///mnt/a` are the same.
public struct DirectoryAddress: SettingValue {
  public static var settingTypeName: String { "directory" }

  /// The absolute path, without a slash at its end.
  public let path: String

  init(path: String) { self.path = path }

  /// Nil for relative paths, for other schemes, and for hosts.
  public init?(settingText: String) {
    var text = settingText
    if text.lowercased().hasPrefix("file:///") {
      guard let decoded = Self.decoded(text.dropFirst("file://".count)) else { return nil }
      text = decoded
    }
    guard text.hasPrefix("/"), !text.contains("\0") else { return nil }
    while text.count > 1, text.hasSuffix("/") { text.removeLast() }
    path = text
  }

  public var settingText: String { path }

  /// Without percent signs, each of which stands before the two digits of a byte.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let code = UInt8(Substring(digits), radix: 16) else { return nil }
      bytes.append(code)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
