/** The receipt as the driver computes it (specs/11, C8), and what differs in the host's. */
import { bill } from './bill.js'

/** The fields of a receipt for these tickets (bodies, in order), by the plan of the quote. */
export function reckon (quote, tickets) {
  const [begin, end] = [tickets[0], tickets.at(-1)]
  const energy = BigInt(end.energy_wh) - BigInt(begin.energy_wh)
  return { started: BigInt(begin.at), ended: BigInt(end.at), energy_wh: energy, ...bill(quote.plan, tickets) }
}

/** The fields in which a receipt is other than computed; none if it is right. */
export function differences (receipt, own) {
  const text = ({ lines }) => lines.map((one) => [one.dimension, one.quantity, one.price, one.amount].join()).join(';')
  const wrong = text(receipt) === text(own) ? [] : ['lines']
  for (const name of ['started', 'ended', 'energy_wh', 'total', 'adjustment', 'tax', 'rounding']) {
    if (BigInt(receipt[name] ?? 0) !== own[name]) wrong.push(name)
  }
  return wrong
}
