/** A node of the network: an identity on a libp2p host, which serves every stream and follows the log. */
import { Allowance, blockOf } from './allowance.js'
import { DriverBooking } from './booking.js'
import { hex, same } from './bytes.js'
import { Caretaker } from './caretaker.js'
import { answer, Session } from './catch_up.js'
import { topicOf } from './cells.js'
import { peerOf } from './discovery.js'
import { require_ } from './errors.js'
import { Topics } from './gossip.js'
import { createIdentity, Directory } from './identity.js'
import { Logs } from './logs.js'
import { readRequest } from './messages.js'
import { contactOf, startHost } from './node.js'
import { read, write } from './shape.js'
import { BOOKING, IDENTITY, LISTING, LOG, request, serve } from './streams.js'
import { OwnLog, wireItem } from './trust.js'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const MAX_KEPT_TOPICS = 32 // cells that we only keep
const MAX_GET_BYTES = 131_392
const [NEW_LOGS, NEW_LOGS_A_SECOND] = [1000, 0.1] // of strangers, from one address block
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
    this.newLogs = new Allowance(NEW_LOGS, NEW_LOGS_A_SECOND, this.clock)
    this.logTopic = `chargemesh/${network}/log`
    this.bookings = new Map()
    this.topics = new Topics(libp2p, this.clock)
    this.followed = new Set() // topics of cells that we look at
    this.kept = [] // topics of cells whose listings we keep
  }

  async serveAll () {
    await serve(this.libp2p, LISTING, (body, connection) => this.stored(body, blockOf(connection)))
    await serve(this.libp2p, IDENTITY, (body) => this.giveBundles(body))
    await serve(this.libp2p, BOOKING, (body) => this.exchanged(body))
    await serve(this.libp2p, LOG, (body, connection) => this.caughtUp(body, connection))
    this.topics.follow(this.logTopic, (data, neighbour) => this.heard(read('log-news', data), neighbour))
    setInterval(() => this.followKept(), MINUTE_MS).unref()
  }

  giveBundles (body) {
    require_(body.length <= MAX_GET_BYTES, 'too-large')
    const { fields: { authors } } = readRequest(IDENTITY, body)
    const bundles = [...new Set(authors.map(hex))].map((one) => this.directory.bundles.get(one)?.raw)
    return write('identity-given', { bundles: bundles.filter(Boolean) })
  }

  /** The bundle of an author, where we know it. */
  bundleOf (author) {
    return this.directory.bundles.get(hex(author))?.raw
  }

  // --- listings of others ---------------------------------------------------------------------------

  stored (body, block) {
    const answered = this.caretaker.answer(body, block)
    this.followKept()
    return answered
  }

  /** Follows the topic of a cell. */
  followCell (cell) {
    const topic = topicOf(this.network, cell)
    this.followed.add(topic)
    this.followTopic(topic)
    return topic
  }

  followTopic (topic) {
    this.topics.follow(topic, (data, neighbour) => this.caretaker.hear(topic, data, neighbour))
  }

  /** Follows the topics of what we keep, and leaves those where nothing is left (D15). */
  followKept () {
    const kept = this.caretaker.topics().slice(0, MAX_KEPT_TOPICS)
    for (const topic of this.kept) if (!kept.includes(topic) && !this.followed.has(topic)) this.topics.leave(topic)
    for (const topic of kept) this.followTopic(topic)
    this.kept = kept
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
    const { message, fields: given } = readRequest(BOOKING, body)
    require_(message === 'booking-exchange', 'not-offerable', 'a driver has no charger')
    const booking = this.bookings.get(hex(given.booking))
    require_(booking, 'unknown-booking', 'no such booking here')
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

  /** Whether a log that comes over this connection may begin here (G18): of strangers so many for each block. */
  mayBegin (connection) {
    const isStranger = ({ body }) => ![this.me.author, ...this.hosts()].some((one) => same(one, body.author))
    return (record) => !isStranger(record) || this.newLogs.spend(blockOf(connection))
  }

  /** With whom we booked. */
  hosts () {
    return [...this.bookings.values()].map(({ host }) => host)
  }

  /** The answer to a question of catch-up. */
  caughtUp (body, connection) {
    return write('log-catch-up', answer(this.logs, read('log-catch-up', body), this.mayBegin(connection)))
  }

  /** Takes gossip about logs; Refused where it is not to be passed on. */
  heard (news, neighbour) {
    const [connection] = this.libp2p.getConnections(neighbour)
    require_(connection, 'unknown-author', 'the neighbour is gone')
    require_(this.logs.hear(news, this.mayBegin(connection)).length === 0, 'unknown-author', 'a bundle is missing')
  }

  /** Publishes our log, with the bundles of all who signed in it. @param {Uint8Array[]} others authors */
  async publishLog (others) {
    this.logs.hear({ bundles: [], items: this.own.items.map(wireItem) })
    const bundles = others.map((author) => this.bundleOf(author))
    await this.libp2p.services.gossip.publish(this.logTopic, this.own.news(bundles))
  }

  /** A session of catch-up with somebody: their entries come, and ours go. */
  async catchUpWith (contact) {
    const connection = await this.libp2p.dial(peerOf(contact))
    const session = new Session(this.logs, this.mayBegin(connection))
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
