// Owns the rules that take a row's hash to its partition and to its share of one. Producers and consumers of an
// exchange must agree on the first, all tasks that a task was divided into on the second.

/// The partition of a row with this hash, from 0 to `count` - 1, by the upper 32 bits of the hash (hash tables use the
/// lower ones). Partition p of n covers exactly partitions 2p and 2p + 1 of 2n, so a partition can be split.
@inlinable
@inline(__always)
public func partition(ofHash hash: UInt64, count: Int) -> Int {
  Int(truncatingIfNeeded: ((hash &>> 32) &* UInt64(truncatingIfNeeded: count)) &>> 32)
}

/// The share of a row with this hash, from 0 to `count` - 1. Of the rows of one partition, or of one slot of a hash
/// table, each share has its part. Share s of n covers exactly shares ks to ks + k - 1 of kn.
@inline(__always)
func share(ofHash hash: UInt64, count: Int) -> Int {
  // An odd factor, so that nothing of the hash is lost, whose high bits let all bits of the hash have their say.
  partition(ofHash: (hash ^ (hash &>> 29)) &* 0xd6e8_feb8_6659_fd93, count: count)
}
