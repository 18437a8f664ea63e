// Owns running the program in the test's own process, with files in place of its descriptors.
import Glibc

@testable import ControlClient

/// What a call of the program gave.
struct ControlRun {
  var code: ControlExitCode
  var output: String
  /// The output as it came, which may be no text.
  var outputBytes: [UInt8]
  var error: String

  /// Runs the program with `arguments`. `input` is what standard input holds.
  static func of(
    _ arguments: [String], input: String = "", configure: (inout Console) -> Void = { _ in }
  ) throws -> ControlRun {
    let files = [TemporaryFile(), TemporaryFile(), TemporaryFile()]
    files[0].write(input)
    var console = Console(input: files[0].descriptor, output: files[1].descriptor, error: files[2].descriptor)
    configure(&console)
    let code = Control.run(arguments, console: console)
    return ControlRun(
      code: code, output: files[1].contents(), outputBytes: files[1].bytes(), error: files[2].contents())
  }
}

/// A file without a name.
final class TemporaryFile {
  let descriptor: Int32

  init() {
    var template = Array("/tmp/waterbear-test-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    precondition(descriptor >= 0, "the machine has a writable /tmp")
    unlink(template)
  }

  deinit { close(descriptor) }

  /// Writes and goes back to the start, for a reader.
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "the disk has room")
    lseek(descriptor, 0, SEEK_SET)
  }

  func contents() -> String { String(decoding: bytes(), as: UTF8.self) }

  func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }
}
