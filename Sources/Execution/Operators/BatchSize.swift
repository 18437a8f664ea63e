// Owns the estimate of how large a batch's values are, apart from what they happen to share.

import Columnar

extension Batch {
  /// Bytes of the rows' values: `estimatedRowBytes` for each.
  var estimatedBytes: Int { count * estimatedRowBytes }

  /// Bytes of an average row, at least 1: exact for fixed widths, long text by a sample of rows, four bytes for a
  /// position in a dictionary, nothing for a constant.
  var estimatedRowBytes: Int {
    guard count > 0 else { return 1 }
    return max(1, columns.reduce(0) { $0 + $1.estimatedValueBytes })
  }
}

extension Vector {
  fileprivate var estimatedValueBytes: Int {
    switch encoding {
    case .constant: return 0
    case .dictionary: return 4
    case .flat: break
    }
    guard type.layout == .string else { return type.layout.stride }
    let views = values.pointer(to: StringView.self)
    let step = max(1, count / 64)
    var sampled = 0
    var text = 0
    for row in stride(from: 0, to: count, by: step) {
      sampled += 1
      if !isNull(row), !views[row].isInline { text += views[row].count }
    }
    return type.layout.stride + text / max(1, sampled)
  }
}
