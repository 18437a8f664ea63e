// Proves that FlatBuffers have the bytes that their description asks for.
import Testing

@testable import ArrowIPC

struct FlatBufferBuilderTests {
  @Test func aTableHasItsVtableInFront() {
    var builder = FlatBufferBuilder()
    let root = builder.table([.byte(7), nil, .short(-2)])
    let bytes = builder.finish(root)
    #expect(
      bytes == [
        16, 0, 0, 0, 0, 0,  // where the root is; padding
        10, 0, 8, 0, 5, 0, 0, 0, 6, 0,  // vtable: its bytes, the table's bytes, three slots
        10, 0, 0, 0, 0, 7, 254, 255,  // the way back to the vtable, padding, the fields
      ])
    let table = FlatBufferTable(root: bytes)
    #expect(table.number(0, UInt8.self) == 7)
    #expect(table.number(1, Int64.self) == 0)
    #expect(table.number(2, Int16.self) == -2)
    #expect(table.number(3, Int32.self) == 0)
  }
}
