/**
 * The maps of the protocol as specs/cddl/chargemesh.cddl defines them: this reads the part of CDDL that is
 * used there, one field a line, `? 16: tstr .size (0..320),  ; vehicle`. The comment is the field's name.
 */
import { readFileSync } from 'node:fs'

const FILE = new URL('../../../specs/cddl/chargemesh.cddl', import.meta.url)
const UINT63 = [0n, 2n ** 63n - 1n]
const INT63 = [-(2n ** 63n), 2n ** 63n - 1n]

/**
 * A type: `{is: 'bytes'|'text', min, max}` (text in code points), `{is: 'integer', min, max}` (bigint),
 * `{is: 'constant', value}`, `{is: 'bool'}`, `{is: 'choice', of: [text]}`, `{is: 'array', min, max, of}`,
 * `{is: 'map', name}`.
 * @typedef {{is: string, min?: any, max?: any, value?: any, of?: any, name?: string}} Type
 * @typedef {{key: number, name: string, optional: boolean, type: Type}} Field
 */

/** @type {Map<string, Field[]>} the fields of every map, by its name */
export const MAPS = parse(readFileSync(FILE, 'utf8'))

function parse (text) {
  const maps = new Map()
  for (const [, name, body] of text.matchAll(/^([a-z-]+) = \{\n(.*?)^\}/gms)) {
    maps.set(name, [...body.matchAll(/^ {2}(\? |  )(\d+): (.*),  ; (\w+)$/gm)].map(field))
  }
  return maps
}

function field ([, optional, key, type, name]) {
  return { key: Number(key), name, optional: optional === '? ', type: typeOf(type) }
}

/** @returns {Type} */
function typeOf (text) {
  let found
  if (text === 'bool') return { is: 'bool' }
  if (text === 'uint63') return { is: 'integer', min: UINT63[0], max: UINT63[1] }
  if (text === 'int63') return { is: 'integer', min: INT63[0], max: INT63[1] }
  if (/^\d+$/.test(text)) return { is: 'constant', value: Number(text) }
  if ((found = /^(-?\d+)\.\.(\d+)$/.exec(text))) {
    return { is: 'integer', min: BigInt(found[1]), max: BigInt(found[2]) }
  }
  if ((found = /^bstr \.size (?:(\d+)|\((\d+)\.\.(\d+)\))$/.exec(text))) {
    return { is: 'bytes', min: Number(found[1] ?? found[2]), max: Number(found[1] ?? found[3]) }
  }
  if ((found = /^tstr \.size \((\d+)\.\.(\d+)\)$/.exec(text))) {
    return { is: 'text', min: Number(found[1]), max: Number(found[2]) / 4 } // its bytes, of 4 a code point
  }
  if ((found = /^\[(\d+)\*(\d+) \(?(.*?)\)?\]$/.exec(text)) && !/\.size/.test(text)) {
    return { is: 'array', min: Number(found[1]), max: Number(found[2]), of: typeOf(found[3]) }
  }
  if ((found = /^\[(\d+)\*(\d+) (.*)\]$/.exec(text))) {
    return { is: 'array', min: Number(found[1]), max: Number(found[2]), of: typeOf(found[3]) }
  }
  if (/^"[^"]*"( \/ "[^"]*")*$/.test(text)) {
    return { is: 'choice', of: [...text.matchAll(/"([^"]*)"/g)].map((one) => one[1]) }
  }
  if (/^[a-z-]+$/.test(text)) return { is: 'map', name: text }
  throw new SyntaxError(`a type that this does not read: ${text}`)
}
