/** Values as specs/vectors/README.md writes them in JSON, both ways. */
import { fromHex, hex } from './bytes.js'
import { MAPS } from './cddl.js'

/** Bytes as hexadecimal, integers beyond 2^53 as decimal text, maps as objects. */
export function toJson (value) {
  if (value instanceof Uint8Array) return hex(value)
  if (typeof value === 'bigint' || typeof value === 'number') return integerToJson(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toJson(one)]))
}

function integerToJson (value) {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value.toString()
}

/** The fields of a map `name` out of JSON: what is bytes and what text says its definition. */
export function fromJson (name, object) {
  const out = { ...object }
  for (const { name: field, type } of MAPS.get(name)) {
    if (field in object) out[field] = valueOf(type, object[field])
  }
  return out
}

function valueOf (type, value) {
  if (type.is === 'map') return fromJson(type.name, value)
  if (type.is === 'array') return value.map((item) => valueOf(type.of, item))
  if (type.is === 'bytes') return fromHex(value)
  return type.is === 'integer' ? integer(value) : value
}

/** A number, or a bigint where it is beyond 2^53. */
export function integer (value) {
  const whole = BigInt(value)
  const small = Number(whole)
  return Number.isSafeInteger(small) ? small : whole
}

/** A CBOR tree as `{"int": 5}`, `{"map": [[key, tree]]}` and so on. */
export function treeToJson (tree) {
  if (tree instanceof Uint8Array) return { bytes: hex(tree) }
  if (tree instanceof Map) return { map: [...tree].map(([key, value]) => [key, treeToJson(value)]) }
  if (Array.isArray(tree)) return { array: tree.map(treeToJson) }
  if (typeof tree === 'boolean') return { bool: tree }
  return typeof tree === 'string' ? { text: tree } : { int: integerToJson(tree) }
}

/** The tree that such an object describes. */
export function treeFromJson (part) {
  const [[kind, value]] = Object.entries(part)
  switch (kind) {
    case 'bytes': return fromHex(value)
    case 'map': return mapFromJson(value)
    case 'array': return value.map(treeFromJson)
    case 'int': return integer(value)
    case 'bool':
    case 'text': return value
    default: return { unknown: kind } // no tree: the encoder says so
  }
}

function mapFromJson (pairs) {
  const map = new Map(pairs.map(([key, value]) => [key, treeFromJson(value)]))
  if (map.size !== pairs.length) throw new RangeError('a key twice')
  return map
}
