/** Messages of the streams: which map a first key (the operation) names, where there is one. */
import { decode } from './cbor.js'
import { require_ } from './errors.js'
import { fields } from './shape.js'
import { BOOKING, IDENTITY, LISTING, LOG, MAILBOX } from './streams.js'

const BY_OPERATION = {
  [BOOKING]: { 1: 'booking-ask-quote', 2: 'booking-quote-given', 3: 'booking-exchange', 15: 'booking-failed' },
  [LISTING]: {
    1: 'listing-store', 2: 'listing-store-renewal', 3: 'listing-withdraw', 4: 'listing-query', 5: 'listing-found',
    6: 'listing-kept', 15: 'listing-failed'
  },
  [IDENTITY]: { 1: 'identity-get', 2: 'identity-given' },
  [MAILBOX]: {
    1: 'mailbox-ask-terms', 2: 'mailbox-terms', 3: 'mailbox-deposit', 4: 'mailbox-taken', 5: 'mailbox-knock',
    6: 'mailbox-challenge', 7: 'mailbox-collect', 8: 'mailbox-collected', 15: 'mailbox-failed'
  }
}

const REQUESTS = [
  'booking-ask-quote', 'booking-exchange', 'listing-store', 'listing-store-renewal', 'listing-withdraw', 'listing-query',
  'identity-get'
]

/** As `readMessage`; Refused `unexpected` for what only answers a request (specs/08, K8). */
export function readRequest (stream, bytes) {
  const read = readMessage(stream, bytes)
  require_(REQUESTS.includes(read.message), 'unexpected', read.message)
  return read
}

/**
 * The name and fields of a message of `stream`: the id of its protocol, or the topic of the log.
 * @returns {{message: string, fields: Record<string, any>}}
 */
export function readMessage (stream, bytes) {
  const tree = decode(bytes)
  require_(tree instanceof Map, 'encoding', 'no map')
  if (stream.endsWith('/log')) return { message: 'log-news', fields: fields('log-news', tree) }
  if (stream === LOG) return { message: 'log-catch-up', fields: fields('log-catch-up', tree) }
  const operation = tree.get(0)
  require_(typeof operation === 'number' && Object.hasOwn(BY_OPERATION[stream], operation), 'unknown-operation')
  const message = BY_OPERATION[stream][operation]
  return { message, fields: fields(message, tree) }
}
