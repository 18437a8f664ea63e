// Tests of filters that are applied while lines are read: which rows come out, and which values are not looked at.

import ConnectorAPI
import Testing
import TextColumns
import TextFiles

@testable import JSONLines

@Suite struct FilterTests {
  private let wanted = [
    JSONField(name: "id", type: .bigint), JSONField(name: "text", type: .varcharUnbounded),
    JSONField(name: "none", type: .date), JSONField(name: "n", type: .bigint),
  ]

  private func rows(_ text: String, _ filters: [any RowFilter]) throws -> [[String?]] {
    let file = try TextFile(text)
    return try file.rows(step: nil) { descriptor, range in
      let reader = try JSONLinesReader(
        descriptor, name: "a file", size: file.size, range: range, compression: .none, wanted: wanted, filters: filters)
      return reader.next
    }
  }

  @Test func onlyRowsThatPassComeOut() throws {
    let lines = (0..<30_000).map { "{\"n\":\($0 % 7),\"id\":\($0),\"other\":[1],\"text\":\"row\\t\($0)\"}\n" }
    let first = IntegerFilter([0]) { $0[0]! % 3 == 1 }
    let second = IntegerFilter([2, 3]) { $0[0] == nil && $0[1]! < 2 }
    let found = try rows(lines.joined(), [first, second])
    let expected = (0..<30_000).filter { $0 % 3 == 1 && $0 % 7 < 2 }
    #expect(found == expected.map { ["\($0)", "row\t\($0)", nil, "\($0 % 7)"] })
    #expect(first.seenRows == 30_000)
    #expect(second.seenRows == 10_000)
    #expect(try rows(lines.joined(), [IntegerFilter([0]) { _ in false }, second]).isEmpty)
  }

  @Test func valuesOfOtherRowsAreNotLookedAt() throws {
    let text = """
      {"id":1,"n":5}
      {"id":2,"n":"five"}
      {"id":3,"n":6}
      {"id":4,"n":"six"}

      """
    #expect(try rows(text, [IntegerFilter([0]) { $0[0]! % 2 == 1 }]).map(\.last) == ["5", "6"])
    let error = failure { _ = try rows(text, [IntegerFilter([0]) { $0[0]! > 2 }]) }
    #expect(error?.message.contains("line 4") == true)
    #expect(error?.message.contains("\"six\" in column n is no bigint") == true)
  }
}
