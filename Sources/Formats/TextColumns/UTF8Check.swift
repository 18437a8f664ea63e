// Owns telling UTF-8 from what is none, quickly where all is ASCII.

import CTextScan

/// Checks of text. Both read whole lanes: the block must be padded by 64 bytes.
public enum UTF8Check {
  /// Whether all of `count` bytes are ASCII.
  public static func isASCII(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    var high: UInt64 = 0
    var offset = 0
    while offset &+ 64 <= count {
      high |= wb_match_high(bytes + offset)
      offset &+= 64
    }
    while offset < count {
      high |= UInt64(bytes[offset] &>> 7)
      offset &+= 1
    }
    return high == 0
  }

  /// Whether `count` bytes are well-formed UTF-8 (RFC 3629).
  public static func isValid(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    var index = 0
    while index < count {
      let lead = bytes[index]
      if lead < 0x80 {
        index &+= 1
        continue
      }
      let length: Int
      var lowest: UInt8 = 0x80
      var highest: UInt8 = 0xbf
      switch lead {
      case 0xc2...0xdf: length = 2
      case 0xe0: (length, lowest) = (3, 0xa0)
      case 0xed: (length, highest) = (3, 0x9f)
      case 0xe1...0xef: length = 3
      case 0xf0: (length, lowest) = (4, 0x90)
      case 0xf4: (length, highest) = (4, 0x8f)
      case 0xf1...0xf3: length = 4
      default: return false
      }
      guard index &+ length <= count, bytes[index &+ 1] >= lowest, bytes[index &+ 1] <= highest else { return false }
      var next = index &+ 2
      while next < index &+ length {
        guard bytes[next] & 0xc0 == 0x80 else { return false }
        next &+= 1
      }
      index &+= length
    }
    return true
  }
}
