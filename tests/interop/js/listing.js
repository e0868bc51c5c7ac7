/** Listings (specs/04): what makes one valid, current, and fit a need. */
import { same } from './bytes.js'
import { Refused, require_ } from './errors.js'
import { open } from './record.js'
import { cheapestEnergy, dearestEnergy, needsPower } from './tariff.js'

const TOLERANCE_MS = 120_000
const RENEWAL_LIFE_MS = 7_200_000
const MAX_LIFE_MS = 86_400_000
const SLOT_MS = 900_000

/**
 * A listing with its renewal, everything checked but the clock; Refused says what is wrong.
 * @param {{listing: Uint8Array, renewal: Uint8Array, bundle: Uint8Array}} item
 * @param {import('./identity.js').Directory} directory learns the bundle
 */
export function openOffer (item, network, directory) {
  const record = open(item.listing, network, ['listing'])
  const { body } = record
  const bundle = directory.learn(item.bundle)
  require_(same(bundle.author, body.author), 'bundle', 'the bundle is of somebody else')
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

/** Until when the offer may be shown, unless a newer one or another renewal comes. */
export const shownUntil = ({ record, renewal }) =>
  Math.min(record.body.expires, renewal.body.issued + RENEWAL_LIFE_MS)

/** A withdrawal with its bundle, everything checked but the clock. @param {{withdrawal: Uint8Array, bundle: Uint8Array}} item */
export function openWithdrawal (item, directory) {
  const record = open(item.withdrawal, directory.network, ['withdrawal'])
  const bundle = directory.learn(item.bundle)
  require_(same(bundle.author, record.body.author), 'bundle', 'the bundle is of somebody else')
  directory.authorise(record, record.body.author)
  return { record, bundle: item.bundle }
}

/** Refused unless a withdrawal can still withdraw something at `now`. */
export function requireCurrent ({ body }, now) {
  require_(body.issued <= now + TOLERANCE_MS, 'future')
  require_(now < body.issued + MAX_LIFE_MS, 'expired')
}

/** Whether the listing is offerable in every slot that [start, end) touches; never outside its 14 days. */
export function offerable ({ slots }, start, end) {
  const first = Math.floor((start - slots.start) / SLOT_MS)
  const past = Math.ceil((end - slots.start) / SLOT_MS)
  if (first < 0 || past > 8 * slots.bits.length) return false
  for (let slot = first; slot < past; slot++) {
    if (!(slots.bits[slot >> 3] & (0x80 >> (slot & 7)))) return false
  }
  return true
}

/** Whether the listing fits what a search asks for (L12). */
export function fits (listing, need) {
  const plug = ({ type, max_power_w: power }) =>
    (need.connector ?? type) === type && power >= (need.min_power_w ?? 0)
  if (!listing.connectors.some(plug) || (need.instant && !listing.rules.instant)) return false
  if (need.max_price !== undefined && !fitsPrice(listing, need)) return false
  if (need.start === undefined) return true
  const minutes = Math.floor((need.end - need.start) / 60_000)
  const { min_minutes: least, max_minutes: most } = listing.rules
  return minutes >= least && minutes <= most && offerable(listing, need.start, need.end)
}

function fitsPrice ({ tariff, zone }, { currency = tariff.currency, max_price: most, start, end }) {
  if (currency !== tariff.currency) return false
  if (start === undefined) return cheapestEnergy(tariff) <= most
  if (needsPower(tariff)) return false
  try {
    return dearestEnergy(tariff, zone, start, end) <= most
  } catch (error) {
    if (error instanceof RangeError) return false // a zone that we don't know
    throw error
  }
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

  /** @param {{record: import('./record.js').Record_, bundle?: Uint8Array}} offer a listing's, or a withdrawal's */
  keep (offer) {
    const { author, charger } = offer.record.body
    const key = Buffer.concat([author, charger]).toString('hex')
    const known = this.byCharger.get(key)
    const again = known && same(known.record.id, offer.record.id)
    if (known && !again && !supersedes(offer.record, known.record)) {
      throw new Refused('superseded', 'a newer one is known', { newer: known.record.raw, bundle: known.bundle })
    }
    if (!again || offer.renewal?.body.issued > known.renewal?.body.issued) this.byCharger.set(key, offer)
  }

  get (author, charger) {
    return this.byCharger.get(Buffer.concat([author, charger]).toString('hex'))
  }

  offers () {
    return [...this.byCharger.values()].filter((one) => one.record.kind === 'listing')
  }
}
