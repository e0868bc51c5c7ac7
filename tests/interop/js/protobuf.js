/** As much of protobuf as Kademlia's messages need (specs/09, N12): fields that are numbers or byte strings. */
import { concat } from './cbor.js'

const [VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES] = [0, 1, 2, 5]

/** The bytes of [number, value] pairs; a value is an integer from 0, or bytes. */
export const encodeFields = (fields) => concat(fields.flatMap(([number, value]) => typeof value === 'number'
  ? [varint(number << 3 | VARINT), varint(value)]
  : [varint(number << 3 | BYTES), varint(value.length), value]))

/** The last value of each field, by its number; RangeError for what is no message. */
export function decodeFields (bytes) {
  const reader = { bytes, at: 0 }
  const fields = new Map()
  while (reader.at < bytes.length) {
    const tag = readVarint(reader)
    fields.set(Math.floor(tag / 8), valueOf(tag % 8, reader))
  }
  return fields
}

function valueOf (type, reader) {
  switch (type) {
    case VARINT: return readVarint(reader)
    case BYTES: return take(reader, readVarint(reader))
    case EIGHT_BYTES: return take(reader, 8)
    case FOUR_BYTES: return take(reader, 4)
    default: throw new RangeError(`wire type ${type}`)
  }
}

function take (reader, length) {
  const from = reader.at
  reader.at += length
  if (reader.at > reader.bytes.length) throw new RangeError('cut short')
  return reader.bytes.subarray(from, reader.at)
}

/** Exact up to 2^53; nothing that is read here is larger. */
function readVarint (reader) {
  for (let [value, factor] = [0, 1]; factor < 2 ** 64; factor *= 0x80) {
    const [byte] = take(reader, 1)
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
  }
  throw new RangeError('a number of more than 10 bytes')
}

/** The unsigned varint of an integer below 2^31. */
export function varint (value) {
  const out = []
  for (; value > 0x7f; value >>= 7) out.push(value & 0x7f | 0x80)
  return Uint8Array.of(...out, value)
}
