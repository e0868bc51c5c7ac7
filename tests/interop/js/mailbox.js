/** Parcels for who is away (specs/15): sealed letters of three sizes, and the proof of who may collect them. */
import sodium from 'libsodium-wrappers-sumo'
import { concat, encode } from './cbor.js'
import { Refused, require_ } from './errors.js'
import { checkKey } from './record.js'
import { read, write } from './shape.js'

const SIZES = [4096, 16384, 65536]
const SEAL_BYTES = 48
const MARK = 0x80

/** The Ed25519 key of a seed, and the X25519 key that parcels are sealed to. */
export function mailboxKeys (seed) {
  const key = sodium.crypto_sign_seed_keypair(seed).publicKey
  return { key, sealing: sealingKey(key) }
}

/** The parcel for the holder of `recipient`; Refused `bad-key`, or `schema` for a letter that is too long. */
export function sealLetter (letter, recipient, seed) {
  const { publicKey, privateKey } = sodium.crypto_box_seed_keypair(seed)
  const theirs = sealingKey(recipient)
  const nonce = sodium.crypto_generichash(24, concat([publicKey, theirs]))
  return concat([publicKey, sodium.crypto_box_easy(padded(write('letter', letter)), nonce, theirs, privateKey)])
}

/** The fields of the letter in a parcel; Refused `parcel` or `sealed`. */
export function openParcel (sealed, seed) {
  require_(SIZES.includes(sealed.length), 'parcel', 'no size of a parcel')
  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(seed)
  const plain = unsealed(sealed, sealingKey(publicKey), sodium.crypto_sign_ed25519_sk_to_curve25519(privateKey))
  const end = plain.findLastIndex((byte) => byte !== 0)
  require_(end >= 0 && plain[end] === MARK, 'parcel', 'padded wrongly')
  return read('letter', plain.subarray(0, end))
}

/** 64 bytes of Ed25519. @param {{network: string, peerId: string, challenge: Uint8Array, drop: Uint8Array[]}} asked */
export const signCollect = (seed, asked) =>
  sodium.crypto_sign_detached(signed(asked), sodium.crypto_sign_seed_keypair(seed).privateKey)

/** Refused `bad-key` or `bad-signature` unless the recipient signed just this. */
export function requireCollect (recipient, signature, asked) {
  checkKey(recipient)
  require_(sodium.crypto_sign_verify_detached(signature, signed(asked), recipient), 'bad-signature', 'another key')
}

const signed = ({ network, peerId, challenge, drop }) =>
  encode(['chargemesh/mailbox-collect', network, peerId, challenge, drop])

function sealingKey (key) {
  try {
    return sodium.crypto_sign_ed25519_pk_to_curve25519(key)
  } catch {
    throw new Refused('bad-key', 'no key that anything can be sealed to')
  }
}

function padded (letter) {
  const size = SIZES.find((one) => letter.length + 1 + SEAL_BYTES <= one)
  require_(size, 'schema', 'too long for a parcel')
  const out = new Uint8Array(size - SEAL_BYTES)
  out.set(letter)
  out[letter.length] = MARK
  return out
}

function unsealed (sealed, publicKey, secret) {
  try {
    return sodium.crypto_box_seal_open(sealed, publicKey, secret)
  } catch {
    throw new Refused('sealed', 'not sealed for this key')
  }
}
