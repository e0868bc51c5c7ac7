/**
 * Requests and responses on our streams (specs/09). A stream carries one request after the other; a refusal is a
 * message of its own, or where the stream has none an empty one.
 */
import { Refused, surface } from './errors.js'
import { converse, Frames } from './frames.js'
import { write } from './shape.js'

export const BOOKING = '/chargemesh/booking/1'
export const LISTING = '/chargemesh/listing/1'
export const IDENTITY = '/chargemesh/identity/1'
export const LOG = '/chargemesh/log/1'
export const MAILBOX = '/chargemesh/mailbox/1'

const FAILED = { [BOOKING]: 'booking-failed', [LISTING]: 'listing-failed' } // elsewhere an empty answer refuses (N9)
const ANSWER_MS = 20_000

/**
 * Asks `to` (a PeerId that is connected, or multiaddrs) once, on a stream of its own.
 * @returns {Promise<Uint8Array>} the answer; it rejects where there is none in time, and for an empty one (N9)
 */
export async function request (libp2p, to, protocol, body) {
  const stream = await libp2p.dialProtocol(to, protocol, { signal: AbortSignal.timeout(ANSWER_MS) })
  try {
    const frames = new Frames(stream)
    await frames.write(body)
    const answer = await frames.read(ANSWER_MS)
    await stream.close()
    if (!answer?.length) throw new Refused('unavailable', answer ? 'the peer refuses' : 'the peer is silent')
    return answer
  } catch (error) {
    stream.abort(error)
    throw error
  }
}

/**
 * Answers requests of `protocol` with `answer(body, connection) -> Uint8Array`; what that refuses is told to the asker.
 */
export async function serve (libp2p, protocol, answer) {
  await libp2p.handle(protocol, (stream, connection) =>
    converse(stream, (body) => answered(() => answer(body, connection), FAILED[protocol])))
}

function answered (answer, failed) {
  try {
    return answer()
  } catch (error) {
    if (!(error instanceof Refused)) surface(error)
    return failed ? write(failed, { code: error.code, message: error.message, ...error.proof }) : new Uint8Array(0)
  }
}
