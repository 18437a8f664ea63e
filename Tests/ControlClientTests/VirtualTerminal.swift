// Owns a terminal for tests: it does what the program's escape sequences ask and tells what is to be seen.

/// A screen of some columns that scrolls without end. Text beyond the last column wraps, as on a real one.
struct VirtualTerminal {
  let columns: Int
  private(set) var lines: [[Character]] = [[]]
  private var row = 0
  private var column = 0

  init(columns: Int) { self.columns = columns }

  /// What is visible, without blanks at the ends of lines and without empty lines at the end.
  var screen: [String] {
    var texts = lines.map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return String(line)
    }
    while texts.last == "" { texts.removeLast() }
    return texts
  }

  mutating func write(_ text: String) {
    var rest = Substring(text)
    while let character = rest.popFirst() {
      switch character {
      case "\n":
        row += 1
        column = 0
        if row == lines.count { lines.append([]) }
      case "\r": column = 0
      case "\u{1b}": control(&rest)
      default: put(character)
      }
    }
  }

  private mutating func put(_ character: Character) {
    if column == columns {
      row += 1
      column = 0
      if row == lines.count { lines.append([]) }
    }
    while lines[row].count <= column { lines[row].append(" ") }
    lines[row][column] = character
    column += 1
  }

  private mutating func control(_ rest: inout Substring) {
    precondition(rest.popFirst() == "[", "only control sequences are understood")
    let digits = rest.prefix { $0.isNumber || $0 == ";" }
    rest.removeFirst(digits.count)
    let count = Int(digits) ?? 1
    switch rest.popFirst() {
    case "A": row = max(0, row - count)
    case "K": lines[row].removeSubrange(min(column, lines[row].count)...)
    case "J":
      lines[row].removeSubrange(min(column, lines[row].count)...)
      lines.removeSubrange((row + 1)...)
    case "m": break
    case let other: preconditionFailure("unknown sequence \(String(describing: other))")
    }
  }
}
