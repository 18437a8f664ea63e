// Owns telling which column a key of an object is. Knows nothing of values.

import Columnar
import Glibc
import TextColumns

/// The columns by key, compared in lower case. Used by one thread.
///
/// Objects of a file mostly have the same keys in the same order: the keys seen so far are kept as they are written,
/// and the next one is looked for where it was found last time.
final class KeyTable {
  private struct Entry {
    var start: Int32
    var count: Int32
    var column: Int32
  }

  private var columns: [String: Int32] = [:]
  private let collects: Bool
  /// Keys that are no columns, in the order in which they were found; only where they are collected.
  private(set) var found: [String] = []
  private var foundBefore = Set<String>()

  private let entryBuffer = Buffer(count: KeyTable.mostEntries, of: Entry.self)
  private let textBuffer = Buffer(byteCount: KeyTable.mostBytes)
  private var entryCount = 0
  private var textCount = 0
  private var cursor = 0

  /// What is kept of keys as they are written; others are looked up by name each time.
  private static let mostEntries = 128
  private static let mostBytes = 8 << 10
  /// Different keys that are collected.
  static let mostFound = 10_000

  /// `names` in lower case. `collects`: other keys are wanted too.
  init(_ names: [String], collects: Bool = false) {
    self.collects = collects
    for (index, name) in names.enumerated() { columns[name] = Int32(index) }
  }

  /// An object begins.
  @inline(__always)
  func restart() { cursor = 0 }

  /// The column of a key as it is written between its quotes; negative for one that is none.
  @inline(__always)
  func column(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int {
    if cursor < entryCount {
      let entry = entryBuffer.pointer(to: Entry.self)[cursor]
      if isKey(entry, key, count) {
        cursor &+= 1
        return Int(entry.column)
      }
    }
    return search(key, count)
  }

  @inline(__always)
  private func isKey(_ entry: Entry, _ key: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    Int(entry.count) == count && memcmp(textBuffer.base + Int(entry.start), key, count) == 0
  }

  @inline(never)
  private func search(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let entries = entryBuffer.pointer(to: Entry.self)
    // Keys that an object leaves out make the next one lie ahead.
    var index = cursor
    for _ in 0..<entryCount {
      index = index &+ 1 < entryCount ? index &+ 1 : 0
      if isKey(entries[index], key, count) {
        cursor = index &+ 1
        return Int(entries[index].column)
      }
    }
    let column = columnByName(key, count)
    if entryCount < Self.mostEntries, textCount + count <= Self.mostBytes {
      (textBuffer.base + textCount).copyMemory(from: key, byteCount: count)
      entries[entryCount] = Entry(start: Int32(textCount), count: Int32(count), column: Int32(column))
      entryCount += 1
      textCount += count
      cursor = entryCount
    }
    return column
  }

  private func columnByName(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let name = Self.name(key, count)
    if let column = columns[name] { return Int(column) }
    if collects, found.count <= Self.mostFound, foundBefore.insert(name).inserted { found.append(name) }
    return -1
  }

  /// The name that a key stands for. What is malformed in it becomes replacement characters.
  private static func name(_ key: UnsafePointer<UInt8>, _ count: Int) -> String {
    let written = UnsafeBufferPointer(start: key, count: count)
    guard written.contains(UInt8(ascii: "\\")) else { return String(decoding: written, as: UTF8.self).lowercased() }
    let copy = Buffer(byteCount: count)
    let target = copy.pointer(to: UInt8.self)
    let length = EscapeRule.json.unescape(written, to: target)
    return withExtendedLifetime(copy) {
      let text = length.map { UnsafeBufferPointer(start: UnsafePointer(target), count: $0) } ?? written
      return String(decoding: text, as: UTF8.self).lowercased()
    }
  }
}
