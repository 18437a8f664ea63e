// Tests that a write appears whole or not at all: crashes between any two steps, late attempts, other writers.

import Base
import Columnar
import ConnectorAPI
import Glibc
import Testing

@testable import FilesConnector

@Suite struct CommitTests {
  private static let columns: [(String, DataType)] = [("a", .bigint), ("k", .varcharUnbounded)]
  private static let parts: [[[Value]]] = [
    [[.integer(1), .text("x")], [.integer(2), .text("y")]], [[.integer(3), .text("x")]],
  ]
  private static let rows: [[Value]] = [
    [.integer(1), .text("x")], [.integer(2), .text("y")], [.integer(3), .text("x")],
  ]

  /// Fails a commit at its first change, then at its second, and so on, until one gets through; each is repeated.
  /// `prepare` makes a catalog with a write that is ready; `before` and `after` are what readers may see.
  private func crash(
    before: [[Value]]?, after: [[Value]], _ prepare: (TestCatalog) throws -> (WriteHandle, [[UInt8]])
  ) throws {
    var failures = 0
    while true {
      let faults = Faults()
      let catalog = try TestCatalog(onChange: faults.change)
      try catalog.makeDirectory("s")
      let (handle, outputs) = try prepare(catalog)
      #expect(try catalog.sorted("t") == before)
      faults.failAfter(failures)
      var isDone = true
      do {
        try catalog.connector.commit(handle, outputs: outputs)
      } catch is Faults.Crash {
        isDone = false
      }
      faults.failAfter(nil)
      let seen = try catalog.sorted("t")
      #expect(seen == before || seen == after, "after \(failures) changes")
      if isDone { #expect(seen == after) }
      for _ in 0..<2 {
        try catalog.connector.commit(handle, outputs: outputs)
        #expect(try catalog.sorted("t") == after, "after \(failures) changes and a repetition")
        if isDone { break }
      }
      try catalog.connector.abort(handle)
      #expect(try catalog.sorted("t") == after)
      #expect(catalog.leftovers == [])
      if isDone { break }
      failures += 1
      try #require(failures < 200)
    }
    #expect(failures > 4)
  }

  @Test(arguments: [[:], ["partitioned_by": PropertyValue.list([.text("k")])]])
  func newTables(properties: [String: PropertyValue]) throws {
    try crash(before: nil, after: Self.rows) { catalog in
      let handle = try catalog.beginCreate("t", Self.columns, properties)
      // An attempt that is not selected has written more.
      _ = try catalog.write(handle, [[.integer(9), .text("z")]], partition: 1, number: 1)
      return (handle, try Self.parts.enumerated().map { try catalog.write(handle, $1, partition: $0) })
    }
  }

  @Test func newTablesWithoutRows() throws {
    try crash(before: nil, after: []) { (try $0.beginCreate("t", Self.columns), []) }
  }

  @Test(arguments: [[:], ["partitioned_by": PropertyValue.list([.text("k")])]], [1, 2])
  func addedRows(properties: [String: PropertyValue], attempts: Int) throws {
    let more: [[Value]] = [[.integer(4), .text("z")], [.integer(5), .text("z")]]
    try crash(before: Self.rows, after: Self.rows + more.prefix(attempts)) { catalog in
      try catalog.create("t", Self.columns, Self.parts, properties)
      let handle = try catalog.beginInsert("t", query: 2)
      return (handle, try (0..<attempts).map { try catalog.write(handle, [more[$0]], partition: $0) })
    }
  }

  @Test func dropsAreCompleted() throws {
    var failures = 0
    while true {
      let faults = Faults()
      let catalog = try TestCatalog(onChange: faults.change)
      try catalog.makeDirectory("s")
      try catalog.create("t", Self.columns, Self.parts)
      let table = try catalog.beginDrop("t")
      faults.failAfter(failures)
      var isDone = true
      do {
        try catalog.connector.drop(table)
        try catalog.connector.finishDrop(table)
      } catch is Faults.Crash {
        isDone = false
      }
      faults.failAfter(nil)
      let seen = try catalog.sorted("t")
      #expect(seen == nil || seen == Self.rows)
      if !isDone {
        do {
          try catalog.connector.drop(table)
        } catch let error as WaterbearError {
          #expect(error.code == .tableNotFound)
        }
        try catalog.connector.finishDrop(table)
      }
      #expect(catalog.names(below: "s") == [])
      if isDone { break }
      failures += 1
    }
    #expect(failures > 3)
  }

  // MARK: Attempts

  @Test func nothingIsVisibleBeforeTheCommit() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let handle = try catalog.beginCreate("t", Self.columns)
    #expect(catalog.names(below: "s") == [])
    let output = try catalog.write(handle, Self.parts[0])
    #expect(try catalog.connector.tableNames(in: "s") == [])
    try catalog.connector.commit(handle, outputs: [output])
    #expect(try catalog.connector.tableNames(in: "s") == ["t"])
    #expect(try catalog.read("t") == Self.parts[0])
  }

  @Test func discardedAttemptsLeaveNothing() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let handle = try catalog.beginCreate("t", Self.columns)
    let sink = try catalog.connector.pageSink(for: handle, attempt: TestCatalog.attempt(0, of: TestCatalog.query(1)))
    try sink.append(TestCatalog.batch(Self.parts[0], handle.columns))
    #expect(sink.retainedBytes > 0)
    sink.abort()
    #expect(!catalog.names(below: "s").contains { $0.hasSuffix(".parquet") })
    try catalog.connector.abort(handle)
    try catalog.connector.abort(handle)
    #expect(catalog.names(below: "s") == [])
  }

  @Test func lateAttemptsChangeNothing() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let handle = try catalog.beginCreate("t", Self.columns)
    let query = TestCatalog.query(1)
    let late = try catalog.connector.pageSink(for: handle, attempt: TestCatalog.attempt(0, 7, of: query))
    try late.append(TestCatalog.batch([[.integer(9), .null]], handle.columns))
    let outputs = [try catalog.write(handle, Self.parts[0])]
    try catalog.connector.commit(handle, outputs: outputs)
    // One goes on, another starts, when all is over.
    try late.append(TestCatalog.batch([[.integer(9), .null]], handle.columns))
    _ = try? late.finish()  // Whether that fails is no matter.
    _ = try catalog.write(handle, [[.integer(8), .null]], partition: 3)
    #expect(try catalog.read("t") == Self.parts[0])
    #expect(catalog.leftovers != [])
    try catalog.connector.abort(handle)
    #expect(catalog.leftovers == [])
    #expect(try catalog.read("t") == Self.parts[0])
  }

  @Test func missingOutputIsNotCommitted() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let handle = try catalog.beginCreate("t", Self.columns)
    let outputs = try Self.parts.enumerated().map { try catalog.write(handle, $1, partition: $0) }
    try catalog.connector.abort(handle)
    #expect(throws: WaterbearError.self) { try catalog.connector.commit(handle, outputs: outputs) }
    #expect(try catalog.read("t") == nil)
  }

  // MARK: Other writers

  @Test func twoWritersOfOneTable() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let first = try catalog.beginCreate("t", Self.columns, query: 1)
    let second = try catalog.beginCreate("t", Self.columns, query: 2)
    let outputs = try [first, second].map { [try catalog.write($0, Self.parts[0])] }
    try catalog.connector.commit(second, outputs: outputs[1])
    #expect { try catalog.connector.commit(first, outputs: outputs[0]) } throws: {
      ($0 as? WaterbearError)?.code == .tableAlreadyExists
    }
    try catalog.connector.abort(first)
    #expect(throws: WaterbearError.self) { try catalog.beginCreate("t", Self.columns, query: 3) }
    let inserts = try [4, 5].map { try catalog.beginInsert("t", query: $0) }
    let added = try inserts.map { [try catalog.write($0, Self.parts[1])] }
    for (handle, output) in zip(inserts, added) { try catalog.connector.commit(handle, outputs: output) }
    #expect(try catalog.sorted("t") == Self.parts[0] + Self.parts[1] + Self.parts[1])
    for handle in [second] + inserts { try catalog.connector.abort(handle) }
    #expect(catalog.leftovers == [])
  }

  @Test func tablesThatWereDroppedMeanwhileTakeNoRows() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    try catalog.create("t", Self.columns, Self.parts)
    let handle = try catalog.beginInsert("t", query: 2)
    let outputs = [try catalog.write(handle, Self.parts[0])]
    try catalog.drop("t")
    for _ in 0..<2 {
      #expect { try catalog.connector.commit(handle, outputs: outputs) } throws: {
        ($0 as? WaterbearError)?.code == .tableNotFound
      }
      // Another table of the same name is not the one that was meant either.
      if try catalog.read("t") == nil { try catalog.create("t", Self.columns, [], query: 3) }
    }
    try catalog.connector.abort(handle)
    #expect(try catalog.read("t") == [])
    #expect(catalog.leftovers == [])
  }

  @Test func dropsWhileReading() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    try catalog.create("t", Self.columns, Self.parts, ["format": .text("csv")])
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let splits = try catalog.connector.splits(of: table.handle, columns: table.columns, constraint: .all)
    let open = try catalog.connector.pageSource(
      for: splits[0], of: table.handle, columns: table.columns, constraint: .all)
    try catalog.drop("t")
    #expect(try open.next()?.count == 2)
    #expect { _ = try catalog.read(splits[1], of: table) } throws: {
      ($0 as? WaterbearError)?.message.hasSuffix("was removed or renamed while the query ran") ?? false
    }
    #expect(throws: WaterbearError.self) { try catalog.connector.beginDrop(table.handle, query: TestCatalog.query(2)) }
  }

  // MARK: Drops

  @Test(arguments: [true, false])
  func repeatedDropsSpareTheTableThatWasMadeMeanwhile(isOurs: Bool) throws {
    for isHiddenStillThere in [true, false] {
      let catalog = try TestCatalog()
      try catalog.makeDirectory("s")
      func make(_ query: Int) throws {
        if isOurs { return try catalog.create("t", Self.columns, [Self.rows], query: query) }
        try catalog.write("a,k\n1,x\n2,y\n3,x\n", to: "s/t/f.csv")
      }
      try make(1)
      let drop = try catalog.beginDrop("t", query: 2)
      try catalog.connector.drop(drop)
      // The coordinator dies before it has noted the end; somebody else makes the table again.
      if !isHiddenStillThere {
        // A table of others is told by its inode, which must not be given out again while the drop may be repeated.
        guard isOurs else { continue }
        try catalog.connector.finishDrop(drop)
      }
      try make(3)
      do {
        try catalog.connector.drop(drop)
      } catch let error as WaterbearError {
        #expect(error.code == .tableNotFound)
      }
      #expect(try catalog.sorted("t") == Self.rows)
      try catalog.connector.finishDrop(drop)
      #expect(try catalog.sorted("t") == Self.rows)
      #expect(catalog.leftovers == [])
    }
  }

  @Test func dropsMeanTheTableThatWasThere() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    try catalog.create("t", Self.columns, Self.parts)
    let drop = try catalog.beginDrop("t", query: 2)
    try catalog.drop("t")
    try catalog.create("t", Self.columns, Self.parts, query: 3)
    #expect { try catalog.connector.drop(drop) } throws: { ($0 as? WaterbearError)?.code == .tableNotFound }
    #expect(try catalog.sorted("t") == Self.rows)
  }

  @Test func whatCannotBeRemovedFailsNeitherDropNorCommit() throws {
    let catalog = try TestCatalog(onChange: { change in
      if case .remove = change { throw WaterbearError(.filesFilesystemError, "no") }
    })
    try catalog.makeDirectory("s")
    let handle = try catalog.beginCreate("t", Self.columns)
    let output = try catalog.write(handle, Self.rows)
    _ = try catalog.write(handle, Self.rows, number: 1)
    try catalog.connector.commit(handle, outputs: [output])
    #expect(try catalog.sorted("t") == Self.rows)
    #expect(throws: WaterbearError.self) { try catalog.connector.abort(handle) }
    try catalog.connector.drop(try catalog.beginDrop("t", query: 2))
    #expect(try catalog.read("t") == nil)
    try catalog.makeDirectory("s/u")
    try catalog.write("a\n1\n", to: "s/u/f.csv")
    try catalog.connector.drop(try catalog.beginDrop("u", query: 3))
    #expect(try catalog.read("u") == nil)
  }

  @Test func whatNobodyKnowsAnyMoreIsSwept() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    try catalog.create("t", Self.columns, Self.parts)
    for query in [4, 5] {
      let handle = try catalog.beginCreate("u", Self.columns, query: query)
      _ = try catalog.write(handle, Self.rows)
    }
    try catalog.connector.drop(try catalog.beginDrop("t", query: 6))
    try catalog.write("", to: "s/.waterbear-other")
    let known = "\(TestCatalog.query(4))"
    try catalog.connector.sweep { $0 != known }
    let left = catalog.names().filter { $0.split(separator: "/").count == 2 }
    #expect(left == ["s/.waterbear-other", "s/.waterbear-write-\(known)"])
  }

  // MARK: What stands in the way

  @Test func namesThatAreTakenAreSeenBeforeRowsAreWritten() throws {
    let catalog = try TestCatalog()
    try catalog.write("no table", to: "s/t")
    try #require(symlink("nowhere", catalog.path + "/s/u") == 0)
    for name in ["t", "u"] {
      #expect { _ = try catalog.beginCreate(name, Self.columns) } throws: {
        ($0 as? WaterbearError)?.code == .tableAlreadyExists
      }
    }
  }

  @Test func anAttemptThatTheStoreForgotLeavesNoRows() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let properties = ["partitioned_by": PropertyValue.list([.text("k")])]
    let handle = try catalog.beginCreate("t", Self.columns, properties)
    // Files of attempt 0, which after a power cut is started again with other rows.
    _ = try catalog.write(handle, [[.integer(7), .text("old")], [.integer(8), .text("older")]])
    let output = try catalog.write(handle, Self.rows)
    try catalog.connector.commit(handle, outputs: [output])
    #expect(try catalog.sorted("t") == Self.rows)
  }

  @Test func partitionsTooLongForANameAreTheUsersError() throws {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    let handle = try catalog.beginCreate("t", Self.columns, ["partitioned_by": .list([.text("k")])])
    #expect { _ = try catalog.write(handle, [[.integer(1), .text(String(repeating: "x", count: 300))]]) } throws: {
      let error = $0 as? WaterbearError
      return error?.code.type == .userError && error?.message.contains("'k'") == true
    }
    #expect { _ = try catalog.beginCreate(String(repeating: "n", count: 300), Self.columns) } throws: {
      ($0 as? WaterbearError)?.code.type == .userError
    }
  }
}
