// Owns one accepted connection: the hello first, frames in and out, and backpressure both ways.

import Base
import NIOCore
import Platform
import Wire

/// A connection whose peer has said hello. Used on its event loop only.
///
/// Unchecked Sendable: every member is touched on the event loop only; `send` and `close` check that.
public final class FrameConnection: @unchecked Sendable {
  public let peer: PeerCredentials
  /// What the peer said of itself; set before the connection is handed out.
  public internal(set) var hello: Hello?
  /// Called for each frame after the hello.
  public var onFrame: ((Frame) -> Void)?
  /// Called once, when the connection is gone; the error says why if it did not end by itself.
  public var onClose: ((WaterbearError?) -> Void)?

  /// Whether frames are wanted. While it is false none is handed out and nothing is read, so that the peer is slowed
  /// down; those that have been read come when it is true again.
  public var isReading = true {
    didSet { if isReading != oldValue { onDemandChanged?() } }
  }
  /// Whether a peer that does not read what it is sent is not read from either. Not for two that both send unasked:
  /// each might wait for the other.
  public var waitsForReader = true {
    didSet { if waitsForReader != oldValue { onDemandChanged?() } }
  }

  fileprivate var onDemandChanged: (() -> Void)?
  /// Whether something is being sent. Where the peer is gone, NIO reads what that has left before it returns.
  fileprivate private(set) var isBusy = false
  fileprivate let channel: any Channel

  /// Whether the next frame may be handed out now.
  fileprivate var wantsFrames: Bool { isReading && (!waitsForReader || channel.isWritable) }

  init(channel: any Channel, peer: PeerCredentials) {
    self.channel = channel
    self.peer = peer
  }

  /// Queues a frame. To a connection that is gone it is dropped: its owner learns of the end by `onClose`. No frame is
  /// handed out before it returns.
  public func send(_ frame: Frame) {
    channel.eventLoop.preconditionInEventLoop()
    let bytes = frame.encoded()
    var buffer = channel.allocator.buffer(capacity: bytes.count)
    buffer.writeBytes(bytes)
    whileBusy { channel.writeAndFlush(buffer, promise: nil) }
  }

  /// Closes the connection after what was queued. No frame is handed out before it returns.
  public func close() {
    channel.eventLoop.preconditionInEventLoop()
    whileBusy {
      channel.flush()
      channel.close(promise: nil)
    }
  }

  private func whileBusy(_ body: () -> Void) {
    let wasBusy = isBusy
    isBusy = true
    body()
    isBusy = wasBusy
  }
}

/// Bytes to frames, and the opening of the conversation:
///
///     waiting for hello ──hello──▶ open ──end, error──▶ closed
///             └──anything else, or none in time──▶ closed
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let helloTimeout = TimeAmount.seconds(10)
  /// The longest first frame: who has not said hello gets little memory.
  private static let helloBytesMax = 64 << 10

  private let connection: FrameConnection
  private let ownHello: Hello
  private let frameLimit: Int
  private let accept: @Sendable (FrameConnection) -> Void
  private let refused: @Sendable (PeerCredentials, WaterbearError) -> Void
  private var decoder = FrameDecoder(limit: ConnectionHandler.helloBytesMax)
  private var isHandingOut = false
  private var isReading = true
  /// Whether the peer is gone. What it has said is still handed out, as nobody waits for answers.
  private var isOver = false
  /// What was wrong with what the peer said; nothing of it is handed out any more.
  private var failure: WaterbearError?
  /// How the connection broke. What the peer said before is still handed out.
  private var breakage: WaterbearError?
  private var helloTimer: Scheduled<Void>?

  init(
    connection: FrameConnection, hello: Hello, frameLimit: Int, accept: @escaping @Sendable (FrameConnection) -> Void,
    refused: @escaping @Sendable (PeerCredentials, WaterbearError) -> Void
  ) {
    self.connection = connection
    self.frameLimit = frameLimit
    ownHello = hello
    self.accept = accept
    self.refused = refused
  }

  func channelActive(context: ChannelHandlerContext) {
    let channel = context.channel
    connection.onDemandChanged = { [unowned self] in handOutSoon() }
    helloTimer = context.eventLoop.scheduleTask(in: Self.helloTimeout) { channel.close(promise: nil) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard failure == nil else { return }
    let buffer = unwrapInboundIn(data)
    buffer.withUnsafeReadableBytes { decoder.append($0) }
    connection.isBusy ? handOutSoon() : handOut()
  }

  /// Hands out what has been read for as long as it is wanted, and reads on only then.
  private func handOut() {
    guard !isHandingOut else { return }
    isHandingOut = true
    defer { isHandingOut = false }
    do {
      while failure == nil, isOver ? connection.isReading : connection.wantsFrames, let frame = try decoder.next() {
        if connection.hello == nil { try open(with: frame) } else { connection.onFrame?(frame) }
      }
    } catch {
      refuse(WaterbearError.wrapping(error))
    }
    guard !isOver, isReading != connection.wantsFrames else { return }
    isReading.toggle()
    connection.channel.setOption(.autoRead, value: isReading).whenFailure { _ in
      // The channel is closing; there is nothing left to slow down.
    }
  }

  /// On a later turn of the loop: demand changes in the middle of what an earlier frame has set off.
  private func handOutSoon() {
    connection.channel.eventLoop.assumeIsolated().execute { [weak self] in self?.handOut() }
  }

  private func open(with frame: Frame) throws {
    let hello = try frame.message(Hello.self)
    try hello.check(peer: hello.role)
    helloTimer?.cancel()
    connection.hello = hello
    decoder.limit = frameLimit
    connection.send(try Frame(ownHello))
    accept(connection)
  }

  /// Says why and closes. Nothing that the peer sends after it is read.
  private func refuse(_ error: WaterbearError) {
    failure = error
    if connection.hello == nil { refused(connection.peer, error) }
    // A refusal always encodes; if it did not, closing says enough.
    if let frame = try? Frame(Refusal(error)) { connection.send(frame) }
    connection.close()
  }

  /// A peer that does not read its answers is not read from either.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    handOutSoon()
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    helloTimer?.cancel()
    isOver = true
    if connection.isBusy {
      context.eventLoop.assumeIsolated().execute { self.finish() }
    } else {
      finish()
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    breakage = breakage ?? WaterbearError(.genericInternalError, "A connection broke", causes: ["\(error)"])
    context.close(promise: nil)
  }

  private func finish() {
    handOut()
    let onClose = connection.onClose
    connection.onClose = nil
    connection.onFrame = nil
    connection.onDemandChanged = nil
    onClose?(failure ?? breakage)
  }
}
