// Owns how parts of the reader say that bytes are not what the format demands. Knows no files: whoever read the bytes
// adds the file's name, the column and the offset.

/// Bytes that break the format, or ask for more than the limits allow.
struct Damage: Error {
  /// What is wrong, as the end of a sentence that names the file.
  var what: String
  /// Whether the bytes may be fine but use a feature that is not read.
  var isUnsupported = false

  init(_ what: String) { self.what = what }

  /// A feature of the format that is refused by name.
  static func unsupported(_ what: String) -> Damage {
    var damage = Damage(what)
    damage.isUnsupported = true
    return damage
  }
}
