// Tests of filters that are applied while rows are read: which rows come out, and which fields are not looked at.

import Columnar
import ConnectorAPI
import Testing
import TextColumns
import TextFiles

@testable import Delimited

@Suite struct FilterTests {
  private let dialect = Dialect(delimiter: 0x2c, hasHeader: false, fieldCount: 4)
  private let wanted = [
    WantedField(position: 0, name: "id", type: .bigint),
    WantedField(position: 2, name: "text", type: .varcharUnbounded),
    WantedField(position: nil, name: "none", type: .date), WantedField(position: 3, name: "n", type: .bigint),
  ]

  private func rows(_ text: String, _ filters: [any RowFilter]) throws -> [[String?]] {
    let file = try TextFile(text)
    return try file.rows(step: nil) { descriptor, range in
      let reader = try DelimitedReader(
        descriptor, name: "a file", size: file.size, range: range, compression: .none, dialect: dialect, wanted: wanted,
        filters: filters)
      return reader.next
    }
  }

  @Test func onlyRowsThatPassComeOut() throws {
    let lines = (0..<30_000).map { "\($0),x,\"a text of row \"\"\($0)\"\"\",\($0 % 7)\n" }
    let first = IntegerFilter([0]) { $0[0]! % 3 == 1 }
    let second = IntegerFilter([2, 3]) { $0[0] == nil && $0[1]! < 2 }
    let found = try rows(lines.joined(), [first, second])
    let expected = (0..<30_000).filter { $0 % 3 == 1 && $0 % 7 < 2 }
    #expect(found == expected.map { ["\($0)", "a text of row \"\($0)\"", nil, "\($0 % 7)"] })
    #expect(first.seenRows == 30_000)
    #expect(second.seenRows == 10_000)
    #expect(try rows(lines.joined(), [IntegerFilter([0]) { _ in true }]).count == 30_000)
    #expect(try rows(lines.joined(), [IntegerFilter([0]) { _ in false }, second]).isEmpty)
    #expect(try rows(lines.joined(), [IntegerFilter([]) { _ in true }]).count == 30_000)
  }

  @Test func fieldsOfOtherRowsAreNotLookedAt() throws {
    let text = "1,x,y,5\n2,x,y,five\n3,x,y,6\n4,x,y,six\n"
    #expect(try rows(text, [IntegerFilter([0]) { $0[0]! % 2 == 1 }]).map(\.last) == ["5", "6"])
    let error = failure { _ = try rows(text, [IntegerFilter([0]) { $0[0]! > 2 }]) }
    #expect(error?.message == "a file, line 4, offset 33: 'six' in column n is no bigint")
  }
}
