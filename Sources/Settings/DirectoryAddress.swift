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

  public static func objection(settingText text: String) -> String? {
    guard let scheme = scheme(of: text) else {
      return text.hasPrefix("/")
        ? "'\(text)' is no path" : "'\(text)' is not absolute; write the whole path, beginning with /"
    }
    guard scheme.lowercased() == "file" else {
      return "'\(text)' has the scheme \(scheme); only directories can be used: mount it, and name the directory of "
        + "the mount (docs/hdfs.md)"
    }
    let rest = text.dropFirst(scheme.count + 1)
    guard rest.hasPrefix("//") else { return "'\(text)' is no address of a directory; write file:///PATH" }
    guard rest.hasPrefix("///") else {
      let host = rest.dropFirst(2).prefix { $0 != "/" }
      return "'\(text)' has the host '\(host)'; write file:///PATH, with three slashes and no host, for a directory "
        + "that is mounted here"
    }
    return "'\(text)' is malformed; write % as %25, and other bytes as % and two hexadecimal digits"
  }

  /// What is wrong with a list of directories; nil where each lies apart from the others, as far as their names say.
  static func objection(to list: [DirectoryAddress]) -> String? {
    for (place, address) in list.enumerated() {
      let path = address.path
      if path == "/" { return "'/' is the root directory; give the spool a directory of its own, such as /spool" }
      for other in list[..<place].map(\.path) {
        if path == other { return "'\(path)' is named twice" }
        let (inner, outer) = path.hasPrefix(other + "/") ? (path, other) : (other, path)
        // What `..` leads to, only the disk knows.
        if inner.split(separator: "/").contains("..") { continue }
        if inner.hasPrefix(outer + "/") {
          return "'\(inner)' lies in '\(outer)'; name only one of them, or two that lie beside each other"
        }
      }
    }
    return nil
  }

  /// Nil for what is a path.
  private static func scheme(of text: String) -> String? {
    guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
    let scheme = text[..<colon]
    let isName = scheme.utf8.allSatisfy { byte in
      (97...122).contains(byte | 32) || (48...57).contains(byte) || [43, 45, 46].contains(byte)
    }
    return isName ? String(scheme) : nil
  }

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
