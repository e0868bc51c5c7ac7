/**
 * Maps of the protocol <-> plain objects with the field names of the specs. Reading checks every field and the
 * rules between them, lets unknown optional keys (16 to 23) go by and refuses unknown critical ones (specs/01).
 */
import { decode, encode } from './cbor.js'
import { MAPS } from './cddl.js'
import { Refused } from './errors.js'
import { RULES } from './rules.js'

const FIRST_OPTIONAL = 16

/**
 * The fields of a map `name`; Refused `schema` or `unknown-critical-key`.
 * @param {string} name @param {unknown} tree @returns {Record<string, any>}
 */
export function fields (name, tree) {
  if (!(tree instanceof Map)) wrong(`${name} is a map`)
  const known = MAPS.get(name)
  for (const key of tree.keys()) {
    if (key < FIRST_OPTIONAL && !known.some((field) => field.key === key)) {
      throw new Refused('unknown-critical-key', `key ${key} of ${name}`)
    }
  }
  const out = valuesOf(known, name, tree)
  RULES[name]?.(out)
  return out
}

/** The fields with these keys, as the map `name` has them; all others are left alone. */
export function someFields (name, keys, tree) {
  if (!(tree instanceof Map)) wrong(`${name} is a map`)
  return valuesOf(MAPS.get(name).filter((field) => keys.includes(field.key)), name, tree)
}

function valuesOf (known, name, tree) {
  const out = {}
  for (const { key, name: label, optional, type } of known) {
    if (tree.has(key)) out[label] = checked(type, tree.get(key), `${name}.${label}`)
    else if (!optional) wrong(`${name}.${label} is missing`)
  }
  return out
}

/** The map of `name` with these fields; fields of one possible value may be left out. */
export function tree (name, values) {
  const out = new Map()
  for (const { key, name: label, type } of MAPS.get(name)) {
    const value = type.is === 'constant' ? type.value : values[label]
    if (value !== undefined) out.set(key, treeOf(type, value))
  }
  fields(name, out) // a writer's own mistake shows here and not at the peer's
  return out
}

/** The fields in the bytes of a map. */
export const read = (name, bytes, maxBytes) => fields(name, decode(bytes, maxBytes))

/** The bytes of a map. */
export const write = (name, values) => encode(tree(name, values))

function treeOf (type, value) {
  if (type.is === 'map') return tree(type.name, value)
  if (type.is === 'array') return value.map((item) => treeOf(type.of, item))
  return type.is === 'text' ? value.normalize('NFC') : value
}

function checked (type, value, where) {
  switch (type.is) {
    case 'map':
      return fields(type.name, value)
    case 'array':
      if (!Array.isArray(value)) wrong(`${where} is an array`)
      within(type, value.length, where)
      return value.map((item, at) => checked(type.of, item, `${where}[${at}]`))
    case 'bytes':
      if (!(value instanceof Uint8Array)) wrong(`${where} is a byte string`)
      within(type, value.length, where)
      return value
    case 'text':
      if (typeof value !== 'string') wrong(`${where} is text`)
      within(type, [...value].length, where)
      return value
    case 'integer':
      if (typeof value !== 'number' && typeof value !== 'bigint') wrong(`${where} is an integer`)
      within(type, BigInt(value), where)
      return value
    case 'bool':
      if (typeof value !== 'boolean') wrong(`${where} is a boolean`)
      return value
    case 'choice':
      if (!type.of.includes(value)) wrong(`${where} is none of its names`)
      return value
    case 'constant':
      if (value !== type.value) wrong(`${where} is not ${type.value}`)
      return value
    default:
      throw new TypeError(type.is)
  }
}

function within ({ min, max }, amount, where) {
  if (amount < min || amount > max) wrong(`${where} is out of bounds`)
}

function wrong (why) {
  throw new Refused('schema', why)
}
