// Owns filling the pages of one column: by numbers of a dictionary while that pays, else by the values themselves.
import Columnar
import Glibc

/// Encodes the values of one column, which have the layout of `Element`.
///
/// Final and used by its concrete type only, so that everything down to the loops is specialised.
final class ValueColumn<Element: PhysicalValue> {
  let pages: PageAssembler
  private let options: ParquetWriterOptions
  private let dictionary = ValueDictionary<Element>()
  private var usesDictionary: Bool
  /// Whether the chunk has pages that need the dictionary.
  private var hasNumberedPages = false
  /// Numbers (UInt32) of this page's values while there is a dictionary.
  private let numbers = PageBytes(capacity: 4096)
  /// This page's values in PLAIN encoding while there is none.
  private let plain = PageBytes(capacity: 4096)
  private var dense: PageBytes { pages.scratch.dense }
  private var pageRange = ValueRange<Element>()
  private var pageHeap = StringHeap()
  private var chunkRange = ValueRange<Element>()
  private var chunkHeap = StringHeap()
  /// The numbers of the entries of `mappedDictionary`, -1 where one was not asked for.
  private let map = PageBytes(capacity: 64)
  private var mappedDictionary: Vector?

  init(_ pages: PageAssembler, _ options: ParquetWriterOptions) {
    self.pages = pages
    self.options = options
    usesDictionary = options.usesDictionaries
  }

  var retainedBytes: Int {
    pages.retainedBytes + dictionary.retainedBytes + numbers.capacity + plain.capacity + map.capacity
      + pageHeap.byteCount + chunkHeap.byteCount + (mappedDictionary?.retainedBytes ?? 0)
  }

  /// Takes the rows of a vector; pages end as they are full.
  func append(_ vector: Vector) throws {
    var row = 0
    while row < vector.count {
      let room = max(1, options.pageRows - pages.levels.rows)
      let count = min(room, vector.count - row)
      switch vector.encoding {
      case .flat: row += appendFlat(vector, from: row, count: count)
      case .constant: row += appendConstant(vector, count: count)
      case .dictionary: row += appendIndices(vector, from: row, count: count)
      }
      let isTooLarge = usesDictionary && dictionary.byteCount > options.dictionaryBytes
      if pages.levels.rows >= options.pageRows || plain.count >= options.pageBytes || isTooLarge { try endPage() }
      if isTooLarge { usesDictionary = false }
    }
  }

  /// Ends the chunk; the next one begins anew.
  func endChunk(to output: (UnsafeRawBufferPointer) throws -> Void) throws -> WrittenChunk {
    try endPage()
    if hasNumberedPages {
      try pages.endDictionary(count: dictionary.count) {
        Element.appendPlain(dictionary.values, count: dictionary.count, to: $0)
      }
    }
    let chunk = try pages.endChunk(bounds(of: chunkRange), to: output)
    dictionary.removeAll()
    mappedDictionary = nil
    usesDictionary = options.usesDictionaries
    hasNumberedPages = false
    chunkRange = ValueRange()
    chunkHeap = StringHeap()
    return chunk
  }

  // MARK: Rows

  /// Bytes of values that the page may still take.
  private var pageRoom: Int { options.pageBytes - plain.count }

  /// Takes at least one and at most `count` rows of a flat vector; returns how many.
  private func appendFlat(_ vector: Vector, from start: Int, count: Int) -> Int {
    withExtendedLifetime(vector) {
      let values = UnsafePointer(vector.values.pointer(to: Element.self)) + start
      guard let validity = vector.validity else {
        let taken = Element.countWithin(pageRoom, values, count: count)
        pages.levels.appendPresent(taken)
        appendDense(values, count: taken)
        return taken
      }
      let size = count * MemoryLayout<Element>.stride
      dense.removeAll()
      let target = dense.room(size).assumingMemoryBound(to: Element.self)
      let words = UnsafePointer(validity.words)
      var present = 0
      for row in 0..<count {
        // What is a NULL the next value overwrites.
        target[present] = values[row]
        let position = start &+ row
        present &+= Int(truncatingIfNeeded: (words[position &>> 6] &>> UInt64(position & 63)) & 1)
      }
      if count > 1, Element.countWithin(pageRoom, target, count: present) < present {
        return appendFlat(vector, from: start, count: count / 2)
      }
      _ = pages.levels.append(validity, from: start, count: count)
      appendDense(target, count: present)
      return count
    }
  }

  /// Takes values without NULLs.
  private func appendDense(_ values: UnsafePointer<Element>, count: Int) {
    guard usesDictionary else {
      Element.appendPlain(values, count: count, to: plain)
      if options.writesStatistics {
        Element.extend(&pageRange, by: values, count: count)
        pageRange.keep(in: pageHeap)
      }
      return
    }
    let target = numbers.room(count * 4).assumingMemoryBound(to: UInt32.self)
    for row in 0..<count { target[row] = dictionary.number(of: values[row]) }
    numbers.advance(count * 4)
  }

  private func appendConstant(_ vector: Vector, count: Int) -> Int {
    if vector.isNull(0) {
      pages.levels.appendNulls(count)
      return count
    }
    let value = withExtendedLifetime(vector) { vector.values.pointer(to: Element.self)[0] }
    return withExtendedLifetime(vector) {
      if usesDictionary {
        let number = dictionary.number(of: value)
        numbers.room(count * 4).assumingMemoryBound(to: UInt32.self).update(repeating: number, count: count)
        numbers.advance(count * 4)
        pages.levels.appendPresent(count)
        return count
      }
      dense.removeAll()
      let values = dense.room(count * MemoryLayout<Element>.stride).assumingMemoryBound(to: Element.self)
      values.update(repeating: value, count: count)
      let taken = Element.countWithin(pageRoom, values, count: count)
      pages.levels.appendPresent(taken)
      appendDense(values, count: taken)
      return taken
    }
  }

  /// Rows of a dictionary vector: each entry is looked up once, however many rows have it.
  private func appendIndices(_ vector: Vector, from start: Int, count: Int) -> Int {
    // A dictionary vector has both parts by construction.
    let entries = vector.dictionary!
    return withExtendedLifetime(vector) {
      let indices = UnsafePointer(vector.indices!.pointer(to: Int32.self)) + start
      guard usesDictionary, entries.count <= 2 * vector.count else {
        return appendFlat(entries.gather(indices, count: count), from: 0, count: count)
      }
      prepareMap(for: entries)
      guard let presence = entries.validity?.gather(indices, count: count) else {
        pages.levels.appendPresent(count)
        appendMapped(indices, count: count, of: entries)
        return count
      }
      dense.removeAll()
      let target = dense.room(count * 4).assumingMemoryBound(to: Int32.self)
      var present = 0
      for row in 0..<count {
        target[present] = indices[row]
        present &+= presence[row] ? 1 : 0
      }
      _ = pages.levels.append(presence, from: 0, count: count)
      appendMapped(target, count: present, of: entries)
      return count
    }
  }

  private func prepareMap(for entries: Vector) {
    if mappedDictionary === entries { return }
    mappedDictionary = entries
    map.removeAll()
    memset(map.room(entries.count * 4), 0xff, entries.count * 4)
    map.advance(entries.count * 4)
  }

  private func appendMapped(_ indices: UnsafePointer<Int32>, count: Int, of entries: Vector) {
    let map = map.base.assumingMemoryBound(to: Int32.self)
    let values = UnsafePointer(entries.values.pointer(to: Element.self))
    let target = numbers.room(count * 4).assumingMemoryBound(to: UInt32.self)
    for row in 0..<count {
      let index = Int(indices[row])
      var number = map[index]
      if number < 0 {
        number = Int32(bitPattern: dictionary.number(of: values[index]))
        map[index] = number
      }
      target[row] = UInt32(bitPattern: number)
    }
    numbers.advance(count * 4)
  }

  // MARK: Pages

  private func endPage() throws {
    guard pages.levels.rows > 0 else { return }
    // Numbers need a dictionary to be there, which a column of NULLs has not; a page without values needs neither.
    if usesDictionary, numbers.count == 0 { return try pages.endPage(.plain, nil) { _ in } }
    if usesDictionary, !hasNumberedPages, !dictionaryPays { giveUpDictionary() }
    if usesDictionary {
      hasNumberedPages = true
      let count = numbers.count / 4
      let values = UnsafePointer(numbers.base.assumingMemoryBound(to: UInt32.self))
      if options.writesStatistics { rangeOfNumbers(values, count: count) }
      let width = HybridEncoder.width(below: dictionary.count)
      try pages.endPage(.rleDictionary, bounds(of: pageRange)) { raw in
        raw.append(UInt8(width))
        HybridEncoder.append(values, count: count, width: width, to: raw)
      }
      numbers.removeAll()
    } else {
      try pages.endPage(.plain, bounds(of: pageRange)) { $0.append(plain.base, count: plain.count) }
      plain.removeAll()
    }
    chunkRange.merge(pageRange)
    chunkRange.keep(in: chunkHeap)
    pageRange = ValueRange()
    pageHeap = StringHeap()
  }

  /// Whether a dictionary of this first page's values and the numbers take clearly less than the values.
  private var dictionaryPays: Bool {
    let count = numbers.count / 4
    let values = numbers.base.assumingMemoryBound(to: UInt32.self)
    var plainBytes = 0
    for row in 0..<count { plainBytes &+= Element.plainByteCount(dictionary.values[Int(values[row])]) }
    let width = HybridEncoder.width(below: dictionary.count)
    return (dictionary.byteCount + count * width / 8) * 5 <= plainBytes * 4
  }

  /// Turns the first page's numbers into values again.
  private func giveUpDictionary() {
    let count = numbers.count / 4
    let values = numbers.base.assumingMemoryBound(to: UInt32.self)
    dense.removeAll()
    let target = dense.room(count * MemoryLayout<Element>.stride).assumingMemoryBound(to: Element.self)
    for row in 0..<count { target[row] = dictionary.values[Int(values[row])] }
    usesDictionary = false
    appendDense(target, count: count)
    numbers.removeAll()
    dictionary.removeAll()
    mappedDictionary = nil
  }

  /// Least and greatest value of a page of numbers: over its distinct values where those are few.
  private func rangeOfNumbers(_ values: UnsafePointer<UInt32>, count: Int) {
    let distinct = dictionary.count
    dense.removeAll()
    let target = dense.room(max(count, distinct) * MemoryLayout<Element>.stride)
      .assumingMemoryBound(to: Element.self)
    guard distinct <= count else {
      for row in 0..<count { target[row] = dictionary.values[Int(values[row])] }
      return Element.extend(&pageRange, by: target, count: count)
    }
    let marks = pages.scratch.marks
    marks.removeAll()
    let isUsed = marks.room(distinct).assumingMemoryBound(to: UInt8.self)
    memset(isUsed, 0, distinct)
    for row in 0..<count { isUsed[Int(values[row])] = 1 }
    var used = 0
    for number in 0..<distinct {
      target[used] = dictionary.values[number]
      used &+= Int(isUsed[number])
    }
    Element.extend(&pageRange, by: target, count: used)
  }

  private func bounds(of range: ValueRange<Element>) -> WrittenBounds? {
    guard let bounds = range.bounds,
      let least = Element.bound(bounds.least, isUpper: false, limit: options.statisticsBytes),
      let greatest = Element.bound(bounds.greatest, isUpper: true, limit: options.statisticsBytes)
    else { return nil }
    return WrittenBounds(
      least: least.bytes, isLeastExact: least.isExact, greatest: greatest.bytes, isGreatestExact: greatest.isExact)
  }
}
