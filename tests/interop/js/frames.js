/** Messages on a stream (specs/09, N7 to N9): each an unsigned varint length of up to 3 bytes, and the body. */
import { byteStream } from '@libp2p/utils'
import { concat } from './cbor.js'
import { varint } from './protobuf.js'

const MAX_MESSAGE_BYTES = 262_144
const MAX_LENGTH_BYTES = 3
const WHOLE_MS = 10_000 // from the first byte of a message to its last
const QUIET_MS = 180_000 // between two requests

export class Frames {
  constructor (stream, maxBytes = MAX_MESSAGE_BYTES) {
    this.bytes = byteStream(stream, { maxBufferSize: 2 * MAX_MESSAGE_BYTES })
    this.maxBytes = maxBytes
  }

  /** The next body; undefined where the other side ends the stream, or is quiet too long. It rejects a broken one. */
  async read (quietMs = QUIET_MS) {
    const quiet = AbortSignal.timeout(quietMs)
    let first
    try {
      first = await this.byte(quiet)
    } catch (error) {
      if (quiet.aborted || error.name === 'UnexpectedEOFError') return undefined
      throw error
    }
    const signal = AbortSignal.timeout(WHOLE_MS)
    const length = await this.length(first, signal)
    if (length > this.maxBytes) throw new RangeError(`a message of ${length} bytes`)
    return (await this.bytes.read({ bytes: length, signal })).subarray()
  }

  async write (body) {
    await this.bytes.write(concat([varint(body.length), body]), { signal: AbortSignal.timeout(WHOLE_MS) })
  }

  async length (first, signal) {
    let length = 0
    for (let [at, byte] = [0, first]; ; byte = await this.byte(signal)) {
      length += (byte & 0x7f) << (7 * at)
      if (byte < 0x80) return length
      if (++at === MAX_LENGTH_BYTES) throw new RangeError('a length of more than 3 bytes')
    }
  }

  async byte (signal) {
    return (await this.bytes.read({ bytes: 1, signal })).get(0)
  }
}

/** Answers one request after the other with `answer(body)`; the stream is reset where that throws. */
export async function converse (stream, answer, maxBytes) {
  const frames = new Frames(stream, maxBytes)
  try {
    for (let body; (body = await frames.read()) !== undefined;) await frames.write(await answer(body))
    await stream.close()
  } catch (error) {
    stream.abort(error)
  }
}
