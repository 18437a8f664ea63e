// Proves gathering, flattening and hashing on every encoding.

import Columnar
import Testing

struct VectorGatherTests {
  static let types: [(DataType, [Value])] = [
    (.boolean, [.boolean(true), .boolean(false), .null]),
    (.tinyint, [.integer(-128), .integer(5), .null]),
    (.smallint, [.integer(-32768), .integer(5), .null]),
    (.integer, [.integer(1 << 30), .integer(-7), .null]),
    (.bigint, [.integer(.max), .integer(.min), .null]),
    (.decimal(precision: 38, scale: 0), [.int128(Int128(1) << 100), .int128(-1), .null]),
    (.real, [.double(0.5), .double(-1), .null]),
    (.double, [.double(0.1), .double(-1), .null]),
    (.varcharUnbounded, [.text("short"), .text("a string that is longer than twelve bytes"), .null]),
  ]

  static func forms(_ type: DataType, _ values: [Value], count: Int) -> [(Vector, [Value])] {
    var builder = VectorBuilder(type: type)
    var rows: [Value] = []
    for row in 0..<count {
      rows.append(values[(row * 7 + row / 3) % values.count])
      builder.append(rows[row])
    }
    var small = VectorBuilder(type: type)
    for value in values { small.append(value) }
    let dictionary = small.finish()
    let indices = Buffer(count: count, of: Int32.self)
    for row in 0..<count { indices.pointer(to: Int32.self)[row] = Int32((row * 5) % values.count) }
    return [
      (builder.finish(), rows),
      (
        Vector(dictionary: dictionary, indices: indices, count: count),
        (0..<count).map { values[($0 * 5) % values.count] }
      ),
      (Vector.repeating(values[0], type: type, count: count), Array(repeating: values[0], count: count)),
      (Vector.repeating(.null, type: type, count: count), Array(repeating: .null, count: count)),
    ]
  }

  @Test(arguments: types.indices)
  func gathers(_ index: Int) {
    let (type, values) = Self.types[index]
    for (vector, rows) in Self.forms(type, values, count: 200) {
      for count in [0, 1, 63, 64, 65, 150] {
        let indices = (0..<count).map { Int32(($0 * 37) % 200) }
        let nullable = indices.enumerated().map { $0.offset % 3 == 1 ? -1 : $0.element }
        let gathered = vector.gather(indices, count: count)
        #expect((0..<count).map { gathered.value(at: $0) } == indices.map { rows[Int($0)] })
        #expect(gathered.encoding == vector.encoding)
        let outer = vector.gatherNullable(nullable, count: count)
        #expect((0..<count).map { outer.value(at: $0) } == nullable.map { $0 < 0 ? .null : rows[Int($0)] })
      }
      let flat = vector.flattened()
      #expect(flat.encoding == .flat)
      #expect((0..<200).map { flat.value(at: $0) } == rows)
    }
  }

  @Test func gatherNullableFromNothingIsNull() {
    let empty = Vector(flat: .bigint, count: 0, values: Buffer(byteCount: 0))
    let result = empty.gatherNullable([-1, -1], count: 2)
    #expect(result.value(at: 0) == .null && result.value(at: 1) == .null && result.count == 2)
  }

  @Test func batchGatherOfAllIsTheBatch() {
    let column = Vector.repeating(.integer(1), type: .bigint, count: 3)
    let batch = Batch(columns: [column], count: 3)
    #expect(batch.gather(.all(3)).columns[0] === column)
    #expect(batch.gather(.none).count == 0)
    let indices = Buffer(count: 2, of: Int32.self)
    indices.pointer(to: Int32.self)[0] = 0
    indices.pointer(to: Int32.self)[1] = 2
    #expect(batch.gather(Selection(indices: indices, count: 2)).count == 2)
  }

  @Test func materialisedSelectionListsAllRows() {
    let buffer = Selection.all(5).materialised()
    #expect((0..<5).map { buffer.pointer(to: Int32.self)[$0] } == [0, 1, 2, 3, 4])
  }
}
