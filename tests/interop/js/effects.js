/** What each kind of record does to a booking (specs/05, the table under B13); `this` is the walk over the set. */
import { same } from './bytes.js'

const TOLERANCE_MS = 120_000
const LAST_INSTANT = 7_258_118_400_000
const MAX_ENERGY_WH = 100_000_000
const LIVE = ['PENDING', 'RESERVED', 'FULFILLED']

/** Whether a host record includes one of the driver's. */
export const includes = (host, record) => host.body.includes.some((id) => same(id, record.id))
const named = (record, field, receipt) => receipt !== undefined && same(record.body[field], receipt.id)
const charging = (walk) => walk.reservation === 'FULFILLED'

/** When a record takes no effect, by kind; `this` is the walk. */
export const IDLE = {
  accept ({ body }) {
    if (body.change && !this.isOpen(body.change)) return true
    const { end } = body.change ? this.change.carried.body : this.quote
    return body.issued > this.request.body.expires + TOLERANCE_MS || body.issued >= end + TOLERANCE_MS
  },
  access () { return !['RESERVED', 'FULFILLED'].includes(this.reservation) },
  'host-cancel' ({ body }) { return !charging(this) && body.issued >= this.slotOver },
  'no-show' ({ body }) {
    return this.addressSent === undefined || this.authorised !== undefined || this.problemAtPlug ||
      this.fault !== undefined || body.issued < this.noShowTime || body.issued >= this.slotOver
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
    const settled = this.agreed !== undefined && this.settlement !== 'DISPUTED'
    return !due || settled || body.currency !== this.quote.plan.currency
  },
  agreement (record) { return !named(record, 'receipt', this.receipt) },
  claim (record) { return !named(record, 'receipt', this.receipt) },
  paid (record) { return !named(record, 'receipt', this.receipt) },
  offer ({ carried }) { return !this.mayChangeTo(carried.body) },
  change ({ body, carried }) {
    const takes = this.offer && body.offer && same(this.offer.id, body.offer) && same(this.offer.body.quote, body.quote)
    return !this.mayChangeTo(carried.body) || (body.offer !== undefined && !takes)
  },
  amend ({ body }) {
    if (!this.isOpen(body.change)) return true
    const quote = this.change.carried.body
    const over = this.reservation === 'RESERVED' && body.issued >= this.slotOver
    return !this.mayChangeTo(quote) || over || body.issued >= quote.end
  },
  refuse ({ body }) { return !this.isOpen(body.change) },
  fault ({ body }) { return body.issued >= this.slotOver }
}

/** The events of a record, which must all be possible. */
export const EVENTS = {
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
  paid: () => [['settlement', 'paid']],
  offer: () => [['reservation', 'offer']],
  change: () => [['reservation', 'change']],
  amend: () => [['reservation', 'amend']],
  refuse: () => [['reservation', 'refuse']],
  fault: () => [['reservation', 'fault']]
}

function happen (walk, record) {
  for (const [table, name] of EVENTS[record.kind].call(walk, record)) walk.event(table, name)
}

/** What a record that counts does. */
export const APPLY = {
  accept (record) {
    const { issued, change, access_due: due } = record.body
    happen(this, record)
    Object.assign(this, { accepted: issued, agreed_at: issued, offer: undefined })
    if (change) this.putInForce(issued, 0n)
    this.addressDue = Math.min(due, Math.max(this.quote.start, issued))
  },
  decline (record) { happen(this, record) },
  access ({ body }) { this.addressSent ??= body.issued },
  'host-cancel' (record) {
    if (charging(this)) this.stopAt(record.body.issued)
    else this.hostCancels(record)
    happen(this, record)
  },
  'no-show' (record) {
    this.cost = this.missing()
    happen(this, record)
  },
  cancel (record) {
    if (charging(this)) this.stopAt(this.effectiveTime(record))
    else this.cancel(record)
    happen(this, record)
  },
  authorisation (record) {
    const { energy_wh: energy, cost } = record.body
    if (!this.authorised) this.checkedIn = record.body.issued
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
    Object.assign(this, { receipt: record, agreed: undefined, claimed: undefined, paid: undefined })
    happen(this, record)
  },
  agreement (record) {
    happen(this, record)
    this.agreed = record
  },
  claim (record) {
    this.claimed = record
    happen(this, record)
  },
  problem (record) {
    const { body } = record
    this.problems.push(record)
    if (this.receipt && this.placeOf(body.seen) >= this.placeOf(this.receipt.id)) this.event('settlement', 'problem')
  },
  paid (record) {
    this.paid = record
    happen(this, record)
  },
  offer (record) { this.offer = record },
  change (record) { Object.assign(this, { change: record, refusal: undefined }) },
  amend (record) {
    const { issued, access_due: due } = record.body
    this.putInForce(issued, this.floorAt(issued))
    if (this.addressSent === undefined) this.addressDue = Math.min(due, Math.max(this.quote.start, issued))
  },
  refuse (record) { Object.assign(this, { change: undefined, refusal: record }) },
  fault (record) { this.fault ??= record }
}
