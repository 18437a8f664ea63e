// Owns the public face of compiled expressions: one value per row of a batch.

import Base
import Columnar
import Planning

/// An expression compiled for batches of one layout. Compile once per task; holds scratch memory, so one thread uses it.
public final class ExpressionProgram {
  private let root: ExpressionNode

  /// Compiles `expression`; a symbol's position in `layout` is its column's index in the batches. `seed` decides what
  /// `random()` gives. Throws where a symbol is missing or the types fit no kernel.
  public init(_ expression: Expression, layout: [Symbol], seed: UInt64 = 0) throws {
    root = try ExpressionCompiler(layout: layout).compile(expression)
  }

  public var type: DataType { root.type }

  /// The value for each row: `batch.count` rows in any encoding. Throws the SQL error of the first row found to fail.
  public func evaluate(_ batch: Batch) throws -> Vector {
    try root.evaluate(Rows(batch))
  }
}
