// Owns the second look at a file that was read: a content that changed meanwhile must not pass for the one that was
// meant.

import Columnar
import ConnectorAPI
import Platform

/// Gives what another source gives, and looks at the end whether the file is still the same; also before an error is
/// handed on, of which a change may be the cause.
final class CheckedPageSource: PageSource {
  private let source: any PageSource
  private let check: () throws -> Void

  let appliesFilters: Bool

  init(_ source: any PageSource, of file: DataFile, opened descriptor: OwnedDescriptor) {
    self.source = source
    check = { try file.checkUnchanged(descriptor) }
    appliesFilters = source.appliesFilters
  }

  func next() throws -> Batch? {
    let batch: Batch?
    do {
      batch = try source.next()
    } catch {
      try check()
      throw error
    }
    if batch == nil { try check() }
    return batch
  }
}

/// What a reader of text gives, which applies the filters.
final class TextPageSource: PageSource {
  let appliesFilters = true
  private let read: () throws -> Batch?

  init(_ read: @escaping () throws -> Batch?) { self.read = read }

  func next() throws -> Batch? { try read() }
}
