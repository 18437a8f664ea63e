// Owns writing a small file so that a reader, or a start after a power cut, finds the old or the new content and
// never a mix of both.
import Base
import Glibc

/// Small files that are replaced as a whole.
public enum AtomicFile {
  /// Writes a temporary file beside `path`, makes it durable, renames it over `path` and makes the rename durable.
  /// Costs two fsync calls. The temporary file is removed where a step fails.
  public static func write(_ bytes: some Sequence<UInt8>, to path: String, mode: mode_t) throws {
    let temporary = "\(path).\(getpid()).new"
    do {
      // O_EXCL after unlink: never write through a link that somebody else put there.
      unlink(temporary)
      let file = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
      try file.writeAll(bytes)
      guard fsync(file.number) == 0 else { throw SystemCall.failure("cannot sync \(temporary)", errno) }
      guard rename(temporary, path) == 0 else {
        throw SystemCall.failure("cannot rename \(temporary) to \(path)", errno)
      }
      try syncDirectory(of: path)
    } catch {
      unlink(temporary)
      throw WaterbearError.wrapping(error).asCause(of: "cannot write \(path)")
    }
  }

  /// The whole file, at most `limit` bytes; nil where there is none.
  public static func read(_ path: String, limit: Int) throws -> [UInt8]? {
    let number = SystemCall.retrying { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
    if number < 0 && errno == ENOENT { return nil }
    guard number >= 0 else { throw SystemCall.failure("cannot open \(path)", errno) }
    let file = OwnedDescriptor(adopting: number)
    var content: [UInt8] = []
    while let chunk = try file.readAvailable(limit: 64 << 10), !chunk.isEmpty {
      content += chunk
      guard content.count <= limit else {
        throw WaterbearError(.genericInternalError, "\(path) holds more than \(limit) bytes")
      }
    }
    return content
  }

  private static func syncDirectory(of path: String) throws {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = try OwnedDescriptor.open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY)
    guard fsync(descriptor.number) == 0 else { throw SystemCall.failure("cannot sync \(directory)", errno) }
  }
}
