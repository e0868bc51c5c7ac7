/** Tariffs of listings (specs/10): which price holds when. Quotes need none of this: their plan is in instants. */

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
const WEEKDAYS = { Mon: 1, Tue: 2, Wed: 3, Thu: 4, Fri: 5, Sat: 6, Sun: 7 }

/** @returns {(at: number) => {weekday: number, minute: number}} the wall clock of an IANA zone; RangeError if there is none */
function wallClock (zone) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', weekday: 'short', hour: '2-digit', minute: '2-digit'
  })
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    return { weekday: WEEKDAYS[parts.weekday], minute: Number(parts.hour) * 60 + Number(parts.minute) }
  }
}

/** The price of a dimension at a local time, or undefined (T3). */
function priceAt (tariff, dimension, { weekday, minute }) {
  for (const { components, restrictions = {} } of tariff.elements) {
    const component = components.find((one) => one.dimension === dimension)
    if (component && holds(restrictions, weekday, minute)) return component.price
  }
  return undefined
}

function holds ({ start_time: from, end_time: to, weekdays }, weekday, minute) {
  if (weekdays && !weekdays.includes(weekday)) return false
  if (from === undefined) return true
  return from <= to ? from <= minute && minute < to : minute >= from || minute < to
}

/** The highest price of a kWh in [start, end) by the clocks of `zone`; 0 where there is none. */
export function dearestEnergy (tariff, zone, start, end) {
  const local = wallClock(zone)
  let dearest = 0
  for (let at = start; at < end; at = (Math.floor(at / MINUTE_MS) + 1) * MINUTE_MS) {
    dearest = Math.max(dearest, priceAt(tariff, 'ENERGY', local(at)) ?? 0)
  }
  return dearest
}

/** The lowest price of a kWh at any time of the week; 0 where a time has none. */
export function cheapestEnergy (tariff) {
  let cheapest = Infinity
  for (let weekday = 1; weekday <= 7; weekday++) {
    for (let minute = 0; minute < DAY_MINUTES; minute++) {
      cheapest = Math.min(cheapest, priceAt(tariff, 'ENERGY', { weekday, minute }) ?? 0)
    }
  }
  return cheapest
}

/** Whether prices depend on a power that only a quote agrees on. */
export const needsPower = ({ elements }) =>
  elements.some(({ restrictions: one = {} }) => one.min_power_w !== undefined || one.max_power_w !== undefined)
