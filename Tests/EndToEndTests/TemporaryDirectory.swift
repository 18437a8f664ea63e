// Owns a directory that goes with the test.
import Base
import Foundation
import Platform

/// A directory of its own, removed with this object, or kept for a look into it where WATERBEAR_KEEP is set.
final class TemporaryDirectory {
  let path: String

  /// Where temporary files go: TMPDIR, else /tmp.
  static var base: String { ProcessEnvironment.current["TMPDIR"] ?? "/tmp" }

  init() throws {
    // Short, since the paths of sockets below it are limited to 107 bytes.
    var template = Array("\(Self.base)/wb-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemCall.failure("cannot make a directory", errno) }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // mkdtemp leaves a closing zero.
  }

  deinit {
    guard ProcessEnvironment.current["WATERBEAR_KEEP"] == nil else { return print("kept \(path)") }
    // Nothing depends on it, and the system clears its temporary directory.
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ text: String, to name: String) throws {
    let file = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }
}

/// The files below a directory, relative to it; none where there is no such directory.
func files(below path: String) -> [String] {
  guard let names = FileManager.default.enumerator(atPath: path) else { return [] }
  return names.compactMap { $0 as? String }.filter { name in
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isDirectory)
      && !isDirectory.boolValue
  }.sorted()
}
