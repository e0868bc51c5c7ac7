/**
 * Yamux by js-libp2p, and the bound on frames that it lacks (specs/09, N2): it gathers a frame of any length that a
 * header announces, up to 4 GB, before it compares that with the window.
 */
import { yamux } from '@chainsafe/libp2p-yamux'

const HEADER_BYTES = 12
const DATA = 0 // the one type of frame with a body
const WINDOW_BYTES = 262_144

/** The stream muxer for `createLibp2p`, with a window that does not grow. */
export function guardedYamux () {
  const streamOptions = { initialStreamWindowSize: WINDOW_BYTES, maxStreamWindowSize: WINDOW_BYTES }
  const create = yamux({ streamOptions })
  return (components) => {
    const factory = create(components)
    const plain = factory.createStreamMuxer.bind(factory)
    return Object.assign(factory, { createStreamMuxer: (connection) => plain(watched(connection)) })
  }
}

/** The connection, closed as soon as a header announces too much. */
function watched (connection) {
  const frames = new Headers()
  connection.addEventListener('message', ({ data }) => {
    if (frames.pass(data.subarray())) return
    connection.abort(new RangeError('a frame above the window'))
  })
  return connection
}

/** Follows the frames of one connection by their headers alone. */
class Headers {
  constructor () {
    this.header = new Uint8Array(HEADER_BYTES)
    this.have = 0 // bytes of the header
    this.body = 0 // bytes of the frame's body that are still to come
  }

  /** False as soon as a frame is too long. */
  pass (data) {
    for (let at = 0; at < data.length;) {
      const length = Math.min(data.length - at, this.body || HEADER_BYTES - this.have)
      if (this.body) {
        this.body -= length
      } else {
        this.header.set(data.subarray(at, at + length), this.have)
        this.have += length
        if (this.have === HEADER_BYTES && !this.begin()) return false
      }
      at += length
    }
    return true
  }

  /** Whether the frame whose header is whole may follow. */
  begin () {
    this.have = 0
    this.body = this.header[1] === DATA ? new DataView(this.header.buffer).getUint32(8) : 0
    return this.body <= WINDOW_BYTES
  }
}
