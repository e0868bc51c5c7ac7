/** Listings (specs/04): what makes one valid, current, and fit a need. */
import { Refused, require_ } from './errors.js'
import { toText } from './cells.js'
import { open, same } from './record.js'

const TOLERANCE_MS = 120_000
const RENEWAL_LIFE_MS = 7_200_000
const MAX_LIFE_MS = 86_400_000
export const SLOT_MS = 900_000

/**
 * A listing with its renewal, everything checked but the clock; Refused says what is wrong.
 * @param {{listing: Uint8Array, renewal: Uint8Array, bundle: Uint8Array}} item
 * @param {import('./identity.js').Directory} directory learns the bundle
 */
export function openOffer (item, network, directory) {
  const record = open(item.listing, network, ['listing'])
  const { body } = record
  require_(body.issued < body.expires && body.expires <= body.issued + MAX_LIFE_MS, 'schema', 'lasts up to 24 hours')
  require_(body.slots.start % SLOT_MS === 0, 'schema', 'slots begin at a quarter hour')
  toText(body.cell)
  const bundle = directory.learn(item.bundle)
  require_(same(bundle.author, body.author), 'mismatch', 'the bundle is of somebody else')
  directory.authorise(record, body.author)
  return { record, renewal: openRenewal(item.renewal, record, directory), bundle: item.bundle }
}

/** A renewal of `listing` by the listing's key. */
export function openRenewal (raw, listing, directory) {
  const renewal = open(raw, directory.network, ['renewal'])
  const right = same(renewal.body.listing, listing.id) && same(renewal.kid, listing.kid)
  require_(right, 'renewal', 'of another listing or by another key')
  directory.authorise(renewal, listing.body.author)
  return renewal
}

/** Refused unless the offer may be shown at `now`. */
export function requireFresh ({ record, renewal }, now) {
  require_(record.body.issued <= now + TOLERANCE_MS && renewal.body.issued <= now + TOLERANCE_MS, 'future')
  require_(now < record.body.expires, 'expired')
  require_(now < renewal.body.issued + RENEWAL_LIFE_MS, 'not-renewed')
}

/** Whether the listing is offerable in every slot that [start, end) touches. */
export function offerable ({ slots }, start, end) {
  const first = Math.floor((start - slots.start) / SLOT_MS)
  const last = Math.floor((end - 1 - slots.start) / SLOT_MS)
  for (let slot = first; slot <= last; slot++) {
    if (!((slots.bits[slot >> 3] ?? 0) & (0x80 >> (slot & 7)))) return false
  }
  return true
}

/**
 * Whether the listing fits what a search asks for. Prices that differ by the hour are told only with the
 * host's time zone, so that the cheapest stands for them here: the asker checks what it is offered.
 */
export function fits (listing, need) {
  const plug = ({ type, max_power_w: power }) =>
    (need.connector ?? type) === type && power >= (need.min_power_w ?? 0)
  if (!listing.connectors.some(plug) || (need.instant && !listing.rules.instant)) return false
  if (need.currency !== undefined && need.currency !== listing.tariff.currency) return false
  if (need.max_price !== undefined && cheapestEnergy(listing.tariff) > need.max_price) return false
  if (need.start === undefined || need.end === undefined) return true
  const minutes = (need.end - need.start) / 60_000
  const { min_minutes: least, max_minutes: most } = listing.rules
  return minutes >= least && minutes <= most && offerable(listing, need.start, need.end)
}

function cheapestEnergy ({ elements }) {
  const prices = elements.flatMap((one) => one.components).filter((one) => one.dimension === 'ENERGY')
  return prices.length ? Math.min(...prices.map((one) => one.price)) : 0
}

/** Whether `record` replaces what is known: a higher sequence, of equals the lower id. */
export function supersedes (record, known) {
  const [mine, theirs] = [record.body.sequence, known.body.sequence]
  if (mine !== theirs) return mine > theirs
  return Buffer.compare(record.id, known.id) < 0
}

/** Keeps the newest of each charger, and refuses what is older (`superseded`). */
export class Newest {
  constructor () {
    this.byCharger = new Map()
  }

  /** @param {{record: import('./record.js').Record_}} offer a listing's, or a withdrawal's record alone */
  keep (offer) {
    const { author, charger } = offer.record.body
    const key = Buffer.concat([author, charger]).toString('hex')
    const known = this.byCharger.get(key)
    const again = known && same(known.record.id, offer.record.id)
    if (known && !again && !supersedes(offer.record, known.record)) throw new Refused('superseded')
    if (!again || offer.renewal?.body.issued > known.renewal?.body.issued) this.byCharger.set(key, offer)
  }

  get (author, charger) {
    return this.byCharger.get(Buffer.concat([author, charger]).toString('hex'))
  }

  offers () {
    return [...this.byCharger.values()].filter((one) => one.record.kind === 'listing')
  }
}
