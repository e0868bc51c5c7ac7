/** Records (specs/02): one COSE_Sign1 each, its id, and the one rule of Ed25519. */
import sodium from 'libsodium-wrappers-sumo'
import { sha256 } from './bytes.js'
import { concat, decode, encode } from './cbor.js'
import { require_ } from './errors.js'
import { CARRIERS, ENTRY_KINDS, isKnown } from './kinds.js'
import { entry } from './rules.js'
import { fields, someFields, tree } from './shape.js'

await sodium.ready

const MAX_RECORD_BYTES = 16_384
const MAX_ENTRY_BYTES = 1024
const KEYS_OF_ALL_ENTRIES = [0, 2, 3, 4, 5, 6]
const EDDSA = -8

/**
 * A verified record. `body` holds the fields of its kind, `raw` the bytes as they came.
 * @typedef {{id: Uint8Array, kind: string, kid: Uint8Array, body: Record<string, any>, raw: Uint8Array}} Record_
 */

/** An Ed25519 key pair {publicKey, privateKey} of a 32-byte seed; a new one without. */
export function keyPair (seed = sodium.randombytes_buf(32)) {
  return sodium.crypto_sign_seed_keypair(seed)
}

/**
 * Signs a record.
 * @param {string} kind @param {Record<string, any>} values its fields by name
 * @param {{publicKey: Uint8Array, privateKey: Uint8Array}} keys @param {string} network the network id
 * @returns {Record_}
 */
export function sign (kind, values, keys, network) {
  const payload = tree(kind, values)
  const header = encode(new Map([[1, EDDSA], [4, keys.publicKey], [16, kind]]))
  const body = encode(payload)
  const signed = sigStructure(header, body, network)
  const signature = sodium.crypto_sign_detached(signed, keys.privateKey)
  const raw = concat([Uint8Array.of(0xd2, 0x84), encode(header), Uint8Array.of(0xa0), encode(body), encode(signature)])
  return { id: sha256(signed), kind, kid: keys.publicKey, body: fields(kind, payload), raw }
}

/**
 * Reads and verifies a record; Refused says why it is none.
 * @param {Uint8Array} raw @param {string} network @param {string[]} [expected] the kinds that may stand here
 * @returns {Record_}
 */
export function open (raw, network, expected) {
  const { payload, ...record } = openSigned(raw, network, (kind) => {
    require_(isKnown(kind), 'unknown-kind', kind)
    require_(!expected || expected.includes(kind), 'wrong-kind', kind)
  })
  const opened = { ...record, body: fields(record.kind, payload) }
  if (CARRIERS.includes(opened.kind)) opened.carried = open(opened.body.quote, network, ['quote'])
  return opened
}

/** An entry of a log, also of a kind that we don't know: that is read as what all entries have in common. */
export function openEntry (raw, network) {
  require_(raw.length <= MAX_ENTRY_BYTES, 'too-large', `${raw.length} bytes`)
  const { payload, ...record } = openSigned(raw, network, (kind) =>
    require_(ENTRY_KINDS.includes(kind) || !isKnown(kind), 'wrong-kind', kind))
  if (isKnown(record.kind)) return { ...record, body: fields(record.kind, payload) }
  const body = someFields('vouch', KEYS_OF_ALL_ENTRIES, payload)
  entry(body)
  return { ...record, body }
}

/** A record whose signature holds, its payload as a tree; `judge(kind)` throws before anything is verified. */
function openSigned (raw, network, judge) {
  const { kid, kind, payload, signature, signed } = signedParts(raw, network)
  judge(kind)
  verify(signature, signed, kid)
  return { id: sha256(signed), kind, kid, payload: mapIn(payload), raw }
}

/** What the envelope holds, nothing of it verified: kid, kind, payload, signature, and the signed bytes. */
export function signedParts (raw, network) {
  const { header, payload, signature } = parts(raw)
  return { ...readHeader(header), payload, signature, signed: sigStructure(header, payload, network) }
}

/** The bytes that are signed (RFC 9052, section 4.4). */
function sigStructure (header, payload, network) {
  return encode(['Signature1', header, new TextEncoder().encode(`chargemesh/${network}`), payload])
}

/** Refused unless `signature` over `signed` is one of `kid`, by libsodium and its test of the point. */
function verify (signature, signed, kid) {
  checkKey(kid)
  require_(sodium.crypto_sign_verify_detached(signature, signed, kid), 'bad-signature', 'not signed by kid')
}

/** Refused unless a record may be signed by this key. */
export function checkKey (kid) {
  require_(sodium.crypto_core_ed25519_is_valid_point(kid), 'bad-key', 'kid is no point of the main subgroup')
}

/** The three byte strings of a COSE_Sign1 in its only form. */
function parts (raw) {
  require_(raw.length <= MAX_RECORD_BYTES, 'too-large', `${raw.length} bytes`)
  require_(raw[0] === 0xd2 && raw[1] === 0x84, 'encoding', 'not tag 18 and an array of 4')
  const reader = { raw, at: 2 }
  const header = byteString(reader)
  require_(reader.at < raw.length, 'encoding', 'cut short')
  require_(raw[reader.at] === 0xa0, 'header', 'the unprotected map is not empty')
  reader.at += 1
  const payload = byteString(reader)
  const signature = byteString(reader)
  require_(reader.at === raw.length, 'encoding', 'trailing bytes')
  require_(signature.length === 64, 'bad-signature', 'a signature has 64 bytes')
  return { header, payload, signature }
}

/** The byte string at `reader.at`, its length in the shortest form. */
function byteString (reader) {
  const { raw, at } = reader
  const info = (raw[at] ?? 0xff) - 0x40
  const size = { 24: 1, 25: 2 }[info] ?? 0 // no record is longer than two bytes of length can tell
  require_(info >= 0 && (info < 24 || size > 0), 'encoding', 'no byte string')
  let length = size ? 0 : info
  for (let i = 0; i < size; i++) length = length * 256 + raw[at + 1 + i]
  const from = at + 1 + size
  require_(from + length <= raw.length && (!size || length >= [0, 24, 256][size]), 'encoding', 'its length')
  reader.at = from + length
  return raw.slice(from, reader.at)
}

function readHeader (bytes) {
  const header = mapIn(bytes)
  const [alg, kid, kind] = [1, 4, 16].map((label) => header.get(label))
  const right = header.size === 3 && alg === EDDSA && kid instanceof Uint8Array && kid.length === 32
  require_(right && typeof kind === 'string', 'header', 'not exactly alg, kid and typ')
  require_([...kind].length >= 1 && [...kind].length <= 40, 'header', 'typ has 1 to 40 characters')
  return { kid, kind }
}

function mapIn (bytes) {
  const tree = decode(bytes)
  require_(tree instanceof Map, 'encoding', 'no map')
  return tree
}
