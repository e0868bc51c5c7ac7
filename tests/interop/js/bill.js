/** What usage costs under a plan (specs/10, T6 to T12): integers only, the same at both ends. */
import { coinOf } from './rules.js'

const UNITS = { ENERGY: 1000n, TIME: 3_600_000n, PARKING_TIME: 3_600_000n, FLAT: 1n }
const STEPS = { ENERGY: 1n, TIME: 1000n, PARKING_TIME: 1000n } // a step is Wh or seconds
const TIMES = ['TIME', 'PARKING_TIME']
const HOUR_MS = 3_600_000n

/**
 * @param {object} plan fields of a price plan
 * @param {{at: number, energy_wh: number}[]} readings neither ever falling, from the session's begin to its end
 * @returns {{used: object[], lines: object[], adjustment: bigint, tax: bigint, rounding: bigint, total: bigint}}
 */
export function bill (plan, readings) {
  const used = usage(plan.periods, readings)
  const lines = linesOf(plan.periods, used)
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0n)
  const limited = limit(plan, subtotal)
  const coin = BigInt(coinOf(plan.currency))
  const rate = BigInt(plan.tax_bp)
  const total = halfUp(withTax(plan, limited), coin) * coin
  const tax = halfUp(halfUp(total * rate, 10_000n + rate), coin) * coin
  const rounding = total - limited - (plan.tax_included ? 0n : tax)
  return { used, lines, adjustment: limited - subtotal, tax, rounding, total }
}

/** Wh, ms until the meter first showed its final value, and ms after that, in each period that was touched (T7). */
function usage (periods, readings) {
  const [begin, end] = [readings[0], readings.at(-1)]
  const full = readings.find((one) => one.energy_wh === end.energy_wh).at
  const first = periodAt(periods, begin.at)
  const last = periodAt(periods, Math.max(begin.at, end.at - 1))
  const used = []
  let [at, meter] = [begin.at, BigInt(begin.energy_wh)]
  for (let period = first; period <= last; period++) {
    const past = period === last ? end.at : periods[period + 1].start
    const then = period === last ? BigInt(end.energy_wh) : meterAt(readings, past)
    const charging = Math.max(0, Math.min(full, past) - at)
    used.push({ period, energy_wh: then - meter, charging_ms: BigInt(charging), parking_ms: BigInt(past - at - charging) })
    at = past
    meter = then
  }
  return used
}

/** The index of the period that holds at an instant; the first holds also before. */
const periodAt = (periods, at) => Math.max(0, periods.findLastIndex((one) => one.start <= at))

function meterAt (readings, at) {
  const after = readings.findIndex((one) => one.at >= at)
  const [before, next] = [readings[Math.max(0, after - 1)], readings[after]]
  if (next.at === before.at) return BigInt(next.energy_wh)
  const rise = BigInt(next.energy_wh - before.energy_wh)
  return BigInt(before.energy_wh) + rise * BigInt(at - before.at) / BigInt(next.at - before.at)
}

/** Dimension, quantity, price and amount; the component used last in a dimension is raised to its step (T8). */
function linesOf (periods, used) {
  const quantities = { ENERGY: 'energy_wh', TIME: 'charging_ms', PARKING_TIME: 'parking_ms' }
  const lines = new Map()
  const add = (dimension, price, quantity) => {
    const key = `${dimension} ${price}`
    lines.set(key, { dimension, quantity: (lines.get(key)?.quantity ?? 0n) + quantity, price: BigInt(price) })
  }
  for (const dimension of Object.keys(STEPS)) {
    const billed = used.flatMap((one) => periods[one.period].components
      .filter((component) => component.dimension === dimension && one[quantities[dimension]] > 0n)
      .map(({ price, step }) => ({ price, step, quantity: one[quantities[dimension]] })))
    if (!billed.length) continue
    const [last, whole] = [billed.at(-1), billed.reduce((sum, one) => sum + one.quantity, 0n)]
    const step = BigInt(last.step) * STEPS[dimension]
    last.quantity += (step - whole % step) % step
    for (const { price, quantity } of billed) add(dimension, price, quantity)
  }
  const flat = periods[used[0].period].components.find((one) => one.dimension === 'FLAT')
  if (flat) add('FLAT', flat.price, 1n)
  return [...lines.values()].map((line) => ({ ...line, amount: halfUp(line.quantity * line.price, UNITS[line.dimension]) }))
}

/** What charging as asked costs, and the most that the slot can (T11, T12); `power` in W, energy 0 for all that fits. */
export function estimate (plan, start, end, power, asked) {
  const most = BigInt(end - start) * BigInt(power) / HOUR_MS
  const energy = asked === 0 || BigInt(asked) > most ? most : BigInt(asked)
  const full = Math.min(end, start + Number(ceil(energy * HOUR_MS, BigInt(power))))
  const readings = [[start, 0], [full, energy], [end, energy]].map(([at, wh]) => ({ at, energy_wh: Number(wh) }))
  return { energy_wh: energy, estimate: bill(plan, readings).total, cap: cap(plan, start, end, most) }
}

function cap (plan, start, end, energy) {
  const { periods } = plan
  const [first, last] = [periodAt(periods, start), periodAt(periods, end - 1)]
  const components = periods.slice(first, last + 1).flatMap((one) => one.components)
  const greatest = (dimension, field, least) => components.filter((one) => one.dimension === dimension)
    .reduce((most, one) => (BigInt(one[field]) > most ? BigInt(one[field]) : most), least)
  let time = 0n
  for (let number = first; number <= last; number++) {
    const from = number === first ? start : periods[number].start
    const past = number === last ? end : periods[number + 1].start
    const prices = periods[number].components.filter((one) => TIMES.includes(one.dimension)).map((one) => one.price)
    time += BigInt(past - from) * BigInt(Math.max(0, ...prices))
  }
  for (const one of TIMES) time += (greatest(one, 'step', 1n) * 1000n - 1n) * greatest(one, 'price', 0n)
  const wh = energy + greatest('ENERGY', 'step', 1n) - 1n
  const most = greatest('FLAT', 'price', 0n) + ceil(wh * greatest('ENERGY', 'price', 0n), 1000n) +
    ceil(time, HOUR_MS) + BigInt(components.length)
  const coin = BigInt(coinOf(plan.currency))
  return ceil(withTax(plan, limit(plan, most)), coin) * coin
}

/** What leaving or failing costs (T13 to T16), in micro-units. */
export function costs (terms, most, start, at) {
  const percent = (n) => halfUp(BigInt(most) * BigInt(n), 100n)
  const within = (cost) => (cost > BigInt(most) ? BigInt(most) : cost)
  const cancelling = (when) => {
    const tiers = terms.tiers.filter((tier) => when > start - tier.minutes_before * 60_000)
    const all = [0n, ...tiers.flatMap((tier) => [percent(tier.percent), BigInt(tier.fixed)])]
    if (when >= start) all.push(percent(terms.no_show_percent))
    return within(all.reduce((one, other) => (other > one ? other : one)))
  }
  return {
    cancelling: cancelling(at),
    no_show: cancelling(start + 1),
    host_failure: within(percent(terms.host_failure_percent)),
    free_until: start - (terms.tiers[0]?.minutes_before ?? 0) * 60_000
  }
}

function limit ({ min_price: least, max_price: most }, amount) {
  const raised = amount < BigInt(least) ? BigInt(least) : amount
  return most > 0 && raised > BigInt(most) ? BigInt(most) : raised
}

const withTax = (plan, amount) =>
  plan.tax_included ? amount : amount + halfUp(amount * BigInt(plan.tax_bp), 10_000n)

/** a / b, half up, and a / b rounded up; a is never negative here. */
const halfUp = (a, b) => (2n * a + b) / (2n * b)
const ceil = (a, b) => (a + b - 1n) / b
