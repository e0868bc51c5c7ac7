/** A booking's state as the vectors tell it: records by name, and only what is there (specs/vectors/README.md). */
import { same } from './bytes.js'
import { signedFor } from './signing.js'

/**
 * @param {object} state of `stateOf` @param {(record: object) => string} nameOf
 * @param {{host: object[], driver: object[]}} set the records that it was made of
 */
export function view (state, nameOf, { host, driver }) {
  const { chain, cancellation, receipt } = state
  const covered = signedFor(state)
  const names = (records) => records.map(nameOf)
  const parts = {
    next_number: chain.length + 1,
    access_due: state.addressDue,
    access_overdue: state.overdue,
    no_show_from: mayBeNoShow(state) ? state.noShowTime : undefined,
    authorised: state.authorised,
    signed_for: covered.energy_wh || covered.cost ? covered : undefined,
    stopped: state.stop !== undefined,
    stop_counts_from: state.stop?.from,
    tickets: names(state.tickets),
    countersigned: state.countersigned,
    cancellation: cancellation && { ...cancellation, record: nameOf(cancellation.record) },
    fee_floor: state.inForce.at(-1).floor,
    cost: state.cost,
    compensation: state.compensation,
    problems: names(state.problems),
    faults: faults(host).map(({ code, records }) => ({ code, records: names(records).sort() })),
    ignored: names(state.ignored).sort(),
    not_included: names(driver.filter((one) => !chain.some((other) => other.body.includes.some((id) => same(id, one.id))))
      .sort((a, b) => a.body.issued - b.body.issued || Buffer.compare(a.id, b.id))),
    next_deadline: state.nextDeadline
  }
  const { agreed, claimed, paid, offer, change, refusal, fault } = state
  const found = { receipt, agreed, claimed, paid, offer, change, refusal, equipment_fault: fault, in_force: state.inForce.at(-1).change }
  for (const [part, record] of Object.entries(found)) {
    if (record) parts[part] = nameOf(record)
  }
  const { reservation, session, settlement } = state
  const there = Object.entries(parts).filter(([, value]) => value && value.length !== 0)
  return { reservation, session, settlement, head: nameOf(chain.at(-1) ?? state.request), ...Object.fromEntries(there) }
}

/** Time alone may have ended the reservation since. */
const mayBeNoShow = (state) => state.walked === 'RESERVED' && state.addressSent !== undefined &&
  state.authorised === undefined && !state.problemAtPlug && state.fault === undefined

/** Signed evidence against the host (B6), whatever the chain is: two records of one number, and time that runs back. */
function faults (host) {
  const sorted = [...host].sort((a, b) => a.body.number - b.body.number || Buffer.compare(a.id, b.id))
  const lowest = sorted.filter((one, at) => sorted[at - 1]?.body.number !== one.body.number)
  const forks = lowest.map((one) => [one, sorted[sorted.indexOf(one) + 1]])
    .filter(([one, next]) => next?.body.number === one.body.number)
  const back = sorted.map((one) => [host.find((other) => same(other.id, one.body.previous)), one])
    .filter(([before, one]) => before && one.body.issued < before.body.issued)
  return [...forks.map((records) => ({ code: 'fork', records })), ...back.map((records) => ({ code: 'time-runs-back', records }))]
}
