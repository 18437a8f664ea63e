// Owns putting vectors of one column behind each other.

import Columnar

extension Vector {
  /// The rows of all parts, which are of one type and at least one. A dictionary that all parts share is kept.
  /// Cost: nothing for one part, else a pass.
  static func concatenating(_ parts: [Vector]) -> Vector {
    let first = parts[0]
    if parts.count == 1 { return first }
    let count = parts.reduce(0) { $0 + $1.count }
    if let dictionary = sharedDictionary(parts) {
      let indices = Buffer(count: count, of: Int32.self)
      var position = 0
      for part in parts {
        // Every part is a dictionary vector.
        (indices.base + position * 4).copyMemory(from: part.indices!.base, byteCount: part.count * 4)
        position += part.count
      }
      return Vector(dictionary: dictionary, indices: indices, count: count)
    }
    return flatConcatenation(parts.map { $0.flattened() }, count: count)
  }

  /// The dictionary of all parts. One of them may have NULL behind the values that others have.
  private static func sharedDictionary(_ parts: [Vector]) -> Vector? {
    var widest: Vector?
    for part in parts {
      guard let dictionary = part.dictionary else { return nil }
      if let known = widest {
        guard known.values === dictionary.values else { return nil }
        if dictionary.count > known.count { widest = dictionary }
      } else {
        widest = dictionary
      }
    }
    return widest
  }

  private static func flatConcatenation(_ parts: [Vector], count: Int) -> Vector {
    let type = parts[0].type
    let stride = type.layout.stride
    let values = Buffer(byteCount: count * stride)
    var heaps: [StringHeap] = []
    var validity: Bitmap?
    var position = 0
    for part in parts {
      (values.base + position * stride).copyMemory(from: part.values.base, byteCount: part.count * stride)
      for heap in part.heaps where heaps.last !== heap { heaps.append(heap) }
      if let bits = part.validity {
        let all = validity ?? Bitmap(repeating: true, count: count)
        for row in 0..<part.count where !bits[row] { all.clear(position + row) }
        validity = all
      }
      position += part.count
    }
    return Vector(flat: type, count: count, values: values, validity: validity, heaps: heaps)
  }
}
