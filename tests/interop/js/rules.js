/** Rules between the fields of one map, which neither its types nor CDDL express: Refused `schema` or `cell`. */
import { readFileSync } from 'node:fs'
import { getResolution, isValidCell } from 'h3-js'
import { hex, same } from './bytes.js'
import { require_ } from './errors.js'

const [COARSEST, FINEST] = [4, 8]
const SLOT_MS = 900_000
const MAX_LISTING_MS = 86_400_000
const MAX_DELEGATION_MS = 366 * 86_400_000
const CURRENCIES = new URL('../../../specs/tables/currencies.json', import.meta.url)

/** @type {Map<string, number>} minor digits of each currency of ISO 4217 */
const DIGITS = new Map(JSON.parse(readFileSync(CURRENCIES, 'utf8')).map(({ code, digits }) => [code, digits]))

const rule = (holds, why) => require_(holds, 'schema', why)
const ascend = (list) => list.every((one, at) => at === 0 || list[at - 1] < one)
const differ = (list) => new Set(list).size === list.length

/** Refused `cell` unless it is the index of an H3 cell that may be public. */
export function requireCell (cell) {
  const text = BigInt(cell).toString(16)
  const right = isValidCell(text) && getResolution(text) >= COARSEST && getResolution(text) <= FINEST
  require_(right, 'cell', `${text} is no cell of resolution 4 to 8`)
}

/** The sequence that `skip` of an entry names, or 0: none. */
export function skipTarget (sequence) {
  const target = sequence & (sequence - 1)
  return target === sequence - 1 ? 0 : target
}

function lasts ({ issued, expires }, most) {
  const life = BigInt(expires) - BigInt(issued)
  rule(life > 0n && life <= BigInt(most), 'expires comes after issued, and not too late')
}

function inRegion ({ region }) {
  const text = BigInt(region).toString(16)
  rule(isValidCell(text) && getResolution(text) === COARSEST, 'a region is a cell of resolution 4')
}

/** What every entry of a log keeps to, also one of a kind that we don't know. */
export function entry (fields) {
  inRegion(fields)
  rule(fields.sequence !== 1 || same(fields.previous, fields.author), 'the first entry names its author')
  rule((fields.skip !== undefined) === (skipTarget(fields.sequence) > 0), 'skip stands where it belongs')
}

function aboutAnother (fields) {
  entry(fields)
  rule(!same(fields.subject, fields.author), 'an entry is about somebody else')
}

/** Micro-units of the smallest coin; undefined for a currency that we don't know. */
export function coinOf (currency) {
  return DIGITS.has(currency) ? 10 ** (6 - DIGITS.get(currency)) : undefined
}

function limits ({ currency, min_price: least, max_price: most }) {
  rule(most === 0 || most >= least, 'max_price is none, or at least min_price')
  const coin = coinOf(currency)
  rule(!coin || (least % coin === 0 && most % coin === 0), 'a limit is in whole coins')
}

function oneOfEach ({ components }) {
  rule(differ(components.map((one) => one.dimension)), 'one price for a dimension')
}

/** @type {Record<string, (fields: Record<string, any>) => void>} by the name of a map */
export const RULES = {
  genesis: ({ root, recovery }) => rule(differ([root, ...recovery].map(hex)), 'root and recovery keys differ'),
  delegation: (fields) => lasts(fields, MAX_DELEGATION_MS),
  listing: (fields) => {
    lasts(fields, MAX_LISTING_MS)
    requireCell(fields.cell)
  },
  withdrawal: ({ cell }) => requireCell(cell),
  'slot-map': ({ start }) => rule(start % SLOT_MS === 0, 'slots begin at a quarter hour'),
  'booking-rules': (fields) => rule(fields.min_minutes <= fields.max_minutes, 'min_minutes up to max_minutes'),
  tariff: (fields) => {
    rule(/^[A-Z]{3}$/.test(fields.currency), 'a currency has three capital letters')
    limits(fields)
  },
  'tariff-element': oneOfEach,
  'tariff-period': oneOfEach,
  'price-component': ({ dimension, step }) => rule(dimension !== 'FLAT' || step === 1, 'FLAT has no step'),
  restrictions: ({ start_time: from, end_time: to, weekdays = [] }) => {
    rule((from === undefined) === (to === undefined), 'start_time and end_time come together')
    rule(from === undefined || from !== to, 'no time at all')
    rule(ascend(weekdays), 'weekdays ascend')
  },
  terms: ({ tiers }) => rule(ascend(tiers.map((one) => -one.minutes_before)), 'farthest first, each time once'),
  'price-plan': (fields) => {
    rule(DIGITS.has(fields.currency), 'a currency of ISO 4217')
    rule(ascend(fields.periods.map((one) => one.start)), 'periods ascend')
    limits(fields)
  },
  quote: ({ start, end, issued, expires }) =>
    rule(start < end && issued < expires, 'start before end, issued before expires'),
  completion: entry,
  review: aboutAnother,
  vouch: aboutAnother,
  'completion-statement': (fields) => {
    inRegion(fields)
    rule(!same(fields.author, fields.counterparty), 'nobody books with themselves')
  },
  'listing-store': ({ cell }) => requireCell(cell),
  'listing-query': ({ cells }) => cells.forEach(requireCell),
  cursor: ({ next, head }) => {
    rule(next >= 1, 'sequences begin at 1')
    rule((head !== undefined) === (next > 1), 'head is the entry before next')
  },
  need: ({ start, end }) => {
    rule((start === undefined) === (end === undefined), 'start and end come together')
    rule(start === undefined || start < end, 'start before end')
  }
}
