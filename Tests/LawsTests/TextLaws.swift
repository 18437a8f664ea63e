// Owns the laws about files as text: names, lengths, white space and leftovers.

/// Laws that need to know no Swift.
enum TextLaws {
  static let columnsMax = 120
  static let linesMax = 500

  /// Files that may be longer, with the reason.
  static let longFiles: [String: String] = [:]

  /// Names that say nothing.
  static let emptyNames: Set = ["utils", "util", "utilities", "helpers", "helper", "common", "misc", "manager"]

  /// Files whose names others gave.
  static let foreignNames: Set = ["exchange-manager.properties"]

  /// No file is called by a name under which anything could be put.
  static func nameViolations(in paths: [String]) -> [Violation] {
    paths.compactMap { path in
      let file = path.split(separator: "/").last.map(String.init) ?? ""
      guard !foreignNames.contains(file) else { return nil }
      let words = words(of: String(file.split(separator: ".").first ?? ""))
      guard let empty = words.first(where: { emptyNames.contains($0) }) else { return nil }
      return Violation(path: path, line: 0, message: "a file called '\(empty)' has no subject of its own")
    }
  }

  /// `SpoolReader+Pages` as spool, reader, pages.
  private static func words(of name: String) -> [String] {
    var words = [""]
    for character in name {
      if !character.isLetter {
        words.append("")
      } else if character.isUppercase, words.last?.last?.isLowercase ?? false {
        words.append(character.lowercased())
      } else {
        words[words.count - 1] += character.lowercased()
      }
    }
    return words
  }

  /// Lines are short, without tabs and trailing spaces, and the last one ends with one line feed.
  static func lineViolations(path: String, text: String) -> [Violation] {
    var found: [Violation] = []
    func report(_ line: Int, _ message: String) {
      found.append(Violation(path: path, line: line, message: message))
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.count > columnsMax, path.hasSuffix(".swift") {
        report(index + 1, "\(line.count) columns; \(columnsMax) are allowed")
      }
      if line.contains("\t") { report(index + 1, "a tab") }
      if line.last?.isWhitespace ?? false { report(index + 1, "spaces at the end") }
    }
    if !text.hasSuffix("\n") || text.hasSuffix("\n\n") { report(lines.count, "does not end with one line feed") }
    return found
  }

  /// No file is so long that nobody reads it.
  static func lengthViolations(in file: SourceFile) -> [Violation] {
    let count = file.lines.count - 1
    guard count > linesMax, longFiles[file.path] == nil else { return [] }
    return [file.violation(0, "\(count) lines; \(linesMax) are allowed")]
  }

  /// No marks of work left undone. (They are put together here, so that this file has none.)
  static let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]

  static func leftoverViolations(path: String, text: String) -> [Violation] {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
      leftovers.filter { line.containsWord($0) }.map {
        Violation(path: path, line: index + 1, message: "\($0): work left undone belongs in an issue")
      }
    }
  }
}
