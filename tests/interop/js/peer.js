/** A node of the network: an identity on a libp2p host, which serves every stream and follows the log. */
import { DriverBooking } from './booking.js'
import { hex } from './bytes.js'
import { Caretaker } from './caretaker.js'
import { answer, Session } from './catch_up.js'
import { peerOf } from './discovery.js'
import { require_, verdict } from './errors.js'
import { createIdentity, Directory } from './identity.js'
import { Logs } from './logs.js'
import { contactOf, startHost } from './node.js'
import { read, write } from './shape.js'
import { BOOKING, IDENTITY, LISTING, LOG, request, serve } from './streams.js'
import { OwnLog, wireItem } from './trust.js'

const HOUR_MS = 3_600_000
const PATIENCE_MS = 30_000
const POLL_MS = 50

/** What `look` gives, once that is something true; it is asked again and again, for half a minute. */
export async function until (look, name) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`not in time: ${name}`)
}

export class Peer {
  /** Somebody new, whose node is up. @param {'tcp' | 'ws'} transport */
  static async start (network, transport) {
    const peer = new Peer(network, await startHost(network, transport))
    await peer.serveAll()
    return peer
  }

  constructor (network, libp2p) {
    Object.assign(this, { network, libp2p })
    this.clock = () => Date.now()
    this.me = createIdentity(network, this.clock() - HOUR_MS)
    this.directory = new Directory(network)
    this.directory.learn(this.me.bundle)
    this.caretaker = new Caretaker(this.directory, this.clock)
    this.logs = new Logs(this.directory)
    this.own = new OwnLog(this.me)
    this.logTopic = `chargemesh/${network}/log`
    this.bookings = new Map()
  }

  async serveAll () {
    await serve(this.libp2p, LISTING, (body) => this.caretaker.answer(body))
    await serve(this.libp2p, IDENTITY, (body) => this.giveBundles(read('identity-get', body)))
    await serve(this.libp2p, BOOKING, (body) => this.exchanged(body))
    await serve(this.libp2p, LOG, (body) => write('log-catch-up', answer(this.logs, read('log-catch-up', body))))
    const { gossip } = this.libp2p.services
    const take = (data) =>
      require_(this.logs.hear(read('log-news', data)).length === 0, 'unknown-author', 'a bundle is missing')
    gossip.topicValidators.set(this.logTopic, (peer, message) => verdict(() => take(message.data)))
    gossip.subscribe(this.logTopic)
  }

  giveBundles ({ authors }) {
    const bundles = authors.map((one) => this.bundleOf(one)).filter(Boolean)
    return write('identity-given', { bundles })
  }

  /** The bundle of an author, where we know it. */
  bundleOf (author) {
    return this.directory.bundles.get(hex(author))?.raw
  }

  // --- bookings -----------------------------------------------------------------------------------

  /** Takes a quote. */
  book (quote) {
    const booking = new DriverBooking(this.me, this.directory, quote, contactOf(this.libp2p), this.clock)
    this.bookings.set(hex(booking.id), booking)
    return booking
  }

  /** The answer to a host's exchange. */
  exchanged (body) {
    const booking = this.bookings.get(hex(read('booking-exchange', body).booking))
    if (!booking) return write('booking-failed', { code: 'unknown-booking', message: 'no such booking here' })
    take(booking, body)
    return booking.parcel()
  }

  /** Exchanges with the host until `look` is true; what we owe goes out with each round. */
  async meet (booking, contact, look, name) {
    return until(async () => {
      if (booking.owes) take(booking, await request(this.libp2p, peerOf(contact), BOOKING, booking.parcel()))
      return look()
    }, name)
  }

  // --- the log ------------------------------------------------------------------------------------

  /** Publishes our log, with the bundles of all who signed in it. @param {Uint8Array[]} others authors */
  async publishLog (others) {
    this.logs.hear({ bundles: [], items: this.own.items.map(wireItem) })
    const bundles = others.map((author) => this.bundleOf(author))
    await this.libp2p.services.gossip.publish(this.logTopic, this.own.news(bundles))
  }

  /** A session of catch-up with somebody: their entries come, and ours go. */
  async catchUpWith (contact) {
    const session = new Session(this.logs)
    for (let question; (question = session.question());) {
      const body = await request(this.libp2p, peerOf(contact), LOG, write('log-catch-up', question))
      session.take(read('log-catch-up', body))
    }
  }
}

/** Takes the host's exchange in, and signs what follows from it. */
function take (booking, bytes) {
  booking.take(bytes)
  booking.react()
}
