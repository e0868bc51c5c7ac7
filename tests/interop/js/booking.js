/** A booking on the driver's side (specs/05): both sides' records, the exchange, and what follows from them. */
import { same } from './bytes.js'
import { Refused, require_ } from './errors.js'
import { DRIVER_KINDS, HOST_KINDS, STATEMENT_KINDS } from './kinds.js'
import { open } from './record.js'
import { oneTimeKeys, openAccess, openMessage, requireKey, sealMessage } from './sealing.js'
import { read, write } from './shape.js'
import { asSigned, toAgree, toCountersign } from './signing.js'
import { chainOf, stateOf } from './state.js'

const MAX_RECORDS = 128
const MAX_MESSAGES = 8
const MAX_OF_A_SIDE = 2048
const AFTER_REQUEST = [...HOST_KINDS, ...DRIVER_KINDS]

/** The question for a quote: it says nothing about who asks. */
export const askQuote = (charger, start, end, energyWh) =>
  write('booking-ask-quote', { charger, start, end, energy_wh: energyWh })

/**
 * A quote given for a listing, verified; Refused, also with the code that the host answered.
 * @param {import('./record.js').Record_} listing @param {import('./identity.js').Directory} directory
 */
export function openQuote (answer, listing, directory, now) {
  const given = readAnswer('booking-quote-given', answer)
  const { author } = directory.learn(given.bundle)
  const quote = open(given.quote, directory.network, ['quote'])
  const { body } = quote
  require_(same(author, body.author) && same(author, listing.body.author), 'mismatch', 'a quote of another host')
  require_(same(body.charger, listing.body.charger), 'mismatch', 'a quote for another charger')
  directory.authorise(quote, author)
  requireKey(body.one_time_key)
  require_(now <= body.expires, 'quote-expired')
  return quote
}

/** The fields of an answer; a Failed becomes Refused with its code. */
function readAnswer (name, bytes) {
  try {
    return read(name, bytes)
  } catch (error) {
    const failed = failure(bytes)
    throw failed ? new Refused(failed.code, failed.message) : error
  }
}

function failure (bytes) {
  try {
    return read('booking-failed', bytes)
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}

/** Refused unless a record of the other side, whose kinds these are, may come after the request (B9). */
export function requirePlace (record, booking, theirs) {
  require_(AFTER_REQUEST.includes(record.kind), 'wrong-kind', record.kind)
  require_(theirs.includes(record.kind), 'wrong-author', record.kind)
  require_(same(record.body.booking, booking), 'other-booking')
  require_(!(record.body.number > MAX_OF_A_SIDE), 'booking-full')
}

export class DriverBooking {
  /**
   * Takes a quote: signs the request.
   * @param {import('./identity.js').Identity} me @param {{peer_id: string, addresses: string[]}} contact ours
   * @param {() => number} clock unix ms
   */
  constructor (me, directory, quote, contact, clock, waitMs = 60_000) {
    Object.assign(this, { me, directory, quote, clock })
    this.oneTime = oneTimeKeys()
    const issued = clock()
    const expires = Math.min(issued + waitMs, quote.body.end)
    this.request = me.sign('request', { issued, quote: quote.id, one_time_key: this.oneTime.publicKey, contact, expires })
    this.id = this.request.id
    this.host = quote.body.author
    this.mine = [] // our records behind the request
    this.theirs = [] // the host's, as they came
    this.hostKnows = 0 // how many of `mine` the host has said it holds
    this.statements = [] // of both sides
    this.hostHeld = []
    this.messages = [] // of both sides: {ours, fields}
    this.hostHeard = 0
    this.access = undefined
    this.faults = [] // codes of what the host sent wrongly
  }

  // --- what the set says ------------------------------------------------------------------------

  /** The state at this instant. */
  get state () {
    const { quote, request, theirs: host, mine: driver } = this
    return stateOf({ quote, request, host, driver }, this.clock())
  }

  /** A statement or commitment by one side. */
  statement (kind, author) {
    return this.statements.find((one) => one.kind === kind && same(one.body.author, author))
  }

  // --- writing ----------------------------------------------------------------------------------

  /** Signs a record of the driver's; never dated before the record that it names as seen. */
  write (kind, values = {}) {
    const seen = chainOf(this.theirs, this.request).at(-1) ?? this.request
    const issued = Math.max(this.clock(), seen.body.issued)
    const record = this.me.sign(kind, { issued, booking: this.id, seen: seen.id, ...values })
    this.mine.push(record)
    return record
  }

  /** Adds a completion statement or a commitment of ours. */
  declare (kind, values) {
    const record = this.me.sign(kind, values)
    this.statements.push(record)
    return record
  }

  /** Writes to the host; the text is sealed and unsigned. */
  say (text) {
    const fields = { booking: this.id, sender: this.me.author, recipient: this.host, sent: this.clock(), text }
    this.messages.push({ ours: true, fields })
  }

  /** Signs what a driver's node signs by itself. */
  react () {
    const ticket = toCountersign(asSigned(this.state, this.mine))
    if (ticket) this.write('countersign', { ticket: ticket.id })
    const receipt = toAgree(asSigned(this.state, this.mine))
    if (receipt) this.write('agreement', { receipt: receipt.id })
  }

  // --- the exchange -----------------------------------------------------------------------------

  /** Everything that the host has not said it holds. */
  parcel () {
    const first = this.theirs.length === 0
    const ours = this.statements.filter((one) => same(one.body.author, this.me.author))
    const records = this.mine.slice(this.hostKnows).map((one) => one.raw)
    if (first) records.unshift(this.request.raw)
    return write('booking-exchange', {
      booking: this.id,
      records: records.slice(0, MAX_RECORDS),
      known: this.theirs.length,
      statements: ours.filter((one) => !this.hostHeld.some((id) => same(id, one.id))).map((one) => one.raw),
      held: this.statements.filter((one) => !ours.includes(one)).map((one) => one.id),
      sealed: this.messages.filter((one) => one.ours).slice(this.hostHeard, this.hostHeard + MAX_MESSAGES)
        .map((one) => sealMessage(one.fields, this.quote.body.one_time_key, this.oneTime.privateKey)),
      heard: this.messages.filter((one) => !one.ours).length,
      opening: first ? this.quote.raw : undefined,
      bundle: first ? this.me.bundle : undefined
    })
  }

  /** Whether the host lacks something of ours. */
  get owes () {
    const ours = this.statements.filter((one) => same(one.body.author, this.me.author))
    return this.theirs.length === 0 || this.hostKnows < this.mine.length ||
      ours.some((one) => !this.hostHeld.some((id) => same(id, one.id))) ||
      this.hostHeard < this.messages.filter((one) => one.ours).length
  }

  /**
   * Takes what is good of the host's exchange (B19): the first record that is refused ends it, and what came
   * before is kept. The code of the fault goes to `faults`. Refused where the whole is no exchange of ours.
   */
  take (bytes) {
    const news = readAnswer('booking-exchange', bytes)
    require_(same(news.booking, this.id), 'other-booking')
    if (news.bundle) require_(same(this.directory.learn(news.bundle).author, this.host), 'mismatch', 'a bundle of others')
    this.hostKnows = Math.max(this.hostKnows, Math.min(Number(news.known), this.mine.length))
    this.hostHeld = [...this.hostHeld, ...news.held]
    this.hostHeard = Math.max(this.hostHeard, Number(news.heard))
    try {
      for (const raw of news.records) this.takeRecord(raw)
      for (const raw of news.statements) this.takeStatement(raw)
      for (const box of news.sealed) this.takeMessage(box)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.faults.push(error.code)
    }
  }

  takeRecord (raw) {
    if (this.theirs.some((one) => same(one.raw, raw))) return
    const record = open(raw, this.me.network)
    require_(record.body.author && same(record.body.author, this.host), 'not-a-party')
    this.directory.authorise(record, this.host)
    requirePlace(record, this.id, HOST_KINDS)
    require_(this.theirs.length < MAX_OF_A_SIDE, 'booking-full')
    if (record.kind === 'access') this.access = this.openAccess(record)
    this.theirs.push(record)
  }

  openAccess (record) {
    return openAccess(record.body.sealed, {
      network: this.me.network,
      booking: this.id,
      host: this.host,
      driver: this.me.author,
      hostKey: this.quote.body.one_time_key,
      secret: this.oneTime.privateKey
    }, this.directory).body
  }

  takeStatement (raw) {
    if (this.statements.some((one) => same(one.raw, raw))) return
    const record = open(raw, this.me.network, STATEMENT_KINDS)
    require_(same(record.body.author, this.host), 'not-a-party')
    require_(!this.statement(record.kind, this.host), 'second-statement')
    this.directory.authorise(record, this.host, this.quote.body.issued)
    this.statements.push(record)
  }

  /** A repetition is known by its instant and text (S9). */
  takeMessage (box) {
    const between = { booking: this.id, sender: this.host, recipient: this.me.author }
    const fields = openMessage(box, this.quote.body.one_time_key, this.oneTime.privateKey, between)
    const known = this.messages.some(({ ours, fields: one }) => !ours && one.sent === fields.sent && one.text === fields.text)
    if (!known) this.messages.push({ ours: false, fields })
  }
}
