/** What only the two parties read (specs/12): crypto_box between one-time keys, nonce in front. */
import sodium from 'libsodium-wrappers-sumo'
import { same } from './bytes.js'
import { concat } from './cbor.js'
import { Refused, require_ } from './errors.js'
import { open } from './record.js'
import { read, write } from './shape.js'

const NONCE_BYTES = 24
const MAC_BYTES = 16
const MAX_SEALED_BYTES = 12_288

/** An X25519 key pair {publicKey, privateKey} for one quote or one request. */
export const oneTimeKeys = () => sodium.crypto_box_keypair()

/** Refused `bad-key` for a point of small order, with which there is no secret. */
export function requireKey (key) {
  try {
    sodium.crypto_scalarmult(new Uint8Array(32).fill(7), key)
  } catch {
    throw new Refused('bad-key', 'a one-time key of small order')
  }
}

/** The public key of a secret one. */
export const publicOf = (secret) => sodium.crypto_scalarmult_base(secret)

/** `nonce || box` of the plaintext; Refused `bad-key`. */
export function seal (plain, theirPublic, ourSecret, nonce = sodium.randombytes_buf(NONCE_BYTES)) {
  requireKey(theirPublic)
  return concat([nonce, sodium.crypto_box_easy(plain, nonce, theirPublic, ourSecret)])
}

/** The plaintext; Refused `sealed`. */
export function unseal (sealed, theirPublic, ourSecret, most = MAX_SEALED_BYTES) {
  require_(sealed.length >= NONCE_BYTES + MAC_BYTES && sealed.length <= most, 'sealed', `${sealed.length} bytes`)
  try {
    return sodium.crypto_box_open_easy(sealed.subarray(NONCE_BYTES), sealed.subarray(0, NONCE_BYTES), theirPublic, ourSecret)
  } catch {
    throw new Refused('sealed', 'not sealed between these two keys')
  }
}

/** A message in a box (S8). @param {Record<string, any>} fields of a sealed message */
export const sealMessage = (fields, theirPublic, ourSecret, nonce) =>
  seal(write('sealed-message', fields), theirPublic, ourSecret, nonce)

/** The fields of a message; Refused `sealed` if it is not of this booking, from this sender to this recipient. */
export function openMessage (sealed, theirPublic, ourSecret, { booking, sender, recipient }) {
  const fields = read('sealed-message', unseal(sealed, theirPublic, ourSecret))
  const ours = same(fields.booking, booking) && same(fields.sender, sender) && same(fields.recipient, recipient)
  require_(ours, 'sealed', 'of another booking, or not between these two')
  return fields
}

/**
 * The access record in a box of the host's; Refused if it is another booking's or somebody else's (S6).
 * @param {{network: string, booking: Uint8Array, host: Uint8Array, driver: Uint8Array, hostKey: Uint8Array,
 *   secret: Uint8Array}} between
 */
export function openAccess (sealed, between, directory) {
  const record = open(unseal(sealed, between.hostKey, between.secret), between.network)
  require_(record.kind === 'access-record', 'access', 'another kind of record')
  const { author, booking, recipient } = record.body
  const ours = same(author, between.host) && same(booking, between.booking) && same(recipient, between.driver)
  require_(ours, 'access', 'of another booking or for somebody else')
  directory.authorise(record, author)
  return record
}
