// Owns the choice of a kernel for each scalar function and argument types.

import Base
import Columnar
import Planning

extension ExpressionCompiler {
  /// The node of a function call. Throws FUNCTION_NOT_FOUND where no kernel takes the arguments' types.
  func compileFunction(
    _ function: ScalarFunction, _ arguments: [ExpressionNode], _ type: DataType, _ origin: Origin
  ) throws -> ExpressionNode {
    let types = arguments.map(\.type)
    switch function {
    case .year, .quarter, .month, .week, .day, .hour, .minute, .second, .millisecond, .dayOfWeek, .dayOfYear,
      .yearOfWeek:
      guard types.count == 1, let kernel = dateFieldKernel(function, types[0]) else { break }
      return KernelNode(type, arguments, canFail: false, cost: 6, kernel: kernel)
    case .substring:
      guard types.count == 2 || types.count == 3, types[0].layout == .string else { break }
      return KernelNode(
        type, arguments, canFail: false, cost: 12,
        kernel: substringKernel(types[0], result: type, hasLength: types.count == 3))
    default: break
    }
    let names = types.map(\.description).joined(separator: ", ")
    throw WaterbearError(
      .functionNotFound, "Unexpected parameters (\(names)) for function \(function.rawValue)", at: origin.location)
  }
}
