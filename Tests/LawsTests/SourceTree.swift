// Owns finding the repository's files from the place of this one.
import Foundation

/// The files of the repository that laws are about.
enum SourceTree {
  /// The repository's directory.
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../..").standardizedFileURL

  /// Every Swift file: the manifest, the sources and the tests. Read once.
  static let swiftFiles: [SourceFile] = {
    paths.filter { $0.hasSuffix(".swift") }.map { SourceFile(path: $0, text: text(of: $0)) }
  }()

  /// Every file that people write, relative to the repository.
  static let paths: [String] = {
    let top = ["Package.swift", "README.md", "LICENSE", ".ci", "Sources", "Tests", "systemd", "etc", "tools", "docs"]
    return top.flatMap { name -> [String] in
      let url = root.appending(path: name)
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else { return [] }
      guard isDirectory.boolValue else { return [name] }
      let below = FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []
      return below.map { name + "/" + $0 }
    }.filter { path in
      var isDirectory: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isDirectory)
      return exists && !isDirectory.boolValue && !path.contains("__pycache__")
    }.sorted()
  }()

  /// A file's text; damaged UTF-8 is replaced, since the compiler reports it.
  static func text(of path: String) -> String {
    do {
      return String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    } catch {
      preconditionFailure("cannot read \(path): \(error)")
    }
  }

  static let manifest = Manifest(text(of: "Package.swift"))
}
