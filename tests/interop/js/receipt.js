/** The receipt as both sides compute it (specs/11, C8), and what differs in another's. */
import { bill } from './bill.js'
import { coinOf } from './rules.js'

const AMOUNTS = ['started', 'ended', 'energy_wh', 'total', 'adjustment', 'tax', 'rounding']

/** What is to be billed in this state, as fields of a receipt in bigint; undefined where nothing is. */
export function due ({ quote, tickets, reservation, cost, cancellation }) {
  const final = reservation === 'NO_SHOW' || (reservation === 'CANCELED' && cancellation.final)
  if (final && cost > 0n) return fee(quote, reservation === 'NO_SHOW' ? 'NO_SHOW' : 'CANCELLATION', cost)
  if (!tickets.length) return undefined
  const [begin, end] = [tickets[0].body, tickets.at(-1).body]
  const { lines, adjustment, tax, rounding, total } = bill(quote.plan, tickets.map((one) => one.body))
  const energy = BigInt(end.energy_wh) - BigInt(begin.energy_wh)
  return { started: BigInt(begin.at), ended: BigInt(end.at), energy_wh: energy, lines, adjustment, tax, rounding, total }
}

/** The bill of a cancellation or no-show (T17). */
function fee (quote, dimension, cost) {
  const coin = BigInt(coinOf(quote.plan.currency))
  const total = (2n * cost + coin) / (2n * coin) * coin
  const at = BigInt(quote.start)
  const lines = [{ dimension, quantity: 1n, price: cost, amount: cost }]
  return { started: at, ended: at, energy_wh: 0n, lines, adjustment: 0n, tax: 0n, rounding: total - cost, total }
}

/** Whether a bill is that of a cancellation or no-show. */
export const isFee = ({ lines }) => ['CANCELLATION', 'NO_SHOW'].includes(lines[0]?.dimension)

/** The fields in which a receipt is other than computed; none if it is right. */
export function differences (receipt, own) {
  const text = ({ lines }) => lines.map((one) => [one.dimension, one.quantity, one.price, one.amount].join()).join(';')
  const wrong = text(receipt) === text(own) ? [] : ['lines']
  return [...wrong, ...AMOUNTS.filter((name) => BigInt(receipt[name] ?? 0) !== own[name])]
}
