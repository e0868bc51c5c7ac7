/** A small caretaker (specs/07): keeps what is stored with it, and answers queries and gossip from that. */
import { Allowance } from './allowance.js'
import { fromHex, hex } from './bytes.js'
import { region, related, topicOf } from './cells.js'
import { concat } from './cbor.js'
import { Refused, require_ } from './errors.js'
import { fits, openOffer, openRenewal, openWithdrawal, requireCurrent, requireFresh } from './listing.js'
import { readMessage, readRequest } from './messages.js'
import { Places } from './places.js'
import { write } from './shape.js'
import { LISTING } from './streams.js'

const GOSSIPED = ['listing-store', 'listing-withdraw']
const MAX_OF_BLOCK = 128
const MAX_OF_NEIGHBOUR = 1024 // by gossip
const MAX_PAGE_BYTES = 163_840
const BURST = 200
const [QUERIES_A_SECOND, CHANGES_A_SECOND] = [20, 10] // of one block
const [KEY_BYTES, MORE_BYTES] = [48, 56] // a key is author and charger

export class Caretaker {
  /** @param {import('./identity.js').Directory} directory @param {() => number} clock unix ms */
  constructor (directory, clock) {
    this.directory = directory
    this.network = directory.network
    this.clock = clock
    this.places = new Places(clock)
    this.queries = new Allowance(BURST, QUERIES_A_SECOND, clock)
    this.changesOf = new Allowance(BURST, CHANGES_A_SECOND, clock)
    this.timesStored = 0 // how often somebody stored a listing with us
    this.changes = [] // the kinds of the changes that were heard and found good
  }

  /** The answer to a request on the listing stream, from an address block; Refused where nothing is kept. */
  answer (body, block) {
    const { message, fields: given } = readRequest(LISTING, body)
    const isQuery = message === 'listing-query'
    require_((isQuery ? this.queries : this.changesOf).spend(block), 'too-often')
    if (isQuery) return this.find(given)
    this.places.keep(this.judge(message, given), { name: block, most: MAX_OF_BLOCK })
    if (message === 'listing-store') this.timesStored += 1
    return write('listing-kept', {})
  }

  /** Takes a change that a neighbour told on `topic`; Refused where it is not to be passed on (D14). */
  hear (topic, data, neighbour) {
    const { message, fields: given } = readMessage(LISTING, data)
    require_(GOSSIPED.includes(message), 'unexpected', message)
    const offer = this.judge(message, given)
    require_(topic === topicOf(this.network, offer.record.body.cell), 'topic', 'of another cell')
    this.places.keep(offer, { name: `gossip ${neighbour}`, most: MAX_OF_NEIGHBOUR })
    this.changes.push(offer.record.kind)
  }

  /** The topics of the cells whose listings we keep (D15). */
  topics () {
    this.places.forget()
    return [...new Set(this.places.listings().map(([, { record }]) => topicOf(this.network, record.body.cell)))]
  }

  /** What a store, a renewal or a withdrawal makes of its charger; Refused where anything about it is wrong (D5). */
  judge (message, given) {
    if (message === 'listing-store') return this.stored(given)
    return message === 'listing-withdraw' ? this.withdrawn(given) : this.renewed(given)
  }

  stored (message) {
    const offer = openOffer(message, this.network, this.directory)
    requireFresh(offer, this.clock())
    const leaf = BigInt(message.cell)
    require_(leaf === region(leaf) && message.shard === 0, 'not-a-leaf')
    require_(leaf === region(offer.record.body.cell), 'cell', 'the listing lies elsewhere')
    return offer
  }

  renewed ({ author, charger, renewal }) {
    const known = this.places.get(author, charger)
    require_(known?.record.kind === 'listing', 'unknown-listing')
    const offer = { ...known, renewal: openRenewal(renewal, known.record, this.directory) }
    requireFresh(offer, this.clock())
    return offer
  }

  withdrawn (message) {
    const offer = openWithdrawal(message, this.directory)
    requireCurrent(offer.record, this.clock())
    return offer
  }

  /** One page (D8), by chargers in the order of their keys; `more` names the last one on it. */
  find ({ cells, need, limit, after }) {
    const behind = after ? hex(after.subarray(0, KEY_BYTES)) : ''
    const fitting = this.places.listings().filter(([key, offer]) => key > behind && this.isFresh(offer) &&
      fits(offer.record.body, need) && cells.some((cell) => related(BigInt(cell), offer.record.body.cell)))
    let room = MAX_PAGE_BYTES
    const items = fitting.slice(0, limit)
      .map(([, { record, renewal, bundle }]) => ({ listing: record.raw, renewal: renewal.raw, bundle }))
      .filter(({ listing, renewal, bundle }) => (room -= listing.length + renewal.length + bundle.length) >= 0)
    const last = items.length < fitting.length ? fitting[items.length - 1][0] : undefined
    return write('listing-found', { items, more: last && concat([fromHex(last), new Uint8Array(MORE_BYTES - KEY_BYTES)]) })
  }

  isFresh (offer) {
    try {
      requireFresh(offer, this.clock())
      return true
    } catch (error) {
      if (error instanceof Refused) return false
      throw error
    }
  }
}
