/**
 * Deterministic CBOR, the subset of specs/01: integers of 64 bits with a sign, byte and text strings, booleans,
 * arrays, and maps whose keys are 0 to 23 in ascending order. Every value has one form, and no other is read.
 *
 * In JavaScript: a byte string is a Uint8Array, a map a Map from numbers, an integer a number where that is
 * exact and a bigint beyond.
 */
import { Refused } from './errors.js'

const MAX_DEPTH = 8
const MAX_MESSAGE_BYTES = 262_144
const MAX_KEY = 23
const MIN_INT = -(2n ** 63n)
const MAX_INT = 2n ** 63n - 1n
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // else a leading U+FEFF would vanish
const toUtf8 = new TextEncoder()

/** The bytes of `tree`; TypeError or RangeError for what has no form here: that is the writer's mistake. */
export function encode (tree) {
  const out = []
  write(out, tree, 1)
  return concat(out)
}

/** The tree in `bytes`; Refused `encoding`, or `too-large` beyond `maxBytes`. */
export function decode (bytes, maxBytes = MAX_MESSAGE_BYTES) {
  if (bytes.length > maxBytes) throw new Refused('too-large', `${bytes.length} bytes, ${maxBytes} at most`)
  const reader = new Reader(bytes)
  const tree = reader.value(1)
  if (reader.at !== bytes.length) bad('bytes behind the value')
  return tree
}

/** All parts in one array. */
export function concat (parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function write (out, tree, depth) {
  if (typeof tree === 'boolean') out.push(Uint8Array.of(tree ? 0xf5 : 0xf4))
  else if (typeof tree === 'number' || typeof tree === 'bigint') writeInteger(out, tree)
  else if (typeof tree === 'string') writeText(out, tree)
  else if (tree instanceof Uint8Array) out.push(head(2, tree.length), tree)
  else if (depth > MAX_DEPTH) throw new RangeError('nested too deep')
  else if (Array.isArray(tree)) {
    out.push(head(4, tree.length))
    for (const item of tree) write(out, item, depth + 1)
  } else if (tree instanceof Map) writeMap(out, tree, depth)
  else throw new TypeError(`${typeof tree} has no place in a tree`)
}

function writeInteger (out, value) {
  const whole = BigInt(value) // RangeError for a fraction
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('give a bigint')
  if (whole < MIN_INT || whole > MAX_INT) throw new RangeError('beyond 64 bits')
  out.push(whole < 0n ? head(1, -1n - whole) : head(0, whole))
}

function writeText (out, text) {
  if (!text.isWellFormed()) throw new TypeError('half a surrogate pair')
  const bytes = toUtf8.encode(text)
  out.push(head(3, bytes.length), bytes)
}

function writeMap (out, map, depth) {
  const keys = [...map.keys()].sort((a, b) => a - b)
  out.push(head(5, keys.length))
  for (const key of keys) {
    if (!Number.isInteger(key) || key < 0 || key > MAX_KEY) throw new RangeError(`a key ${key}`)
    out.push(head(0, key))
    write(out, map.get(key), depth + 1)
  }
}

/** Major type and argument in the shortest form. */
function head (major, argument) {
  const n = BigInt(argument)
  const first = major << 5
  if (n < 24n) return Uint8Array.of(first | Number(n))
  const size = n < 0x100n ? 1 : n < 0x10000n ? 2 : n < 0x1_0000_0000n ? 4 : 8
  const out = new Uint8Array(1 + size)
  out[0] = first | (24 + Math.log2(size))
  for (let i = 0, rest = n; i < size; i++, rest >>= 8n) out[size - i] = Number(rest & 0xffn)
  return out
}

function bad (why) {
  throw new Refused('encoding', why)
}

class Reader {
  constructor (bytes) {
    this.bytes = bytes
    this.at = 0
  }

  /** The value that begins here; a container here has `depth` containers around it and itself. */
  value (depth) {
    const first = this.byte()
    const major = first >> 5
    if (major === 7) {
      if (first === 0xf4 || first === 0xf5) return first === 0xf5
      bad('a float, null, undefined or another simple value')
    }
    if (major === 6) bad('a tag')
    const n = this.argument(first & 31)
    if (major === 0) return integer(n)
    if (major === 1) return integer(-1n - n)
    if (major === 2) return this.take(n).slice()
    if (major === 3) return text(this.take(n))
    if (depth > MAX_DEPTH) bad('nested too deep')
    return major === 4 ? this.array(n, depth) : this.map(n, depth)
  }

  argument (info) {
    if (info < 24) return BigInt(info)
    if (info > 27) bad('an indefinite length or a reserved form')
    const size = 1 << (info - 24)
    let n = 0n
    for (const byte of this.take(BigInt(size))) n = (n << 8n) | BigInt(byte)
    if (n < (size === 1 ? 24n : 1n << BigInt(4 * size))) bad('a number longer than needed')
    return n
  }

  array (n, depth) {
    if (n > BigInt(this.bytes.length - this.at)) bad('cut short')
    const out = []
    for (let i = 0n; i < n; i++) out.push(this.value(depth + 1))
    return out
  }

  map (n, depth) {
    if (n > BigInt(MAX_KEY + 1)) bad('more entries than keys')
    const out = new Map()
    let last = -1
    for (let i = 0n; i < n; i++) {
      const key = this.byte() // 0 to 23 is one byte, and nothing else is a key
      if (key > MAX_KEY) bad('a key that is no integer from 0 to 23')
      if (key <= last) bad('a key twice or out of order')
      last = key
      out.set(key, this.value(depth + 1))
    }
    return out
  }

  byte () {
    if (this.at >= this.bytes.length) bad('cut short')
    return this.bytes[this.at++]
  }

  take (n) {
    if (n > BigInt(this.bytes.length - this.at)) bad('cut short')
    const from = this.at
    this.at += Number(n)
    return this.bytes.subarray(from, this.at)
  }
}

function integer (n) {
  if (n < MIN_INT || n > MAX_INT) bad('an integer beyond 64 bits')
  const small = Number(n)
  return Number.isSafeInteger(small) ? small : n
}

function text (bytes) {
  try {
    return utf8.decode(bytes)
  } catch {
    return bad('text that is not UTF-8')
  }
}
