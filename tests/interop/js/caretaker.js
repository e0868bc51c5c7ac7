/** A small caretaker (specs/07): keeps what is stored with it, and answers queries and gossip from that. */
import { decode } from './cbor.js'
import { ancestor, region, related, toText, topicOf } from './cells.js'
import { Refused, require_, verdict } from './errors.js'
import { fits, Newest, openOffer, openRenewal, requireFresh } from './listing.js'
import { open, same } from './record.js'
import { fields, write } from './shape.js'

const [STORE, RENEW, WITHDRAW, QUERY] = [1, 2, 3, 4]
const NAMES = { [STORE]: 'listing-store', [RENEW]: 'listing-store-renewal', [WITHDRAW]: 'listing-withdraw', [QUERY]: 'listing-query' }
const MAX_PLACES = 2048
const MAX_ITEMS = 16

export class Caretaker {
  /** @param {() => number} clock unix ms */
  constructor (directory, clock) {
    this.directory = directory
    this.network = directory.network
    this.clock = clock
    this.newest = new Newest()
    this.timesStored = 0 // how often somebody stored a listing with us
    this.changes = [] // the kinds of the changes that were heard and found good
  }

  /** The answer to a request on the listing stream. */
  answer (body) {
    try {
      const tree = decode(body)
      const operation = tree instanceof Map ? tree.get(0) : undefined
      require_(Object.hasOwn(NAMES, operation), 'unknown-operation', 'no such operation on this stream')
      const message = fields(NAMES[operation], tree)
      if (operation === QUERY) return write('listing-found', { items: this.find(message) })
      this.take(operation, message)
      if (operation === STORE) this.timesStored += 1
      return write('listing-kept', {})
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return write('listing-failed', { code: error.code, message: error.message })
    }
  }

  /** Judges a change heard on `topic`: whether it is passed on, and if not, whose fault that is. */
  judge (topic, data) {
    return verdict(() => {
      const tree = decode(data)
      const operation = tree instanceof Map ? tree.get(0) : undefined
      require_(operation === STORE || operation === WITHDRAW, 'unknown-operation')
      this.changes.push(this.take(operation, fields(NAMES[operation], tree), topic).kind)
    })
  }

  /** Takes a Store, Renew or Withdraw in; Refused where anything about it is wrong. */
  take (operation, message, topic) {
    const offer = operation === WITHDRAW ? this.withdrawal(message) : operation === RENEW ? this.renewed(message) : this.stored(message)
    const { cell } = offer.record.body
    require_(topic === undefined || topic === topicOf(this.network, cell), 'topic', 'of another cell')
    const room = this.newest.byCharger.size < MAX_PLACES
    require_(room || this.newest.get(offer.record.body.author, offer.record.body.charger), 'cell-full')
    this.newest.keep(offer)
    return offer.record
  }

  stored (message) {
    const offer = openOffer(message, this.network, this.directory)
    requireFresh(offer, this.clock())
    toText(message.cell)
    require_(region(offer.record.body.cell) === BigInt(message.cell) && message.shard === 0, 'not-a-leaf')
    return offer
  }

  renewed ({ author, charger, renewal }) {
    const known = this.newest.get(author, charger)
    require_(known?.record.kind === 'listing', 'unknown-listing')
    const offer = { ...known, renewal: openRenewal(renewal, known.record, this.directory) }
    requireFresh(offer, this.clock())
    return offer
  }

  withdrawal ({ withdrawal, bundle }) {
    const record = open(withdrawal, this.network, ['withdrawal'])
    require_(same(this.directory.learn(bundle).author, record.body.author), 'mismatch')
    this.directory.authorise(record, record.body.author)
    ancestor(record.body.cell, 4)
    return { record }
  }

  find ({ cells, need, limit }) {
    const wanted = cells.map(BigInt)
    const found = this.newest.offers().filter((offer) => this.isFresh(offer) && fits(offer.record.body, need) &&
      wanted.some((cell) => related(cell, offer.record.body.cell)))
    return found.slice(0, Math.min(limit, MAX_ITEMS))
      .map(({ record, renewal, bundle }) => ({ listing: record.raw, renewal: renewal.raw, bundle }))
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
