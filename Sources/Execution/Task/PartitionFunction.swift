// Owns the rule that takes a row's hash to its partition. Producers and consumers of an exchange must agree on it.

/// The partition of a row with this hash, from 0 to `count` - 1, by the upper 32 bits of the hash (hash tables use the
/// lower ones). Partition p of n covers exactly partitions 2p and 2p + 1 of 2n, so a partition can be split.
@inlinable
@inline(__always)
public func partition(ofHash hash: UInt64, count: Int) -> Int {
  Int(truncatingIfNeeded: ((hash &>> 32) &* UInt64(truncatingIfNeeded: count)) &>> 32)
}
