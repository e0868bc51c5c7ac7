/** A booking on the driver's side (specs/05): both sides' records, the exchange, and what follows from them. */
import { Refused, require_ } from './errors.js'
import { differences, reckon } from './receipt.js'
import { same } from './bytes.js'
import { open } from './record.js'
import { oneTimeKeys, openAccess, requireKey } from './sealing.js'
import { read, write } from './shape.js'

const HOST_KINDS = ['accept', 'decline', 'access', 'acknowledge', 'ticket', 'receipt', 'paid', 'host-cancel', 'no-show']
const STATEMENT_KINDS = ['completion-statement', 'review-commitment']
const MAX_RECORDS = 128
const NOTHING = { records: [], statements: [], held: [], sealed: [] }

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
export function readAnswer (name, bytes) {
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
    this.theirs = [] // the host's, numbered from 1
    this.hostKnows = 0 // how many of `mine` the host has said it holds
    this.statements = [] // of both sides
    this.hostHeld = []
    this.access = undefined
    this.faults = [] // codes of what the host sent wrongly
  }

  // --- what the set says ------------------------------------------------------------------------

  /** The host's records of a kind, oldest first. */
  of (kind) {
    return this.theirs.filter((one) => one.kind === kind)
  }

  /** The tickets that count: neither time nor meter falls. */
  get tickets () {
    const counted = []
    for (const { body } of this.of('ticket')) {
      const last = counted.at(-1)
      if (!last || (body.at >= last.at && body.energy_wh >= last.energy_wh)) counted.push(body)
    }
    return counted
  }

  get receipt () {
    return this.of('receipt').at(-1)
  }

  /** Whether the host has taken our record in. */
  isIncluded (record) {
    return this.theirs.some((one) => one.body.includes.some((id) => same(id, record.id)))
  }

  /** Our half of the receipt counts once the host includes it. */
  get agreed () {
    const agreement = this.mine.find((one) => one.kind === 'agreement' && same(one.body.receipt, this.receipt.id))
    return agreement !== undefined && this.isIncluded(agreement)
  }

  /** A statement or commitment by one side. */
  statement (kind, author) {
    return this.statements.find((one) => one.kind === kind && same(one.body.author, author))
  }

  // --- writing ----------------------------------------------------------------------------------

  /** Signs a record of the driver's; never dated before the record that it names as seen. */
  write (kind, values = {}) {
    const seen = this.theirs.at(-1) ?? this.request
    const issued = Math.max(this.clock(), seen.body.issued)
    const record = this.me.sign(kind, { issued, booking: this.id, seen: seen.id, ...values })
    this.mine.push(record)
    return record
  }

  /** Adds a completion statement or a commitment of ours. */
  state (kind, values) {
    const record = this.me.sign(kind, values)
    this.statements.push(record)
    return record
  }

  /** What a driver's node signs by itself: the newest ticket, and a receipt that it computes alike. */
  react () {
    const [ticket] = this.of('ticket').slice(-1)
    const authorised = this.mine.find((one) => one.kind === 'authorisation')
    const signed = (kind, field, id) => this.mine.some((one) => one.kind === kind && same(one.body[field], id))
    if (ticket && authorised && !this.receipt && !signed('countersign', 'ticket', ticket.id) &&
        ticket.body.energy_wh <= authorised.body.energy_wh && ticket.body.cost <= authorised.body.cost) {
      this.write('countersign', { ticket: ticket.id })
    }
    if (this.receipt && !signed('agreement', 'receipt', this.receipt.id) && this.receiptFaults().length === 0) {
      this.write('agreement', { receipt: this.receipt.id })
    }
  }

  /** The fields in which the receipt is other than we compute it. */
  receiptFaults () {
    return differences(this.receipt.body, reckon(this.quote.body, this.tickets))
  }

  // --- the exchange -----------------------------------------------------------------------------

  /** Everything that the host has not said it holds. */
  parcel () {
    const first = this.theirs.length === 0
    const ours = this.statements.filter((one) => same(one.body.author, this.me.author))
    const records = this.mine.slice(this.hostKnows).map((one) => one.raw)
    if (first) records.unshift(this.request.raw)
    return write('booking-exchange', {
      ...NOTHING,
      booking: this.id,
      records: records.slice(0, MAX_RECORDS),
      known: this.theirs.length,
      statements: ours.filter((one) => !this.hostHeld.some((id) => same(id, one.id))).map((one) => one.raw),
      held: this.statements.filter((one) => !ours.includes(one)).map((one) => one.id),
      heard: 0,
      opening: first ? this.quote.raw : undefined,
      bundle: first ? this.me.bundle : undefined
    })
  }

  /** Whether the host lacks something of ours. */
  get owes () {
    const ours = this.statements.filter((one) => same(one.body.author, this.me.author))
    return this.theirs.length === 0 || this.hostKnows < this.mine.length ||
      ours.some((one) => !this.hostHeld.some((id) => same(id, one.id)))
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
    try {
      for (const raw of news.records) this.takeRecord(raw)
      for (const raw of news.statements) this.takeStatement(raw)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.faults.push(error.code)
    }
  }

  takeRecord (raw) {
    if (this.theirs.some((one) => same(one.raw, raw))) return
    const record = open(raw, this.me.network, HOST_KINDS)
    const { author, booking, number, previous } = record.body
    require_(same(author, this.host), 'not-a-party')
    require_(same(booking, this.id), 'other-booking')
    this.directory.authorise(record, author)
    const before = this.theirs.at(-1)?.id ?? this.id
    require_(number === this.theirs.length + 1 && same(previous, before), 'schema', 'not the next of the chain')
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
}
