// Owns plans kept as text in `Plans`: each test compares with its file. WATERBEAR_UPDATE=1 writes the files anew.

import Testing

#if canImport(Glibc)
import Glibc
#endif

enum Snapshot {
  private static let folder: String = {
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Plans"
  }()

  private static let isUpdating = getenv("WATERBEAR_UPDATE").map { String(cString: $0) == "1" } ?? false

  /// Records an issue where `text` differs from the file `name`.
  static func expect(_ text: String, named name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let path = "\(folder)/\(name).txt"
    if isUpdating { return try write(text + "\n", to: path) }
    let known = try #require(
      read(path), "\(name).txt is missing; WATERBEAR_UPDATE=1 writes it", sourceLocation: sourceLocation)
    let (old, new) = (lines(known), lines(text + "\n"))
    let shared = zip(old, new).prefix { $0 == $1 }.count
    let first = shared == old.count && shared == new.count ? nil : shared
    guard let first else { return }
    let was = first < old.count ? old[first] : "(end)"
    let now = first < new.count ? new[first] : "(end)"
    Issue.record(
      "\(name).txt, line \(first + 1):\n  was \(was)\n  now \(now)\nWATERBEAR_UPDATE=1 rewrites it",
      sourceLocation: sourceLocation)
  }

  /// The text of a file, its path seen from `Plans`.
  static func file(_ path: String) throws -> String {
    try #require(read("\(folder)/\(path)"), "\(path) cannot be read")
  }

  private static func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  private static func read(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"), "\(path) cannot be written")
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, file)
    #expect(fclose(file) == 0 && written == bytes.count)
  }
}
