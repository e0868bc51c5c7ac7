/** What a booking's records mean (specs/05, B11 to B14): one walk over the set, and the instant. */
import { readFileSync } from 'node:fs'
import { hex, same } from './bytes.js'

const TABLES = JSON.parse(readFileSync(new URL('../../../specs/tables/booking-states.json', import.meta.url), 'utf8'))
const MINUTE_MS = 60_000
const TOLERANCE_MS = 2 * MINUTE_MS
const EARLY_MS = 15 * MINUTE_MS
const LAST_INSTANT = 7_258_118_400_000
const MAX_ENERGY_WH = 100_000_000
const LIVE = ['PENDING', 'RESERVED', 'FULFILLED']
const AT_THE_PLUG = ['BLOCKED', 'NO_POWER', 'WONT_START']

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
    this.quote = quote.body
    this.request = request
    this.driver = driver
    this.chain = chainOf(host, request)
    this.places = new Map(this.chain.map((one, at) => [hex(one.id), at]))
    this.reservation = 'PENDING'
    this.session = 'PENDING'
    this.settlement = 'OPEN'
    this.accepted = undefined // when, unix ms
    this.addressDue = undefined
    this.addressSent = undefined
    this.authorised = undefined // {energy_wh, cost}
    this.stop = undefined // {from}, or {} as long as nothing includes it
    this.tickets = []
    this.countersigned = 0 // how many tickets
    this.receipt = undefined
    this.agreed = false
    this.problemAtPlug = false
    this.cancelled = undefined
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
    if (!this.counts(record)) return
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

  // --- instants -----------------------------------------------------------------------------------

  get earliest () {
    return this.quote.start - EARLY_MS - TOLERANCE_MS
  }

  get noShowTime () {
    return Math.max(this.quote.start, this.accepted ?? 0) + this.quote.terms.no_show_after * MINUTE_MS + TOLERANCE_MS
  }

  get slotOver () {
    const { end } = this.quote
    return (this.accepted === undefined ? end : Math.max(end, this.noShowTime)) + TOLERANCE_MS
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

  /** What time alone brings (B14). */
  pass (asOf) {
    this.overdue = this.addressDue !== undefined && this.addressSent === undefined && asOf >= this.addressDue + TOLERANCE_MS
    const expires = Math.min(this.request.body.expires, this.quote.end) + TOLERANCE_MS
    if (this.reservation === 'PENDING' && asOf >= expires) this.event('reservation', 'request-expired')
    else if (this.reservation === 'RESERVED' && asOf >= this.slotOver) this.event('reservation', 'slot-over')
  }
}

const includes = (host, record) => host.body.includes.some((id) => same(id, record.id))
const named = (record, field, receipt) => receipt !== undefined && same(record.body[field], receipt.id)
const charging = (walk) => walk.reservation === 'FULFILLED'

/** When a record takes no effect, by kind; `this` is the walk. */
const IDLE = {
  accept ({ body }) {
    return body.issued > this.request.body.expires + TOLERANCE_MS || body.issued >= this.quote.end + TOLERANCE_MS
  },
  access () { return !['RESERVED', 'FULFILLED'].includes(this.reservation) },
  'host-cancel' ({ body }) { return !charging(this) && body.issued >= this.slotOver },
  'no-show' ({ body }) {
    return this.addressSent === undefined || this.authorised !== undefined || this.problemAtPlug ||
      body.issued < this.noShowTime || body.issued >= this.slotOver
  },
  cancel (record) { return !charging(this) && this.claimedTime(record) >= this.slotOver },
  authorisation ({ body }) {
    return !LIVE.includes(this.reservation) || this.receipt !== undefined || body.issued < this.earliest ||
      (!charging(this) && body.issued >= this.slotOver)
  },
  ticket ({ body }) {
    const last = this.tickets.at(-1)
    return !['RESERVED', 'FULFILLED'].includes(this.reservation) || this.receipt !== undefined ||
      body.at > LAST_INSTANT || body.energy_wh > MAX_ENERGY_WH ||
      (last !== undefined && (body.at < last.body.at || body.energy_wh < last.body.energy_wh))
  },
  stop () { return this.authorised === undefined && this.tickets.length === 0 },
  countersign ({ body }) { return !this.tickets.some((one) => same(one.id, body.ticket)) },
  receipt ({ body }) {
    const due = ['CANCELED', 'NO_SHOW'].includes(this.reservation) || ['ACTIVE', 'COMPLETED'].includes(this.session)
    return !due || body.currency !== this.quote.plan.currency || (this.agreed && this.settlement !== 'DISPUTED')
  },
  agreement (record) { return !named(record, 'receipt', this.receipt) },
  claim (record) { return !named(record, 'receipt', this.receipt) },
  paid (record) { return !named(record, 'receipt', this.receipt) }
}

/** The events of a record, which must all be possible. */
const EVENTS = {
  accept: () => [['reservation', 'accept']],
  decline: () => [['reservation', 'decline']],
  'host-cancel' () { return charging(this) ? [['session', 'stop']] : [['reservation', 'host-cancel']] },
  'no-show': () => [['reservation', 'no-show']],
  cancel () { return charging(this) ? [['session', 'stop']] : [['reservation', 'cancel']] },
  authorisation: () => [['session', 'check-in']],
  ticket: ({ body }) => [['session', body.context === 'Transaction.End' ? 'final-ticket' : 'ticket']],
  stop: () => [['session', 'stop']],
  receipt: () => [['settlement', 'receipt'], ['session', 'receipt']],
  agreement () { return [['settlement', this.receipt?.body.total === 0 ? 'nothing-due' : 'agreement']] },
  claim: () => [['settlement', 'claim']],
  paid: () => [['settlement', 'paid']]
}

function happen (walk, record) {
  for (const [table, name] of EVENTS[record.kind].call(walk, record)) walk.event(table, name)
}

/** What a record that counts does. */
const APPLY = {
  accept (record) {
    happen(this, record)
    this.accepted = record.body.issued
    this.addressDue = Math.min(record.body.access_due, Math.max(this.quote.start, record.body.issued))
  },
  decline (record) { happen(this, record) },
  access ({ body }) { this.addressSent ??= body.issued },
  'host-cancel' (record) {
    if (charging(this)) this.stopAt(record.body.issued)
    happen(this, record)
  },
  'no-show' (record) { happen(this, record) },
  cancel (record) {
    if (charging(this)) this.stopAt(this.effectiveTime(record))
    else this.cancelled = record
    happen(this, record)
  },
  authorisation (record) {
    const { energy_wh: energy, cost } = record.body
    const before = this.authorised ?? { energy_wh: 0, cost: 0 }
    this.authorised = { energy_wh: Math.max(before.energy_wh, energy), cost: Math.max(before.cost, cost) }
    this.stop = undefined
    happen(this, record)
  },
  ticket (record) {
    this.tickets.push(record)
    happen(this, record)
  },
  stop (record) {
    this.stopAt(this.effectiveTime(record))
    happen(this, record)
  },
  countersign ({ body }) {
    const upTo = this.tickets.findIndex((one) => same(one.id, body.ticket)) + 1
    this.countersigned = Math.max(this.countersigned, upTo)
  },
  receipt (record) {
    this.receipt = record
    this.agreed = false
    happen(this, record)
  },
  agreement (record) {
    happen(this, record)
    this.agreed = true
  },
  claim (record) { happen(this, record) },
  problem ({ body }) {
    if (AT_THE_PLUG.includes(body.problem) && body.issued >= this.earliest) this.problemAtPlug = true
    if (this.receipt && this.placeOf(body.seen) >= this.placeOf(this.receipt.id)) this.event('settlement', 'problem')
  },
  paid (record) { happen(this, record) }
}
