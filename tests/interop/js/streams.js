/**
 * Requests and responses on our streams (specs/09): an unsigned varint length and the body, each way. A stream carries
 * one request after the other; a reset in place of an answer refuses.
 */
import { lpStream } from '@libp2p/utils'
import { MAX_MESSAGE_BYTES } from './cbor.js'
import { Refused, surface } from './errors.js'
import { write } from './shape.js'

export const BOOKING = '/chargemesh/booking/1'
export const LISTING = '/chargemesh/listing/1'
export const IDENTITY = '/chargemesh/identity/1'
export const LOG = '/chargemesh/log/1'

const FAILED = { [BOOKING]: 'booking-failed', [LISTING]: 'listing-failed' } // elsewhere an empty answer refuses (N9)
const BOUNDS = { maxDataLength: MAX_MESSAGE_BYTES, maxLengthLength: 3 }
const ANSWER_MS = 10_000

/**
 * Asks `to` (a PeerId that is connected, or multiaddrs) once, on a stream of its own.
 * @returns {Promise<Uint8Array>} the answer; it rejects where there is none in time, and for an empty one (N9)
 */
export async function request (libp2p, to, protocol, body, timeoutMs = ANSWER_MS) {
  const signal = AbortSignal.timeout(timeoutMs)
  const stream = await libp2p.dialProtocol(to, protocol, { signal })
  try {
    const messages = lpStream(stream, BOUNDS)
    await messages.write(body, { signal })
    const answer = await messages.read({ signal })
    await stream.close({ signal })
    if (answer.byteLength === 0) throw new Refused('unavailable', 'the peer refuses')
    return answer.subarray()
  } catch (error) {
    stream.abort(error)
    throw error
  }
}

/** Answers requests of `protocol` with `answer(body) -> Uint8Array`; what that refuses is told to the asker. */
export async function serve (libp2p, protocol, answer) {
  await libp2p.handle(protocol, async (stream) => {
    try {
      const messages = lpStream(stream, BOUNDS)
      for (;;) {
        const body = (await messages.read()).subarray()
        await messages.write(answered(answer, body, FAILED[protocol]))
      }
    } catch (error) {
      // The asker closes a stream that it needs no more between two requests.
      if (error.name === 'UnexpectedEOFError' || error.name === 'StreamClosedError') await stream.close()
      else stream.abort(error)
    }
  })
}

function answered (answer, body, failed) {
  try {
    return answer(body)
  } catch (error) {
    if (!(error instanceof Refused)) surface(error)
    return failed ? write(failed, { code: error.code, message: error.message }) : new Uint8Array(0)
  }
}
