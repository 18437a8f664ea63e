// Owns the syntax of properties files, which is that of Java's `Properties.load`, and `${ENV:NAME}` as Trino
// substitutes it. Knows no setting by name.
import Base

/// One `key=value` of a file.
public struct Property: Sendable, Equatable {
  public var key: String
  public var value: String
  /// Line of the key, from 1.
  public var line: Int
}

/// A properties file: what it sets, and what is wrong with it.
struct PropertiesFile {
  let path: String
  private(set) var properties: [Property] = []
  /// Problems as `path:line: what`, in file order.
  private(set) var problems: [String] = []

  /// Parses the file's text. Problems are collected, so that one start reports them all.
  init(path: String, text: String, variables: [String: String]) {
    self.path = path
    var firstLines: [String: Int] = [:]
    for logical in Self.logicalLines(text) {
      do throws(SettingProblem) {
        var property = try Self.parse(logical.text, line: logical.line)
        if let first = firstLines[property.key] {
          throw SettingProblem("\(property.key) is set twice, first on line \(first)")
        }
        firstLines[property.key] = logical.line
        property.value = try Self.substitute(property.value, key: property.key, variables: variables)
        properties.append(property)
      } catch {
        problems.append(place(logical.line, error))
      }
    }
  }

  /// A problem with its place in front.
  func place(_ line: Int, _ problem: SettingProblem) -> String { "\(path):\(line): \(problem.text)" }

  /// Lines joined where one ends with an odd number of backslashes; comments and blank lines dropped.
  private static func logicalLines(_ text: String) -> [(text: String, line: Int)] {
    var result: [(text: String, line: Int)] = []
    var pending: (text: String, line: Int)?
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    for (index, raw) in lines.enumerated() {
      let line = String(raw.drop(while: isBlank))
      if pending == nil, line.isEmpty || line.first == "#" || line.first == "!" { continue }
      var joined = (text: (pending?.text ?? "") + line, line: pending?.line ?? index + 1)
      if line.reversed().prefix(while: { $0 == "\\" }).count % 2 == 1 {
        joined.text.removeLast()
        pending = joined
      } else {
        result.append(joined)
        pending = nil
      }
    }
    if let pending { result.append(pending) }
    return result
  }

  private static func isBlank(_ character: Character) -> Bool {
    character == " " || character == "\t" || character == "\u{c}"
  }

  /// Splits at the first `=`, `:` or blank that no backslash escapes.
  private static func parse(_ text: String, line: Int) throws(SettingProblem) -> Property {
    var end = text.startIndex
    while end < text.endIndex, text[end] != "=", text[end] != ":", !isBlank(text[end]) {
      let isEscape = text[end] == "\\"
      end = text.index(after: end)
      if isEscape, end < text.endIndex { end = text.index(after: end) }
    }
    let key = try unescape(text[..<end])
    var rest = text[end...].drop(while: isBlank)
    if rest.first == "=" || rest.first == ":" { rest = rest.dropFirst() }
    let value = try unescape(rest).trimmedBlanks
    guard !key.isEmpty else { throw SettingProblem("a key is missing before '='") }
    guard !value.isEmpty else { throw SettingProblem("\(key) has no value") }
    return Property(key: key, value: value, line: line)
  }

  /// Java's escapes: `\t \n \r \f`, `\uXXXX`, and any other character standing for itself.
  private static func unescape(_ text: Substring) throws(SettingProblem) -> String {
    var units: [UInt16] = []
    var rest = text
    while let character = rest.popFirst() {
      guard character == "\\", let escaped = rest.popFirst() else {
        units += String(character).utf16
        continue
      }
      switch escaped {
      case "t": units.append(9)
      case "n": units.append(10)
      case "f": units.append(12)
      case "r": units.append(13)
      case "u":
        let digits = rest.prefix(4)
        guard digits.count == 4, let unit = UInt16(digits, radix: 16) else {
          throw SettingProblem("\\u must be followed by four hexadecimal digits")
        }
        units.append(unit)
        rest = rest.dropFirst(4)
      default: units += String(escaped).utf16
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  /// Replaces `${ENV:NAME}`. As in Trino the provider's name may be in either case, text without a closing brace
  /// stays as it is, and what a variable holds is not substituted again.
  private static func substitute(
    _ value: String, key: String, variables: [String: String]
  ) throws(SettingProblem) -> String {
    var result = ""
    var rest = value[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[dollar...]
      let inside = rest.dropFirst(2).prefix { $0 != "}" }
      guard rest.dropFirst().first == "{", inside.endIndex < rest.endIndex,
        let colon = inside.firstIndex(of: ":")
      else {
        result.append(rest.removeFirst())
        continue
      }
      let provider = inside[..<colon]
      let name = String(inside[inside.index(after: colon)...])
      guard provider.uppercased() == "ENV" else {
        throw SettingProblem("\(key) asks for ${\(inside)}, but the only provider of secrets here is ENV")
      }
      guard let text = variables[name] else {
        throw SettingProblem("\(key) needs the environment variable \(name), which is not set")
      }
      result += text
      rest = rest[rest.index(after: inside.endIndex)...]
    }
    return result + rest
  }
}

/// What is wrong with one setting, without its place.
struct SettingProblem: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
