/** A small caretaker (specs/07): keeps what is stored with it, and answers queries and gossip from that. */
import { region, related, topicOf } from './cells.js'
import { Refused, require_, verdict } from './errors.js'
import { fits, Newest, openOffer, openRenewal, openWithdrawal, requireCurrent, requireFresh } from './listing.js'
import { readMessage } from './messages.js'
import { write } from './shape.js'
import { LISTING } from './streams.js'

const CHANGES = ['listing-store', 'listing-withdraw'] // what gossip carries
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

  /** The answer to a request on the listing stream; Refused where nothing is kept. */
  answer (body) {
    const { message, fields: given } = readMessage(LISTING, body)
    if (message === 'listing-query') return write('listing-found', { items: this.find(given) })
    this.take(message, given)
    if (message === 'listing-store') this.timesStored += 1
    return write('listing-kept', {})
  }

  /** Judges a change heard on `topic`: whether it is passed on, and if not, whose fault that is. */
  judge (topic, data) {
    return verdict(() => {
      const { message, fields: given } = readMessage(LISTING, data)
      require_(CHANGES.includes(message), 'unknown-operation')
      this.changes.push(this.take(message, given, topic).kind)
    })
  }

  /** Takes a store, a renewal or a withdrawal in; Refused where anything about it is wrong. */
  take (message, given, topic) {
    const judges = {
      'listing-store': () => this.stored(given),
      'listing-store-renewal': () => this.renewed(given),
      'listing-withdraw': () => this.withdrawal(given)
    }
    require_(Object.hasOwn(judges, message), 'unknown-operation')
    const offer = judges[message]()
    const { author, charger, cell } = offer.record.body
    require_(topic === undefined || topic === topicOf(this.network, cell), 'topic', 'of another cell')
    require_(this.newest.byCharger.size < MAX_PLACES || this.newest.get(author, charger), 'cell-full')
    this.newest.keep(offer)
    return offer.record
  }

  stored (message) {
    const offer = openOffer(message, this.network, this.directory)
    requireFresh(offer, this.clock())
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

  withdrawal (message) {
    const record = openWithdrawal(message, this.directory)
    requireCurrent(record, this.clock())
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
