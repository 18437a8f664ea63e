// Owns the law that the log keeps what docs/events.md promises: tools match on events and their fields.

/// The law about log events.
enum EventLaws {
  /// Fields by event, as the table of docs/events.md has them.
  static func documented(_ markdown: String) -> [String: Set<String>] {
    var events: [String: Set<String>] = [:]
    for line in markdown.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { words(in: $0) }
      guard cells.count >= 3, let event = cells[0].first else { continue }
      events[event] = Set(cells[2])
    }
    return events
  }

  /// What stands between backquotes.
  private static func words(in text: Substring) -> [String] {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
  }

  /// Event names by the enumeration's cases.
  static func names(_ declaration: SourceFile) -> [String: String] {
    var names: [String: String] = [:]
    for line in declaration.lines {
      let words = line.split(separator: " ")
      guard words.count == 4, words[0] == "case", words[2] == "=" else { continue }
      names[String(words[1])] = words[3].filter { $0 != "\"" }
    }
    return names
  }

  /// Calls that write an event name only fields that the event has. Fields that are added elsewhere are not seen.
  static func violations(
    in file: SourceFile, names: [String: String], documented: [String: Set<String>]
  ) -> [Violation] {
    let text = Array(file.lines.joined(separator: "\n").utf8)
    let code = Array(file.code.joined(separator: "\n").utf8)
    guard text.count == code.count else { return [file.violation(0, "code and text differ in length")] }
    var found: [Violation] = []
    for start in code.indices where starts(code, start, with: ".write(") {
      guard let end = closing(code, from: start + 6) else { continue }
      let call = String(decoding: code[start..<end], as: UTF8.self)
      let arguments = call.drop { $0 != "(" }.dropFirst().drop { $0.isWhitespace }
      guard arguments.first == ".", let event = names[String(arguments.dropFirst().prefix { $0.isPartOfName })] else {
        continue
      }
      let allowed = documented[event] ?? []
      let line = text[..<start].count { $0 == UInt8(ascii: "\n") } + 1
      for field in keys(in: String(decoding: text[start..<end], as: UTF8.self)) where !allowed.contains(field) {
        found.append(file.violation(line, "\(event) has no field \(field) in docs/events.md"))
      }
    }
    return found
  }

  private static func starts(_ code: [UInt8], _ start: Int, with word: StaticString) -> Bool {
    word.withUTF8Buffer { start + $0.count <= code.count && code[start..<(start + $0.count)].elementsEqual($0) }
  }

  /// The place behind the parenthesis that closes the one at `start`.
  private static func closing(_ code: [UInt8], from start: Int) -> Int? {
    var depth = 0
    for place in start..<code.count {
      if code[place] == UInt8(ascii: "(") { depth += 1 }
      if code[place] == UInt8(ascii: ")") { depth -= 1 }
      if depth == 0 { return place + 1 }
    }
    return nil
  }

  /// String literals that are followed by a colon.
  private static func keys(in call: String) -> [String] {
    let parts = call.split(separator: "\"", omittingEmptySubsequences: false)
    return parts.indices.filter { !$0.isMultiple(of: 2) && $0 + 1 < parts.count && parts[$0 + 1].hasPrefix(":") }
      .map { String(parts[$0]) }
  }

  /// An event that is documented is written somewhere.
  static func unwritten(names: [String: String], files: [SourceFile]) -> [String] {
    let others = files.filter { !$0.path.hasPrefix("Sources/Telemetry/LogEvent") }
    return names.keys.filter { name in
      !others.contains { file in file.code.contains { $0.containsWord(name) } }
    }.sorted()
  }
}
