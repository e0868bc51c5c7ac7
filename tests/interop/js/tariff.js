/** Tariffs of listings (specs/10): which price holds when. Quotes need none of this: their plan is in instants. */
import { require_ } from './errors.js'

const MINUTE_MS = 60_000
const QUARTER_MS = 15 * MINUTE_MS
const MAX_PERIODS = 64
const DIMENSIONS = ['ENERGY', 'TIME', 'PARKING_TIME', 'FLAT']
const WEEKDAYS = { Mon: 1, Tue: 2, Wed: 3, Thu: 4, Fri: 5, Sat: 6, Sun: 7 }

/**
 * The wall clock of an IANA zone; RangeError if there is none. Offsets from UTC are, and change at, quarter hours
 * (since 1972 everywhere), so that the slow question is asked once a quarter hour.
 * @returns {(at: number) => {weekday: number, minute: number}}
 */
export function wallClock (zone) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', weekday: 'short', hour: '2-digit', minute: '2-digit'
  })
  const quarters = new Map()
  const quarter = (number) => {
    const parts = Object.fromEntries(format.formatToParts(number * QUARTER_MS).map(({ type, value }) => [type, value]))
    return { weekday: WEEKDAYS[parts.weekday], minute: Number(parts.hour) * 60 + Number(parts.minute) }
  }
  return (at) => {
    const number = Math.floor(at / QUARTER_MS)
    if (!quarters.has(number)) quarters.set(number, quarter(number))
    const { weekday, minute } = quarters.get(number)
    return { weekday, minute: minute + Math.floor((at - number * QUARTER_MS) / MINUTE_MS) }
  }
}

/** The component of a dimension that counts at a local time and power, or undefined (T3). */
function componentAt (tariff, dimension, local, power) {
  for (const { components, restrictions = {} } of tariff.elements) {
    const component = components.find((one) => one.dimension === dimension)
    if (component && holds(restrictions, local, power)) return component
  }
  return undefined
}

function holds (restrictions, { weekday, minute }, power) {
  const { start_time: from, end_time: to, weekdays, min_power_w: least = 0, max_power_w: most = Infinity } = restrictions
  if (weekdays && !weekdays.includes(weekday)) return false
  if (power !== undefined && (power < least || power >= most)) return false
  if (from === undefined) return true
  return from <= to ? from <= minute && minute < to : minute >= from || minute < to
}

/**
 * The plan of a tariff for [start, end) (T4); Refused `unpriceable` where it changes too often. Prices can only
 * change at a full minute of the wall clock, so that each of these is looked at.
 */
export function resolve (tariff, zone, start, end, power, terms) {
  const local = wallClock(zone)
  const at = (instant) => DIMENSIONS.map((one) => componentAt(tariff, one, local(instant), power)).filter(Boolean)
  const periods = []
  let before
  for (let instant = start; instant < end; instant = nextMinute(instant)) {
    const components = at(instant)
    const text = JSON.stringify(components)
    if (text !== before) periods.push({ start: instant, components })
    before = text
  }
  if (terms.overstay_per_hour > 0) {
    const over = end + terms.overstay_grace * MINUTE_MS
    periods.push({ start: over, components: dearer(at(over), terms.overstay_per_hour) })
  }
  require_(periods.length <= MAX_PERIODS, 'unpriceable', `${periods.length} periods`)
  const { currency, min_price, max_price, tax_bp, tax_included } = tariff
  return { currency, periods, min_price, max_price, tax_bp, tax_included }
}

/** With so much an hour on top of both prices for time. */
function dearer (components, perHour) {
  return DIMENSIONS.flatMap((dimension) => {
    const own = components.find((one) => one.dimension === dimension)
    if (!dimension.endsWith('TIME')) return own ? [own] : []
    return [{ dimension, price: (own?.price ?? 0) + perHour, step: own?.step ?? 1 }]
  })
}

const nextMinute = (at) => (Math.floor(at / MINUTE_MS) + 1) * MINUTE_MS

/** The highest price of a kWh in [start, end) by the clocks of `zone`; 0 where there is none. */
export function dearestEnergy (tariff, zone, start, end) {
  const local = wallClock(zone)
  let dearest = 0
  for (let at = start; at < end; at = nextMinute(at)) {
    dearest = Math.max(dearest, componentAt(tariff, 'ENERGY', local(at))?.price ?? 0)
  }
  return dearest
}

/** The lowest price of a kWh without a window (L12): of the elements up to one that always sells it, else 0. */
export function cheapestEnergy ({ elements }) {
  let cheapest = Infinity
  for (const { components, restrictions } of elements) {
    const price = components.find((one) => one.dimension === 'ENERGY')?.price
    cheapest = Math.min(cheapest, price ?? Infinity)
    if (price !== undefined && restrictions === undefined) return cheapest
  }
  return 0
}

/** Whether prices depend on a power that only a quote agrees on. */
export const needsPower = ({ elements }) =>
  elements.some(({ restrictions: one = {} }) => one.min_power_w !== undefined || one.max_power_w !== undefined)
