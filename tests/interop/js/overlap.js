/** Whether a host promised one charger to two bookings at once (specs/05, B24). */
import { same } from './bytes.js'
import { includes } from './effects.js'
import { chainOf, stateOf } from './state.js'

/** What two bookings are to each other. @param {{quote: object, request: object, host: object[], driver: object[]}} one */
export function overlap (one, other) {
  const [first, second] = [one.quote.body, other.quote.body]
  if (same(one.request.id, other.request.id)) return 'same-booking'
  if (!same(first.author, second.author)) return 'other-host'
  if (!same(first.charger, second.charger)) return 'other-charger'
  const promised = [one, other].map(promisedAt)
  if (promised.some((instants) => instants.length === 0)) return 'not-accepted'
  const both = Math.max(...promised.map(([accepted]) => accepted))
  const found = promised.flat().filter((at) => at >= both).map((at) => judge(one, other, at))
  return ['double-booked', 'apart', 'released'].find((one) => found.includes(one)) ?? 'apart'
}

/** When the host accepted, and when it put each later quote in force; empty if it never did. */
function promisedAt (set) {
  const { accepted, inForce } = stateOf(set, set.quote.body.end)
  return accepted === undefined ? [] : [accepted, ...inForce.slice(1).map(({ since }) => since)]
}

/** What the two were to each other when the host had just promised one of them a time. */
function judge (one, other, at) {
  const states = [one, other].map((set) => asSigned(set, at))
  const [here, there] = states.map(({ quote }) => quote)
  if (here.end <= there.start || there.end <= here.start) return 'apart'
  return states.every(holdsSlot) ? 'double-booked' : 'released'
}

/** The state at an instant by what the host had signed until then, and what that includes. */
function asSigned ({ quote, request, host, driver }, at) {
  const chain = chainOf(host, request)
  const later = chain.findIndex(({ body }) => body.issued > at)
  const signed = later < 0 ? chain : chain.slice(0, later)
  const heard = driver.filter((record) => signed.some((one) => includes(one, record)))
  return stateOf({ quote, request, host: signed, driver: heard }, at)
}

function holdsSlot ({ reservation, session }) {
  return reservation === 'RESERVED' || (reservation === 'FULFILLED' && ['PENDING', 'ACTIVE'].includes(session))
}
