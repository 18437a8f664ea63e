// Owns a mounted file system with HDFS's rules for one test, from its compilation to its end.
import Base
import Foundation
import Glibc
import Platform

/// The file system of Tests/HDFSFileSystem, mounted in a directory of its own.
final class HDFSMount {
  var path: String { directory.path + "/mount" }

  private let directory: TemporaryDirectory
  private var server: Command?

  private static let source = URL(filePath: #filePath).resolvingSymlinksInPath()
    .appending(path: "../../HDFSFileSystem/hdfs-like.c").standardizedFileURL.path

  /// Why it cannot be mounted here; nil where it can.
  static let obstacle: String? = {
    if access("/dev/fuse", R_OK | W_OK) != 0 { return "there is no /dev/fuse, or not for this account" }
    guard let found = try? run("pkg-config --exists fuse3 && cc --version"), found.succeeded else {
      return "a C compiler, pkg-config and libfuse3-dev are needed"
    }
    do {
      _ = try HDFSMount("")
      return nil
    } catch {
      return "\(error)"
    }
  }()

  /// Compiles and mounts it with these lines of configuration.
  init(_ configuration: String) throws {
    directory = try TemporaryDirectory()
    for name in ["root", "mount"] { mkdir(directory.path + "/" + name, 0o700) }
    try directory.write(configuration, to: "config")
    let program = directory.path + "/hdfs-like"
    let compiled = try Self.run("cc -O2 -o '\(program)' '\(Self.source)' $(pkg-config --cflags --libs fuse3)")
    guard compiled.succeeded else { throw WaterbearError(.genericExternal, compiled.error) }
    server = try Command(program, [directory.path + "/root", path, directory.path + "/config"])
    let deadline = SystemClock.monotonic() + .seconds(10)
    while !isMounted {
      guard server?.end() == nil, SystemClock.monotonic() < deadline else {
        throw WaterbearError(.genericExternal, "the file system could not be mounted")
      }
      SystemClock.sleep(.milliseconds(10))
    }
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    server = nil
  }

  /// Other lines of configuration, from now on.
  func configure(_ configuration: String) throws {
    try directory.write(configuration, to: "config")
    server?.send(SIGUSR1)
    SystemClock.sleep(.milliseconds(50))
  }

  /// The rules that were broken, each with the file.
  var violations: [String] {
    let text = (try? String(contentsOfFile: directory.path + "/config.violations", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  private var isMounted: Bool {
    var (below, above) = (stat(), stat())
    return stat(directory.path, &below) == 0 && stat(path, &above) == 0 && below.st_dev != above.st_dev
  }

  private static func run(_ line: String) throws -> Command.Result {
    try Command("/bin/sh", ["-c", line]).finish(within: .seconds(60))
  }
}
