// Owns LIKE over columns of strings: one loop for each simple shape of pattern, one for all others.

import Columnar
import Planning

#if canImport(Glibc)
import Glibc
#endif

/// A test of one string, as a type so that loops over it are specialised. Literals that are read have bytes,
/// hence base addresses.
private protocol StringTest {
  func holds(_ text: Bytes, count: Int) -> Bool
}

private struct IsText: StringTest {
  let literal: UnsafeBufferPointer<UInt8>
  @inline(__always)
  func holds(_ text: Bytes, count: Int) -> Bool {
    // See `StringTest`.
    count == literal.count && (count == 0 || memcmp(text, literal.baseAddress.unsafelyUnwrapped, count) == 0)
  }
}

private struct HasPrefix: StringTest {
  let literal: UnsafeBufferPointer<UInt8>
  @inline(__always)
  func holds(_ text: Bytes, count: Int) -> Bool {
    // See `StringTest`.
    count >= literal.count && memcmp(text, literal.baseAddress.unsafelyUnwrapped, literal.count) == 0
  }
}

private struct HasSuffix: StringTest {
  let literal: UnsafeBufferPointer<UInt8>
  @inline(__always)
  func holds(_ text: Bytes, count: Int) -> Bool {
    // See `StringTest`.
    count >= literal.count
      && memcmp(text + (count - literal.count), literal.baseAddress.unsafelyUnwrapped, literal.count) == 0
  }
}

private struct Contains: StringTest {
  let literal: UnsafeBufferPointer<UInt8>
  @inline(__always)
  func holds(_ text: Bytes, count: Int) -> Bool {
    // See `StringTest`.
    ByteSearch.find(literal.baseAddress.unsafelyUnwrapped, count: literal.count, in: text, count: count) >= 0
  }
}

private struct MatchesPattern: StringTest {
  let matcher: LikeMatcher
  func holds(_ text: Bytes, count: Int) -> Bool { matcher.matches(text, count: count) }
}

/// LIKE with one pattern, kept compiled.
private final class CompiledLike {
  private let origin: Origin
  private var source: (pattern: [UInt8], escape: [UInt8]?)?
  private var compiled: (shape: LikePattern.Shape, matcher: LikeMatcher)?

  init(origin: Origin) { self.origin = origin }

  func pattern(_ pattern: [UInt8], escape: [UInt8]?) throws -> (shape: LikePattern.Shape, matcher: LikeMatcher) {
    if let source, let compiled, source.pattern == pattern, source.escape == escape { return compiled }
    let fresh = try LikePattern(pattern, escape: escape, origin: origin)
    let result = (fresh.shape, LikeMatcher(fresh))
    source = (pattern, escape)
    compiled = result
    return result
  }
}

/// The kernel of LIKE: value, pattern and, with `hasEscape`, escape. The value is of type `type`; a char counts with
/// its blanks.
func likeKernel(_ type: DataType, hasEscape: Bool, _ origin: Origin) -> Kernel {
  let compiled = CompiledLike(origin: origin)
  let padding: Int
  if case .char(let length) = type { padding = length } else { padding = 0 }
  return { input in
    let value = padding > 0 ? blankPadded(input.arguments[0], length: padding, input) : input.arguments[0]
    let patterns = input.arguments[1]
    let escapes = hasEscape ? input.arguments[2] : nil
    let isFixed = patterns.encoding == .constant && escapes?.encoding ?? .constant == .constant
    if isFixed || input.count == 1 {
      return test(value, try compiled.pattern(patterns.bytes(at: 0), escape: escapes?.bytes(at: 0)), input)
    }
    let output = Buffer(zeroed: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      let matcher = try compiled.pattern(patterns.bytes(at: row), escape: escapes?.bytes(at: row)).matcher
      let view = value.values.pointer(to: StringView.self) + value.position(of: row)
      if matcher.matches(stringBytes(view), count: view.pointee.count) {
        output.pointer(to: UInt8.self)[row] = 1
      }
    }
    return Vector(flat: .boolean, count: input.count, values: output, validity: input.validity)
  }
}

extension Vector {
  /// The bytes of string `row`, copied; for patterns and other single values.
  func bytes(at row: Int) -> [UInt8] {
    values.pointer(to: StringView.self)[position(of: row)].withBytes { Array($0) }
  }
}

private func test(
  _ value: Vector, _ pattern: (shape: LikePattern.Shape, matcher: LikeMatcher), _ input: KernelInput
) -> Vector {
  func run(_ bytes: [UInt8], _ make: (UnsafeBufferPointer<UInt8>) -> Vector) -> Vector {
    bytes.withUnsafeBufferPointer(make)
  }
  switch pattern.shape {
  case .exact(let bytes): return run(bytes) { test(value, IsText(literal: $0), input) }
  case .prefix(let bytes): return run(bytes) { test(value, HasPrefix(literal: $0), input) }
  case .suffix(let bytes): return run(bytes) { test(value, HasSuffix(literal: $0), input) }
  case .contains(let bytes): return run(bytes) { test(value, Contains(literal: $0), input) }
  case .everything: return Truth(repeating: true, count: input.count).vector(validity: input.validity)
  case .general: return test(value, MatchesPattern(matcher: pattern.matcher), input)
  }
}

private func test<Test: StringTest>(_ value: Vector, _ test: Test, _ input: KernelInput) -> Vector {
  let output = Buffer(byteCount: input.count)
  let target = output.pointer(to: UInt8.self)
  let views = UnsafePointer(value.values.pointer(to: StringView.self))
  let step = value.encoding == .constant ? 0 : 1
  if let validity = input.validity {
    for row in 0..<input.count {
      let view = views + row &* step
      target[row] = validity[row] && test.holds(stringBytes(view), count: view.pointee.count) ? 1 : 0
    }
  } else {
    for row in 0..<input.count {
      let view = views + row &* step
      target[row] = test.holds(stringBytes(view), count: view.pointee.count) ? 1 : 0
    }
  }
  return Vector(flat: .boolean, count: input.count, values: output, validity: input.validity)
}

extension Truth {
  /// A two-valued truth as a vector with NULLs where `validity` says so.
  func vector(validity: Bitmap?) -> Vector {
    Vector(flat: .boolean, count: count, values: isTrue, validity: validity)
  }
}
