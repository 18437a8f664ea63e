// Owns the five letters at the end of query ids, which tell one data directory's queries from another's.

import Sealing

enum InstanceName {
  /// Derived from the master key, so that they stay the same for the life of the data directory.
  static func letters(of masterKey: SealingKey) throws -> String {
    // Trino's letters: no vowels, so that no words appear.
    let alphabet = Array("bcdfghjkmnpqrstvwxyz23456789")
    let bytes = try masterKey.derived(for: Array("waterbear instance name".utf8)).bytes
    return String(bytes.prefix(5).map { alphabet[Int($0) % alphabet.count] })
  }
}
