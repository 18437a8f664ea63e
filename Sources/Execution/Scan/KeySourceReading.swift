// Owns the reading of another stage's keys for a scan: once for each process, as far as that is worth it.

import Columnar
import ConnectorAPI
import Planning

/// The keys of a source; without any where there were too many to be of use.
private final class SharedKeys: SharedBuild {
  let summary: KeySummary?

  init(_ summary: KeySummary?) { self.summary = summary }

  var retainedBytes: Int { summary?.retainedBytes ?? 0 }
}

/// Loads the keys of one source of a fragment.
final class KeySourceReading {
  /// Keys that need more memory than this while they are read are not read to the end: the filter is given up. It shows
  /// in the task's output, so that this must not depend on the memory grant, which differs between attempts.
  private let bytesMax: Int

  /// Nil until the keys were loaded.
  private(set) var outcome: KeySourceOutcome?

  private let source: KeySource
  private let number: Int
  private let context: TaskContext
  private let input: TaskInput
  private let account: MemoryAccount

  /// `number` is the source's place in the fragment.
  init(_ source: KeySource, number: Int, context: TaskContext, input: TaskInput, bytesMax: Int = 128 << 20) {
    self.source = source
    self.bytesMax = bytesMax
    self.number = number
    self.context = context
    self.input = input
    account = context.memory.account("DynamicFilterSourceOperator")
  }

  /// The keys that another task of this process has read, else those that are read now.
  func load() throws -> KeySummary? {
    let keys: SharedKeys
    if let sharing = context.sharing {
      let key = SharedBuilds.Key(
        scope: sharing.scope, node: -1 - number, inputs: [sharing.inputIdentity(source.fragment)])
      keys = try sharing.builds.build(key, checkStop: input.checkStop) { try SharedKeys(read()) }
    } else {
      keys = try SharedKeys(read())
    }
    try account.set(keys.retainedBytes)
    outcome = KeySourceOutcome(fragment: source.fragment, column: source.key.name, keys: keys.summary?.count)
    return keys.summary
  }

  private func read() throws -> KeySummary? {
    guard let column = source.columns.firstIndex(of: source.key) else {
      preconditionFailure("fragment \(source.fragment) does not give \(source.key)")
    }
    let keys = ColumnBuilder(type: source.key.type)
    let rows = try context.openRemoteSource(source.fragment)
    while let batch = try rows.next() {
      try input.checkStop()
      input.count(batch)
      let values = batch.columns[column]
      let needed = keys.retainedBytes + keys.growth(for: batch.count)
      if needed > bytesMax || keys.count + batch.count > KeySummary.keysMax { return nil }
      try account.set(needed)
      if values.mayHaveNulls {
        let present = RowIndices(capacity: batch.count)
        for row in 0..<batch.count where !values.isNull(row) {
          present.base[present.count] = Int32(truncatingIfNeeded: row)
          present.count += 1
        }
        keys.append(values, rows: present.base, count: present.count)
      } else {
        keys.append(values, rows: nil, count: batch.count)
      }
    }
    try account.set(keys.retainedBytes)
    return try KeySummary(keys.vector(), account: account)
  }
}
