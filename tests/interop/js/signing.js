/** What the driver's signatures cover, and what its node signs by itself (specs/11, C7 and after C11). */
import { bill } from './bill.js'
import { same } from './bytes.js'
import { differences, due, isFee } from './receipt.js'

const TOLERANCE_MS = 120_000
const TOLERANCE_WH = 500
const READING_WH = 100 // a person leaves out the last two digits of a meter
const NOTHING = { energy_wh: 0, cost: 0 }

/** Energy and cost that the driver signed for; neither is undefined (C7). @param {object} state of `stateOf` */
export function signedFor (state) {
  const { tickets, countersigned } = state
  return greater(countersigned ? tickets[countersigned - 1].body : NOTHING, withinAuthorisation(state))
}

/** The same with the tolerance, which counts from the authorisation and so once. */
function tolerated (state) {
  const { tickets, countersigned, authorised, quote } = state
  const seen = countersigned ? tickets[countersigned - 1].body : NOTHING
  if (!authorised) return greater(seen, NOTHING)
  const { energy_wh: energy, cost } = withinAuthorisation(state)
  return greater(seen, { energy_wh: energy + TOLERANCE_WH, cost: cost + tolerance(quote.plan) })
}

const greater = (one, other) =>
  ({ energy_wh: Math.max(one.energy_wh, other.energy_wh), cost: Math.max(one.cost, other.cost) })

function withinAuthorisation ({ tickets, authorised, stop }) {
  if (!authorised) return NOTHING
  let [last, cost] = [NOTHING, authorised.cost]
  for (const { body } of tickets) {
    const stopped = stop?.from !== undefined && body.at > stop.from + TOLERANCE_MS
    if (stopped) cost = last.cost
    if (stopped || body.cost > authorised.cost) break
    last = body
  }
  return { energy_wh: Math.min(last.energy_wh, authorised.energy_wh), cost }
}

/** The price of 500 Wh and 2 minutes by the dearest prices of the plan, with tax and without steps. */
function tolerance ({ periods, tax_included: included, tax_bp: rate }) {
  const components = periods.flatMap((one) => one.components)
  const dearest = (...dimensions) =>
    Math.max(0, ...components.filter((one) => dimensions.includes(one.dimension)).map((one) => one.price))
  const net = Math.ceil(TOLERANCE_WH * dearest('ENERGY') / 1000) +
    Math.ceil(TOLERANCE_MS * dearest('TIME', 'PARKING_TIME') / 3_600_000)
  return included ? net : net + Number((2n * BigInt(net) * BigInt(rate) + 10_000n) / 20_000n)
}

/** The state with all that the driver signed, also what the host has yet to include. @param {object[]} mine */
export function asSigned (state, mine) {
  const signs = (kind, field, id) => mine.find((one) => one.kind === kind && same(one.body[field], id))
  const countersigned = state.tickets.findLastIndex((one) => signs('countersign', 'ticket', one.id)) + 1
  const agreed = state.agreed ?? (state.receipt && signs('agreement', 'receipt', state.receipt.id))
  return Object.assign(Object.create(state), { countersigned: Math.max(countersigned, state.countersigned), agreed })
}

/** Whether a reading that a person typed waits for the driver's own. */
export const waitsForPerson = ({ tickets, countersigned, agreed }) =>
  !agreed && tickets.slice(countersigned).some((one) => one.body.by_hand)

/** The newest ticket, if the node countersigns it by itself. @param {object} state of `asSigned`, here and below */
export function toCountersign (state) {
  const newest = state.tickets.at(-1)
  if (!newest || state.countersigned === state.tickets.length || waitsForPerson(state)) return undefined
  const covered = tolerated(state)
  const within = newest.body.energy_wh <= covered.energy_wh && newest.body.cost <= covered.cost
  return within && costsWhatItSays(state) ? newest : undefined
}

/** Whether the newest ticket's cost is as computed (C3). */
const costsWhatItSays = ({ quote, tickets }) =>
  BigInt(tickets.at(-1).body.cost) === bill(quote.plan, tickets.map((one) => one.body)).total

/** The receipt, if the node agrees with it by itself. */
export function toAgree (state) {
  const { receipt, agreed } = state
  return receipt && !agreed && !waitsForPerson(state) && objections(state).length === 0 ? receipt : undefined
}

/** What the node has against the receipt that counts: fields, and bounds that it is beyond. */
export function objections (state) {
  const { quote, receipt } = state
  const own = due(state)
  if (!own) return ['no-ticket']
  const wrong = differences(receipt.body, own)
  const { floor } = state.inForce.at(-1)
  const floored = isFee(own) && floor > BigInt(quote.cap) // leaving a booking that was moved (B29)
  if (BigInt(receipt.body.total) > (floored ? floor : BigInt(quote.cap))) wrong.push('cap')
  if (!isFee(own) && !waitsForPerson(state)) {
    const covered = tolerated(state)
    if (own.energy_wh > covered.energy_wh) wrong.push('beyond-energy')
    if (own.total > covered.cost) wrong.push('beyond-cost')
  }
  return wrong.sort()
}

/** In what the newest ticket differs from what the driver's person reads at the meter; then it is not countersigned. */
export function readsOtherwise ({ quote, tickets }, registerWh) {
  const [first, newest] = [tickets[0].body, tickets.at(-1).body]
  const wrong = []
  if (Math.abs(newest.register_wh - registerWh) >= READING_WH) wrong.push('register')
  if (newest.energy_wh !== newest.register_wh - first.register_wh) wrong.push('energy')
  if (!costsWhatItSays({ quote, tickets })) wrong.push('cost')
  return wrong.sort()
}
