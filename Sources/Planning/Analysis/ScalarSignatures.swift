// Owns the scalar functions that SQL can call: their names, argument types and result types. Trino's functions.

import Base
import Columnar

/// One way to call a function.
struct ScalarSignature {
  enum Parameter {
    case exactly(DataType)
    /// varchar of any length.
    case varchar
    /// decimal of any precision and scale.
    case decimal
    /// date, or timestamp of any precision.
    case dateOrTimestamp
    /// timestamp of any precision.
    case timestamp

    var description: String {
      switch self {
      case .exactly(let type): type.description
      case .varchar: "varchar(x)"
      case .decimal: "decimal(p,s)"
      case .dateOrTimestamp: "date or timestamp(p)"
      case .timestamp: "timestamp(p)"
      }
    }

    /// The type an argument of type `source` takes here; nil where it does not fit.
    func accept(_ source: DataType) -> DataType? {
      switch self {
      case .exactly(let type): return TypeCoercion.canCoerce(source, to: type) ? type : nil
      case .varchar:
        switch source {
        case .varchar: return source
        case .char(let length): return .varchar(length: length)
        case .unknown: return .varcharUnbounded
        default: return nil
        }
      case .decimal:
        // Integers become decimals only where no overload takes them as they are.
        if source == .unknown { return .decimal(precision: 1, scale: 0) }
        return TypeCoercion.asDecimal(source).map { .decimal(precision: $0.precision, scale: $0.scale) }
      case .dateOrTimestamp:
        if case .timestamp = source { return source }
        return source == .date || source == .unknown ? .date : nil
      case .timestamp:
        if case .timestamp = source { return source }
        return source == .unknown ? .timestamp(precision: 3) : source == .date ? .timestamp(precision: 0) : nil
      }
    }
  }

  var function: ScalarFunction
  var parameters: [Parameter]
  /// Whether the last parameter may be repeated.
  var isVariadic = false
  var result: @Sendable ([DataType]) -> DataType

  /// The argument types after coercion; nil where the arguments do not fit.
  func accept(_ arguments: [DataType]) -> [DataType]? {
    guard arguments.count == parameters.count || (isVariadic && arguments.count > parameters.count) else {
      return nil
    }
    var accepted: [DataType] = []
    for (index, argument) in arguments.enumerated() {
      guard let type = parameters[min(index, parameters.count - 1)].accept(argument) else { return nil }
      accepted.append(type)
    }
    return accepted
  }
}

/// The functions by name.
enum ScalarSignatures {
  /// The overloads of `name` (lower case), the most specific first; nil where there is no such function.
  static func named(_ name: String) -> [ScalarSignature]? { table[name] }

  /// All names, sorted, for SHOW FUNCTIONS.
  static var names: [String] { table.keys.sorted() }

  private static let integers: [DataType] = [.tinyint, .smallint, .integer, .bigint]

  private static let table: [String: [ScalarSignature]] = {
    var table: [String: [ScalarSignature]] = [:]
    addNumbers(to: &table)
    addDoubles(to: &table)
    addTexts(to: &table)
    addTimes(to: &table)
    return table
  }()

  private static func fixed(
    _ function: ScalarFunction, _ parameters: [DataType], _ result: DataType
  ) -> ScalarSignature {
    ScalarSignature(function: function, parameters: parameters.map { .exactly($0) }, result: { _ in result })
  }

  /// Overloads on every numeric type, with the same result type except for decimals.
  private static func numeric(
    _ function: ScalarFunction, extra: [DataType] = [],
    decimal: @escaping @Sendable (_ precision: Int, _ scale: Int) -> DataType
  ) -> [ScalarSignature] {
    let extras = extra.map { ScalarSignature.Parameter.exactly($0) }
    let plain = (integers + [.real, .double]).map { type in
      ScalarSignature(function: function, parameters: [.exactly(type)] + extras, result: { _ in type })
    }
    let onDecimal = ScalarSignature(
      function: function, parameters: [.decimal] + extras,
      result: { types in
        guard case .decimal(let precision, let scale) = types[0] else { return types[0] }
        return decimal(precision, scale)
      })
    return Array(plain[..<4]) + [onDecimal] + plain[4...]
  }

  private static func addNumbers(to table: inout [String: [ScalarSignature]]) {
    @Sendable func whole(_ precision: Int, _ scale: Int) -> DataType {
      .decimal(precision: max(1, precision - scale + min(scale, 1)), scale: 0)
    }
    table["abs"] = numeric(.abs) { .decimal(precision: $0, scale: $1) }
    table["sign"] = numeric(.sign) { _, _ in .decimal(precision: 1, scale: 0) }
    table["ceiling"] = numeric(.ceiling, decimal: whole)
    table["ceil"] = table["ceiling"]
    table["floor"] = numeric(.floor, decimal: whole)
    table["round"] =
      numeric(.round) { .decimal(precision: min(38, $0 - $1 + min(1, $1)), scale: 0) }
      + numeric(.round, extra: [.integer]) { .decimal(precision: min(38, $0 + 1), scale: $1) }
    table["truncate"] =
      numeric(.truncate) { .decimal(precision: max(1, $0 - $1), scale: 0) }
      + numeric(.truncate, extra: [.integer]) { .decimal(precision: $0, scale: $1) }
    for (name, function) in [
      ("bitwise_and", ScalarFunction.bitwiseAnd), ("bitwise_or", .bitwiseOr), ("bitwise_xor", .bitwiseXor),
    ] {
      table[name] = [fixed(function, [.bigint, .bigint], .bigint)]
    }
    table["bitwise_not"] = [fixed(.bitwiseNot, [.bigint], .bigint)]
    table["random"] =
      [fixed(.random, [], .double)] + integers.map { fixed(.random, [$0], $0) }
      + integers.map { fixed(.random, [$0, $0], $0) }
    table["rand"] = table["random"]
  }

  private static func addDoubles(to table: inout [String: [ScalarSignature]]) {
    let oneArgument: [ScalarFunction] = [
      .sqrt, .cbrt, .exp, .ln, .log2, .log10, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh, .degrees,
      .radians,
    ]
    for function in oneArgument { table[function.rawValue] = [fixed(function, [.double], .double)] }
    for function in [ScalarFunction.log, .power, .atan2] {
      table[function.rawValue] = [fixed(function, [.double, .double], .double)]
    }
    table["pow"] = table["power"]
    for function in [ScalarFunction.pi, .e, .nan, .infinity] {
      table[function.rawValue] = [fixed(function, [], .double)]
    }
    for function in [ScalarFunction.isNaN, .isFinite, .isInfinite] {
      table[function.rawValue] = [fixed(function, [.double], .boolean)]
    }
  }

  /// Text functions whose result is as long as their first argument.
  private static func text(_ function: ScalarFunction, _ extra: [ScalarSignature.Parameter] = []) -> ScalarSignature {
    ScalarSignature(function: function, parameters: [.varchar] + extra, result: { $0[0] })
  }

  private static func addTexts(to table: inout [String: [ScalarSignature]]) {
    let bigint = ScalarSignature.Parameter.exactly(.bigint)
    table["length"] = [
      ScalarSignature(function: .length, parameters: [.varchar], result: { _ in .bigint }),
      fixed(.length, [.varbinary], .bigint),
    ]
    for function in [ScalarFunction.lower, .upper, .reverse] { table[function.rawValue] = [text(function)] }
    for function in [ScalarFunction.trim, .ltrim, .rtrim] {
      table[function.rawValue] = [text(function), text(function, [.varchar])]
    }
    table["substring"] = [text(.substring, [bigint]), text(.substring, [bigint, bigint])]
    table["substr"] = table["substring"]
    table["strpos"] = [
      ScalarSignature(function: .strpos, parameters: [.varchar, .varchar], result: { _ in .bigint })
    ]
    table["concat"] = [
      ScalarSignature(
        function: .concat, parameters: [.varchar, .varchar], isVariadic: true, result: { _ in .varcharUnbounded })
    ]
    table["replace"] = [
      ScalarSignature(function: .replace, parameters: [.varchar, .varchar], result: { _ in .varcharUnbounded }),
      ScalarSignature(
        function: .replace, parameters: [.varchar, .varchar, .varchar], result: { _ in .varcharUnbounded }),
    ]
    for function in [ScalarFunction.lpad, .rpad] {
      table[function.rawValue] = [
        ScalarSignature(
          function: function, parameters: [.varchar, bigint, .varchar], result: { _ in .varcharUnbounded })
      ]
    }
    table["chr"] = [fixed(.chr, [.bigint], .varchar(length: 1))]
    table["codepoint"] = [fixed(.codepoint, [.varchar(length: 1)], .integer)]
    table["starts_with"] = [
      ScalarSignature(function: .startsWith, parameters: [.varchar, .varchar], result: { _ in .boolean })
    ]
    table["split_part"] = [
      ScalarSignature(
        function: .splitPart, parameters: [.varchar, .varchar, bigint], result: { _ in .varcharUnbounded })
    ]
  }

  private static func addTimes(to table: inout [String: [ScalarSignature]]) {
    let ofDate: [(ScalarFunction, [String])] = [
      (.year, ["year"]), (.quarter, ["quarter"]), (.month, ["month"]), (.week, ["week", "week_of_year"]),
      (.day, ["day", "day_of_month"]), (.dayOfWeek, ["day_of_week", "dow"]),
      (.dayOfYear, ["day_of_year", "doy"]), (.yearOfWeek, ["year_of_week", "yow"]),
    ]
    for (function, names) in ofDate {
      let signature = ScalarSignature(function: function, parameters: [.dateOrTimestamp], result: { _ in .bigint })
      for name in names { table[name] = [signature] }
    }
    for function in [ScalarFunction.hour, .minute, .second, .millisecond] {
      table[function.rawValue] = [
        ScalarSignature(function: function, parameters: [.timestamp], result: { _ in .bigint })
      ]
    }
    table["date_trunc"] = [
      ScalarSignature(function: .dateTrunc, parameters: [.varchar, .dateOrTimestamp], result: { $0[1] })
    ]
    table["date_add"] = [
      ScalarSignature(
        function: .dateAdd, parameters: [.varchar, .exactly(.bigint), .dateOrTimestamp], result: { $0[2] })
    ]
    table["date_diff"] = [
      fixed(.dateDiff, [.varcharUnbounded, .date, .date], .bigint),
      ScalarSignature(
        function: .dateDiff, parameters: [.varchar, .timestamp, .timestamp], result: { _ in .bigint }),
    ]
    table["last_day_of_month"] = [
      ScalarSignature(function: .lastDayOfMonth, parameters: [.dateOrTimestamp], result: { _ in .date })
    ]
  }
}
