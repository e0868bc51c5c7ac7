/** What a booking's records mean (specs/05, B11 to B14): one walk over the set, and the instant. */
import { readFileSync } from 'node:fs'
import { costs } from './bill.js'
import { hex, same } from './bytes.js'
import { APPLY, EVENTS, IDLE, includes } from './effects.js'

const TABLES = JSON.parse(readFileSync(new URL('../../../specs/tables/booking-states.json', import.meta.url), 'utf8'))
const MINUTE_MS = 60_000
const TOLERANCE_MS = 2 * MINUTE_MS
const EARLY_MS = 15 * MINUTE_MS
const LIVE = ['PENDING', 'RESERVED', 'FULFILLED']
const AT_THE_PLUG = ['BLOCKED', 'NO_POWER', 'WONT_START']

const most = (a, b) => a > b ? a : b
const byTime = (a, b) => a.body.issued - b.body.issued || Buffer.compare(a.id, b.id)

/** The host's records that count, from number 1: of two for one place the lower id (B11). */
export function chainOf (host, request) {
  const chain = []
  for (;;) {
    const before = chain.at(-1) ?? request
    const next = host.filter(({ body }) => body.number === chain.length + 1 && same(body.previous, before.id))
    if (next.length === 0) return chain
    chain.push(next.sort((a, b) => Buffer.compare(a.id, b.id))[0])
  }
}

/**
 * The state of a booking at `asOf` (unix ms).
 * @param {{quote: object, request: object, host: object[], driver: object[]}} set records
 */
export function stateOf (set, asOf) {
  const walk = new Walk(set)
  walk.walk()
  walk.pass(asOf)
  return walk
}

class Walk {
  constructor ({ quote, request, host, driver }) {
    this.inForce = [{ quote: quote.body, since: 0, floor: 0n }] // and by which change (B27)
    this.request = request
    this.driver = driver
    this.chain = chainOf(host, request)
    this.places = new Map(this.chain.map((one, at) => [hex(one.id), at]))
    this.reservation = 'PENDING'
    this.session = 'PENDING'
    this.settlement = 'OPEN'
    this.accepted = undefined // when, unix ms
    this.agreed_at = undefined // the same, or when the start was moved last
    this.offer = undefined // that stands
    this.change = undefined // that waits for an answer
    this.refusal = undefined
    this.fault = undefined
    this.addressDue = undefined
    this.addressSent = undefined
    this.authorised = undefined // {energy_wh, cost}
    this.checkedIn = undefined // when first
    this.stop = undefined // {from}, or {} as long as nothing includes it
    this.tickets = []
    this.countersigned = 0 // how many tickets
    this.receipt = undefined // and the records that belong to it
    this.agreed = undefined
    this.claimed = undefined
    this.paid = undefined
    this.problems = []
    this.cancellation = undefined // {by, record, at, final}
    this.cost = 0n // the driver owes it, micro-units
    this.compensation = 0n // the host owes it
    this.ignored = [] // had their turn and took no effect
  }

  // --- the walk -----------------------------------------------------------------------------------

  walk () {
    const had = new Set()
    const turn = (records) => {
      for (const one of records.filter((record) => !had.has(hex(record.id))).sort(byTime)) {
        had.add(hex(one.id))
        this.apply(one)
      }
    }
    for (const record of this.chain) {
      turn(this.driver.filter((one) => includes(record, one)))
      if (record.kind === 'no-show' && this.counts(record)) turn(this.driver.filter((one) => this.precedes(one, record)))
      this.apply(record)
    }
    turn(this.driver.filter((one) => ['cancel', 'stop'].includes(one.kind)))
  }

  /** Whether a cancellation comes before a no-show that its writer had not seen (B13). */
  precedes (cancel, noShow) {
    return cancel.kind === 'cancel' && cancel.body.issued < noShow.body.issued &&
      this.placeOf(cancel.body.seen) < this.placeOf(noShow.id)
  }

  placeOf (id) {
    return this.places.get(hex(id)) ?? -1
  }

  apply (record) {
    if (!this.counts(record)) {
      this.ignored.push(record)
      return
    }
    APPLY[record.kind]?.call(this, record)
    const signed = this.authorised || this.countersigned || this.agreed
    if (this.tickets.length && signed && this.reservation === 'RESERVED') this.event('reservation', 'begin')
  }

  /** Whether a record takes effect here and now. */
  counts (record) {
    const events = EVENTS[record.kind]?.call(this, record) ?? []
    return !IDLE[record.kind]?.call(this, record) &&
      events.every(([table, name]) => TABLES[table][this[table]][name] !== null)
  }

  event (table, name) {
    const next = TABLES[table][this[table]][name]
    if (next === null) return
    this[table] = next
    if (table === 'reservation' && !LIVE.includes(next)) this.event('session', 'void')
  }

  // --- other terms --------------------------------------------------------------------------------

  /** The quote in force. */
  get quote () {
    return this.inForce.at(-1).quote
  }

  /** Whether a quote may take the place of the one in force (B26). */
  fits (quote) {
    const first = this.inForce[0].quote
    const own = ['author', 'charger', 'one_time_key'].every((part) => same(quote[part], first[part]))
    const longer = quote.start === this.quote.start && quote.end >= this.quote.end
    return own && quote.plan.currency === first.plan.currency && (this.tickets.length === 0 || longer)
  }

  mayChangeTo (quote) {
    return this.receipt === undefined && this.session !== 'COMPLETED' && this.fits(quote)
  }

  isOpen (id) {
    return this.change !== undefined && id !== undefined && same(this.change.id, id)
  }

  /** From an instant on the open change's quote counts (B28). */
  putInForce (since, floor) {
    const { change, quote: before } = this
    const quote = change.carried.body
    this.inForce.push({ quote, since, floor, change })
    if (change.body.offer) this.offer = undefined
    this.change = this.refusal = undefined
    if (quote.start !== before.start) Object.assign(this, { agreed_at: since, fault: undefined })
    if (this.authorised && this.checkedIn < this.earliest) {
      this.authorised = this.stop = undefined
    } else if (this.authorised) {
      const { energy_wh: energy, cost } = this.authorised
      this.authorised = { energy_wh: Math.max(energy, quote.energy_wh), cost: Math.max(cost, quote.cap) }
    }
  }

  /** What leaving costs at least after an amendment at an instant (B29). */
  floorAt (at) {
    const { floor } = this.inForce.at(-1)
    if (this.change.body.offer || this.reservation !== 'RESERVED') return floor
    return this.isFree(at, at) ? 0n : this.leaving(at)
  }

  get problemAtPlug () {
    return this.problems.some(({ body }) => AT_THE_PLUG.includes(body.problem) && body.issued >= this.earliest)
  }

  // --- instants -----------------------------------------------------------------------------------

  get earliest () {
    return this.quote.start - EARLY_MS - TOLERANCE_MS
  }

  get noShowTime () {
    return Math.max(this.quote.start, this.agreed_at ?? 0) + this.quote.terms.no_show_after * MINUTE_MS + TOLERANCE_MS
  }

  get slotOver () {
    const { end } = this.quote
    return (this.agreed_at === undefined ? end : Math.max(end, this.noShowTime)) + TOLERANCE_MS
  }

  claimedTime ({ body }) {
    const seen = this.chain[this.placeOf(body.seen)]
    return Math.max(body.issued, seen?.body.issued ?? 0)
  }

  /** When a driver's record takes effect; undefined as long as nothing includes it. */
  effectiveTime (record) {
    const host = this.chain.find((one) => includes(one, record))
    if (!host) return undefined
    const claimed = this.claimedTime(record)
    return Math.abs(host.body.issued - claimed) <= TOLERANCE_MS ? claimed : host.body.issued
  }

  stopAt (from) {
    const known = this.stop?.from
    this.stop = { from: known === undefined ? from : Math.min(known, from ?? known) }
  }

  /** Whether the address was due and not yet sent at an instant, as the walk stands (B15). */
  isOverdue (at) {
    const sent = this.addressSent !== undefined && this.addressSent <= at
    return this.addressDue !== undefined && !sent && at >= this.addressDue + TOLERANCE_MS
  }

  // --- what is owed -------------------------------------------------------------------------------

  /** By the terms of the quote, in micro-units. */
  priceAt (at, quote = this.quote) {
    return costs(quote.terms, quote.cap, quote.start, at)
  }

  /** What leaving costs at an instant by the terms of then, if nothing makes it free (B15). */
  leaving (at) {
    const { quote, floor } = this.inForce.findLast((one) => one.since <= at) ?? this.inForce[0]
    return most(this.priceAt(at, quote).cancelling, floor)
  }

  /** Whether leaving is free at an instant; whether the address was overdue is asked of another, before inclusion. */
  isFree (at, asked) {
    return this.accepted === undefined || at < this.accepted || this.isOverdue(asked) || this.problemAtPlug ||
      this.fault !== undefined
  }

  missing () {
    return most(this.priceAt(this.quote.start).no_show, this.inForce.at(-1).floor)
  }

  /** A driver's cancellation, whose cost its time decides (B15). */
  cancel (record) {
    const included = this.effectiveTime(record)
    const claimed = this.claimedTime(record)
    const at = included ?? Math.max(claimed, this.quote.start)
    this.cancellation = { by: 'driver', record, at, final: included !== undefined }
    const failed = this.isOverdue(included ?? claimed) || this.fault
    if (failed) this.compensation = this.priceAt(at).host_failure
    const free = record.body.reason === 'SAFETY' || this.isFree(at, included ?? claimed)
    this.cost = free ? 0n : this.leaving(at)
  }

  /** The host takes the slot away. */
  hostCancels (record) {
    this.cancellation = { by: 'host', record, at: record.body.issued, final: true }
    const owes = this.accepted !== undefined && (record.body.reason !== 'SAFETY' || this.fault)
    if (owes) this.compensation = this.priceAt(record.body.issued).host_failure
  }

  // --- time alone (B14) -----------------------------------------------------------------------------

  pass (asOf) {
    this.walked = this.reservation // what the records alone say
    const deadlines = []
    const reaches = (deadline) => {
      if (asOf >= deadline) return true
      deadlines.push(deadline)
      return false
    }
    this.overdue = this.reservation === 'RESERVED' && this.addressSent === undefined && this.isOverdue(asOf)
    if (this.reservation === 'RESERVED' && this.addressSent === undefined) reaches(this.addressDue + TOLERANCE_MS)
    const expires = Math.min(this.request.body.expires, this.quote.end) + TOLERANCE_MS
    if (this.reservation === 'PENDING' && reaches(expires)) this.event('reservation', 'request-expired')
    else if (this.reservation === 'RESERVED' && reaches(this.slotOver)) {
      this.event('reservation', 'slot-over')
      if (this.overdue || this.fault) this.compensation = this.priceAt(asOf).host_failure
    }
    this.nextDeadline = LIVE.includes(this.reservation) ? deadlines.sort((a, b) => a - b)[0] : undefined
  }
}
