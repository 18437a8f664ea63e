// Owns a disk of a chosen size that a test can fill, and its end.
import Base
import Foundation
import Glibc

/// A tmpfs mounted below a directory of its own.
final class SmallDisk {
  let path: String
  private let directory: TemporaryDirectory

  /// Whether this process may mount.
  static let isPossible: Bool = {
    guard let disk = try? SmallDisk(bytes: 1 << 20) else { return false }
    return !disk.path.isEmpty
  }()

  init(bytes: Int) throws {
    directory = try TemporaryDirectory()
    path = directory.path + "/disk"
    mkdir(path, 0o700)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes),mode=0700") == 0 else {
      throw WaterbearError(.permissionDenied, "cannot mount a tmpfs")
    }
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }

  /// Writes a file that leaves no room.
  func fill() {
    let file = fopen(path + "/filler", "w")
    var block = [UInt8](repeating: 1, count: 1 << 16)
    while fwrite(&block, 1, block.count, file) == block.count {}
    fclose(file)
    // What stdio kept back: smaller writes until nothing fits.
    let small = fopen(path + "/filler", "a")
    setvbuf(small, nil, _IONBF, 0)
    while fwrite(&block, 1, 512, small) == 512 {}
    fclose(small)
  }

  func free() { unlink(path + "/filler") }
}
