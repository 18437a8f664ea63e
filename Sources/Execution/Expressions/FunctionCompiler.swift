// Owns the choice of a kernel for each scalar function and argument types.

import Base
import Columnar
import Planning

extension ExpressionCompiler {
  /// The node of a function call. Throws FUNCTION_NOT_FOUND where no kernel takes the arguments' types.
  func compileFunction(
    _ function: ScalarFunction, _ arguments: [ExpressionNode], _ type: DataType, _ origin: Origin
  ) throws -> ExpressionNode {
    if function == .random { return RandomNode(type, arguments, seed: nextSeed(), origin) }
    let call = FunctionCall(function: function, types: arguments.map(\.type), result: type, origin: origin)
    if let constant = call.constant { return ConstantNode(constant, type: type) }
    if function == .greatest || function == .least, let first = arguments.first {
      return arguments.dropFirst().reduce(first) { node, next in
        KernelNode(
          type, [node, next], canFail: false, cost: 2, kernel: pickKernel(greatest: function == .greatest, type))
      }
    }
    guard !arguments.isEmpty,
      let choice = call.numberChoice ?? call.timeChoice ?? call.textChoice ?? call.textSearchChoice
    else {
      let names = call.types.map(\.description).joined(separator: ", ")
      throw WaterbearError(
        .functionNotFound, "Unexpected parameters (\(names)) for function \(function.rawValue)", at: origin.location)
    }
    return KernelNode(type, arguments, canFail: choice.canFail, cost: choice.cost, kernel: choice.kernel)
  }
}

/// A function with the types it is called with.
private struct FunctionCall {
  let function: ScalarFunction
  let types: [DataType]
  let result: DataType
  let origin: Origin

  typealias Choice = (kernel: Kernel, canFail: Bool, cost: Int)

  private func choice(_ kernel: Kernel?, canFail: Bool = false, cost: Int) -> Choice? {
    kernel.map { ($0, canFail, cost) }
  }

  private func isText(_ position: Int) -> Bool { types.count > position && types[position].layout == .string }

  /// The value of a function without arguments.
  var constant: Value? {
    guard types.isEmpty else { return nil }
    return switch function {
    case .pi: .double(.pi)
    case .e: .double(2.718281828459045)
    case .nan: .double(.nan)
    case .infinity: .double(.infinity)
    default: nil
    }
  }

  var numberChoice: Choice? {
    if types == [.double], let kernel = doubleFunctionKernel(function) { return choice(kernel, cost: 20) }
    if types == [.double], let kernel = doubleTestKernel(function) { return choice(kernel, cost: 1) }
    if types == [.double, .double], let kernel = doublePairKernel(function) { return choice(kernel, cost: 40) }
    if types.allSatisfy({ $0 == .bigint }), types.count == (function == .bitwiseNot ? 1 : 2),
      let kernel = bitwiseKernel(function)
    {
      return choice(kernel, cost: 1)
    }
    switch function {
    case .abs:
      let isInteger = types[0].integerRank != nil
      return choice(absoluteKernel(types[0], origin), canFail: isInteger, cost: 1)
    case .sign: return choice(signKernel(types[0], result), cost: 1)
    case .round: return rounding(.round)
    case .truncate: return rounding(.truncate)
    case .ceiling: return rounding(.ceiling)
    case .floor: return rounding(.floor)
    case .mod: return modulus
    case .onlyRow: return types == [.bigint] ? choice(onlyRowKernel(origin), canFail: true, cost: 1) : nil
    default: return nil
    }
  }

  private func rounding(_ mode: RoundingMode) -> Choice? {
    if types.count == 1 { return choice(roundingKernel(mode, types[0], result), cost: 8) }
    guard types.count == 2, types[1] == .integer, mode == .round || mode == .truncate else { return nil }
    let canFail = types[0] != .real && types[0] != .double
    return choice(roundingToPlacesKernel(mode, types[0], result, origin), canFail: canFail, cost: 30)
  }

  private var modulus: Choice? {
    guard types.count == 2 else { return nil }
    switch (types[0], types[1]) {
    case (.decimal, .decimal):
      return choice(decimalArithmeticKernel(.modulus, types[0], types[1], result, origin), canFail: true, cost: 20)
    case (.real, .real), (.double, .double):
      return choice(floatArithmeticKernel(.modulus, result), cost: 8)
    default:
      guard types[0] == types[1], types[0].integerRank != nil else { return nil }
      return choice(integerArithmeticKernel(.modulus, result, origin), canFail: true, cost: 12)
    }
  }

  var timeChoice: Choice? {
    switch function {
    case .year, .quarter, .month, .week, .day, .hour, .minute, .second, .millisecond, .dayOfWeek, .dayOfYear,
      .yearOfWeek:
      return types.count == 1 ? choice(dateFieldKernel(function, types[0]), cost: 6) : nil
    case .dateTrunc:
      guard types.count == 2, isText(0), isInstant(1) else { return nil }
      return choice(dateTruncKernel(types[1], origin), canFail: true, cost: 10)
    case .dateAdd:
      guard types.count == 3, isText(0), types[1] == .bigint, isInstant(2) else { return nil }
      return choice(dateAddKernel(types[2], origin), canFail: true, cost: 10)
    case .dateDiff:
      guard types.count == 3, isText(0), isInstant(1), isInstant(2) else { return nil }
      return choice(dateDiffKernel(types[2], origin), canFail: true, cost: 10)
    case .lastDayOfMonth:
      guard types.count == 1, isInstant(0) else { return nil }
      // The last day of the month around the last date there is lies out of range.
      return choice(lastDayOfMonthKernel(origin), canFail: true, cost: 8)
    default: return nil
    }
  }

  private func isInstant(_ position: Int) -> Bool {
    if case .timestamp = types[position] { return true }
    return types[position] == .date
  }

  var textChoice: Choice? {
    guard isText(0) || function == .chr else { return nil }
    switch function {
    case .length: return choice(lengthKernel(types[0]), cost: 6)
    case .lower: return choice(caseKernel(upper: false, result), cost: 20)
    case .upper: return choice(caseKernel(upper: true, result), cost: 20)
    case .reverse: return choice(reverseKernel(result), cost: 20)
    case .trim: return trimming(.both)
    case .ltrim: return trimming(.left)
    case .rtrim: return trimming(.right)
    case .storedText: return choice(storedTextKernel(types[0], result, origin), canFail: true, cost: 6)
    case .codepoint: return choice(codePointKernel(origin), canFail: true, cost: 6)
    case .chr: return types == [.bigint] ? choice(characterKernel(origin), canFail: true, cost: 20) : nil
    case .substring:
      guard types.count == 2 || types.count == 3, types.dropFirst().allSatisfy({ $0 == .bigint }) else { return nil }
      return choice(substringKernel(types[0], result: result, hasLength: types.count == 3), cost: 12)
    case .concat:
      guard types.allSatisfy({ $0.layout == .string }) else { return nil }
      return choice(concatKernel(result, origin), canFail: true, cost: 20)
    case .lpad, .rpad:
      guard types.count == 3, types[1] == .bigint, isText(2) else { return nil }
      return choice(padKernel(left: function == .lpad, result, origin), canFail: true, cost: 30)
    default: return nil
    }
  }

  private func trimming(_ side: TrimSide) -> Choice? {
    guard types.count == 1 || (types.count == 2 && isText(1)) else { return nil }
    return choice(trimKernel(side, result, hasCharacters: types.count == 2), cost: 10)
  }

  var textSearchChoice: Choice? {
    guard isText(0), isText(1) else { return nil }
    switch function {
    case .strpos:
      guard types.count == 2 || (types.count == 3 && types[2] == .bigint) else { return nil }
      return choice(positionKernel(hasInstance: types.count == 3, origin), canFail: types.count == 3, cost: 30)
    case .startsWith: return types.count == 2 ? choice(startsWithKernel(), cost: 6) : nil
    case .splitPart:
      guard types.count == 3, types[2] == .bigint else { return nil }
      return choice(splitPartKernel(result, origin), canFail: true, cost: 30)
    case .replace:
      guard types.count == 2 || (types.count == 3 && isText(2)) else { return nil }
      return choice(replaceKernel(result, hasReplacement: types.count == 3, origin), canFail: true, cost: 40)
    default: return nil
    }
  }
}
