// Owns JSON of a few nested objects, written field by field; rows in bulk are RowWriter's.

/// Writes JSON values in order. Fields belong to the object begun last.
struct JSONObject {
  private let output: OutputStream
  private var needsComma = false

  init(_ output: OutputStream) { self.output = output }

  mutating func begin() { open("{") }
  mutating func end() { close("}") }
  mutating func beginArray(_ name: String) {
    key(name)
    open("[")
  }
  mutating func endArray() { close("]") }

  mutating func field(_ name: String, _ text: String?) {
    key(name)
    string(text)
  }

  mutating func field(_ name: String, _ number: (some BinaryInteger)?) {
    key(name)
    output.append(number.map { "\($0)" } ?? "null")
    needsComma = true
  }

  mutating func field(_ name: String, _ flag: Bool) {
    key(name)
    output.append(flag ? "true" : "false")
    needsComma = true
  }

  mutating func field(_ name: String, _ texts: [String]) {
    beginArray(name)
    for text in texts {
      comma()
      string(text)
    }
    endArray()
  }

  private mutating func string(_ text: String?) {
    if let text { CellSyntax.json.append(text, to: output.buffer) } else { output.append("null") }
    needsComma = true
  }

  private mutating func key(_ name: String) {
    comma()
    CellSyntax.json.append(name, to: output.buffer)
    output.append(":")
    needsComma = false
  }

  private mutating func comma() { if needsComma { output.append(",") } }

  private mutating func open(_ mark: String) {
    comma()
    output.append(mark)
    needsComma = false
  }

  private mutating func close(_ mark: String) {
    output.append(mark)
    needsComma = true
  }
}
