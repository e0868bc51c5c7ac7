/** What a session costs (specs/10): integers only, the same at both ends. */
import { coinOf } from './rules.js'

const UNITS = { ENERGY: 1000n, TIME: 3_600_000n, PARKING_TIME: 3_600_000n, FLAT: 1n }
const STEPS = { ENERGY: 1n, TIME: 1000n, PARKING_TIME: 1000n, FLAT: 1n } // a step is Wh or seconds
const TEN_THOUSAND = 10_000n

/**
 * What the tickets cost under the plan.
 * @param {object} quote body of the quote @param {object[]} tickets bodies, from Begin on, in order
 * @returns {{started: bigint, ended: bigint, energy_wh: bigint, lines: object[], total: bigint, adjustment: bigint, tax: bigint, rounding: bigint}}
 */
export function reckon (quote, tickets) {
  const { plan } = quote
  const lines = quantities(usage(plan.periods, tickets))
    .map((one) => ({ ...one, amount: divide(one.quantity * one.price, UNITS[one.dimension]) }))
  const sum = lines.reduce((total, line) => total + line.amount, 0n)
  const bounded = bound(sum, BigInt(plan.min_price), BigInt(plan.max_price))
  const rate = BigInt(plan.tax_bp)
  const gross = plan.tax_included ? bounded : bounded + divide(bounded * rate, TEN_THOUSAND)
  const coin = BigInt(coinOf(plan.currency))
  const total = divide(gross, coin) * coin
  const tax = divide(divide(total * rate, TEN_THOUSAND + rate), coin) * coin
  const rounding = total - bounded - (plan.tax_included ? 0n : tax)
  const energy = BigInt(tickets.at(-1).energy_wh) - BigInt(tickets[0].energy_wh)
  return { started: BigInt(tickets[0].at), ended: BigInt(tickets.at(-1).at), energy_wh: energy, lines, total, adjustment: bounded - sum, tax, rounding }
}

/** The fields in which a receipt is other than computed; none if it is right. */
export function differences (receipt, own) {
  const told = receipt.lines.map((line) => [line.dimension, ...[line.quantity, line.price, line.amount].map(BigInt)].join())
  const lines = own.lines.map((line) => [line.dimension, line.quantity, line.price, line.amount].join())
  const wrong = told.join(';') === lines.join(';') ? [] : ['lines']
  for (const name of ['started', 'ended', 'energy_wh', 'total', 'adjustment', 'tax', 'rounding']) {
    if (BigInt(receipt[name] ?? 0) !== own[name]) wrong.push(name)
  }
  return wrong
}

/**
 * What was used in each period from the first ticket's to the last one's: Wh, ms until the meter first showed
 * its final value, ms after that. Energy between two tickets goes by time, the earlier part rounded down.
 */
function usage (periods, tickets) {
  const [begin, end] = [tickets[0], tickets.at(-1)]
  const full = tickets.find((one) => one.energy_wh === end.energy_wh).at
  const first = periodAt(periods, begin.at)
  const last = periodAt(periods, Math.max(begin.at, end.at - 1))
  const used = []
  let [at, meter] = [begin.at, BigInt(begin.energy_wh)]
  for (let number = first; number <= last; number++) {
    const past = number === last ? end.at : periods[number + 1].start
    const then = number === last ? BigInt(end.energy_wh) : meterAt(tickets, past)
    const charging = Math.max(0, Math.min(full, past) - at)
    const { components } = periods[number]
    used.push({ components, ENERGY: then - meter, TIME: BigInt(charging), PARKING_TIME: BigInt(past - at - charging) })
    at = past
    meter = then
  }
  used[0].FLAT = 1n
  return used
}

function periodAt (periods, at) {
  return Math.max(0, periods.findLastIndex((one) => one.start <= at))
}

function meterAt (tickets, at) {
  const after = tickets.findIndex((one) => one.at >= at)
  const [before, next] = [tickets[Math.max(0, after - 1)], tickets[after]]
  if (next.at === before.at) return BigInt(next.energy_wh)
  const rise = BigInt(next.energy_wh - before.energy_wh)
  return BigInt(before.energy_wh) + rise * BigInt(at - before.at) / BigInt(next.at - before.at)
}

/** Quantities by dimension and price; the component used last in a dimension is raised to its step. */
function quantities (used) {
  const lines = new Map()
  for (const dimension of Object.keys(UNITS)) {
    const billed = used.flatMap((period) => period.components
      .filter((one) => one.dimension === dimension && period[dimension] > 0n)
      .map(({ price, step }) => ({ price: BigInt(price), step: BigInt(step), quantity: period[dimension] })))
    if (!billed.length) continue
    const [last, whole] = [billed.at(-1), billed.reduce((sum, one) => sum + one.quantity, 0n)]
    const over = whole % (last.step * STEPS[dimension])
    if (dimension !== 'FLAT' && over) last.quantity += last.step * STEPS[dimension] - over
    for (const { price, quantity } of billed) {
      const key = `${dimension} ${price}`
      lines.set(key, { dimension, price, quantity: (lines.get(key)?.quantity ?? 0n) + quantity })
    }
  }
  return [...lines.values()]
}

function bound (sum, least, most) {
  const raised = sum < least ? least : sum
  return most > 0n && raised > most ? most : raised
}

/** a / b, half up; both are never negative. */
const divide = (a, b) => (2n * a + b) / (2n * b)
