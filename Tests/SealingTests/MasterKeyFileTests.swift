// The master key file: made once with mode 0600, read again, refused where it is not what it should be.
import Base
import Glibc
import Sealing
import Testing

final class MasterKeyFileTests {
  private let directory: String
  private var path: String { directory + "/master.key" }

  init() throws {
    let suffix = try RandomBytes.make(8).map { String($0, radix: 16) }.joined()
    directory = (getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir) + "/waterbear-key-" + suffix
    try #require(mkdir(directory, 0o700) == 0)
  }

  deinit {
    for name in names() { unlink(directory + "/" + name) }
    rmdir(directory)
  }

  @Test func isMadeOnceAndReadAgain() throws {
    let first = try MasterKeyFile.loadOrCreate(path)
    let second = try MasterKeyFile.loadOrCreate(path)
    #expect(first.bytes == second.bytes)
    #expect(names() == ["master.key"])
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(status.st_size == 32)
  }

  @Test(arguments: [0o640, 0o604, 0o666, 0o620] as [mode_t])
  func widerModeIsRefused(mode: mode_t) throws {
    _ = try MasterKeyFile.loadOrCreate(path)
    #expect(chmod(path, mode) == 0)
    let error = #expect(throws: WaterbearError.self) { try MasterKeyFile.loadOrCreate(self.path) }
    #expect(error?.message.contains("mode 0\(String(mode, radix: 8))") == true)
  }

  @Test(arguments: [0, 31, 33, 5000])
  func wrongLengthIsRefused(count: Int) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
    #expect(write(descriptor, [UInt8](repeating: 1, count: count), count) == count)
    close(descriptor)
    let error = #expect(throws: WaterbearError.self) { try MasterKeyFile.loadOrCreate(self.path) }
    #expect(error?.message.contains("should hold 32 bytes") == true)
  }

  @Test func directoryAndMissingParentAreRefused() throws {
    #expect(throws: WaterbearError.self) { try MasterKeyFile.loadOrCreate(self.directory) }
    #expect(throws: WaterbearError.self) { try MasterKeyFile.loadOrCreate(self.path + "/below") }
    #expect(names().isEmpty)
  }

  @Test func manyAtOnceGetTheSameKey() async throws {
    let path = path
    let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<16 { group.addTask { try MasterKeyFile.loadOrCreate(path).bytes } }
      return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
    }
    #expect(keys.count == 1)
  }

  private func names() -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { found.append(name) }
    }
    return found
  }
}
