/** Byte strings: hexadecimal, equality, and the one hash of the protocol. */
import { createHash, createHmac } from 'node:crypto'

/** SHA-256, as an Uint8Array. */
export const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())

/** HMAC-SHA-256, as an Uint8Array. */
export const hmac = (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest())

/** Lower-case hexadecimal: ids as keys of maps, and as people read them. */
export const hex = (bytes) => Buffer.from(bytes).toString('hex')

/** @param {string} text */
export const fromHex = (text) => new Uint8Array(Buffer.from(text, 'hex'))

/** Whether two byte strings are equal. */
export const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at])
