/** A booking's state as the vectors tell it: records by name, and only what is there (specs/vectors/README.md). */
import { same } from './bytes.js'

const TOLERANCE_MS = 120_000

/** @param {object} state of `stateOf` @param {(record: object) => string} nameOf @param {{host: object[], driver: object[]}} set */
export function view (state, nameOf, { host, driver }) {
  const { chain, cancellation, receipt } = state
  const names = (records) => records.map(nameOf)
  const parts = {
    next_number: chain.length + 1,
    access_due: state.addressDue,
    access_overdue: state.overdue,
    no_show_from: mayBeNoShow(state) ? state.noShowTime : undefined,
    authorised: state.authorised,
    signed_for: signedFor(state),
    stopped: state.stop !== undefined,
    stop_counts_from: state.stop?.from,
    tickets: names(state.tickets),
    countersigned: state.countersigned,
    cancellation: cancellation && { ...cancellation, record: nameOf(cancellation.record) },
    cost: state.cost,
    compensation: state.compensation,
    problems: names(state.problems),
    faults: faults(host, chain).map(({ code, records }) => ({ code, records: names(records).sort() })),
    ignored: names(state.ignored).sort(),
    not_included: names(driver.filter((one) => !chain.some((other) => other.body.includes.some((id) => same(id, one.id))))
      .sort((a, b) => a.body.issued - b.body.issued || Buffer.compare(a.id, b.id))),
    next_deadline: state.nextDeadline
  }
  for (const [part, record] of Object.entries({ receipt, agreed: state.agreed, claimed: state.claimed, paid: state.paid })) {
    if (record) parts[part] = nameOf(record)
  }
  const { reservation, session, settlement } = state
  const there = Object.entries(parts).filter(([, value]) => value && value.length !== 0)
  return { reservation, session, settlement, head: nameOf(chain.at(-1) ?? state.request), ...Object.fromEntries(there) }
}

/** Time alone may have ended the reservation since. */
const mayBeNoShow = (state) => state.walked === 'RESERVED' && state.addressSent !== undefined &&
  state.authorised === undefined && !state.problemAtPlug

/** What the driver's signatures cover (specs/11, C7). */
export function signedFor ({ tickets, countersigned, authorised, stop }) {
  const seen = countersigned ? tickets[countersigned - 1].body : { energy_wh: 0, cost: 0 }
  const bounds = authorised ? withinAuthorisation(tickets, authorised, stop) : { energy_wh: 0, cost: 0 }
  const covered = { energy_wh: Math.max(seen.energy_wh, bounds.energy_wh), cost: Math.max(seen.cost, bounds.cost) }
  return covered.energy_wh || covered.cost ? covered : undefined
}

function withinAuthorisation (tickets, authorised, stop) {
  let last = { energy_wh: 0, cost: 0 }
  for (const { body } of tickets) {
    const stopped = stop?.from !== undefined && body.at > stop.from + TOLERANCE_MS
    const energy = Math.min(last.energy_wh, authorised.energy_wh)
    if (stopped) return { energy_wh: energy, cost: last.cost }
    if (body.cost > authorised.cost) return { energy_wh: energy, cost: authorised.cost }
    last = body
  }
  return { energy_wh: Math.min(last.energy_wh, authorised.energy_wh), cost: authorised.cost }
}

/** Signed evidence against the host (B6): two records of one number, and time that runs back along the chain. */
function faults (host, chain) {
  const forks = host.flatMap((one, at) => host.slice(at + 1)
    .filter((other) => one.body.number === other.body.number)
    .map((other) => ({ code: 'fork', records: [one, other] })))
  const back = chain.flatMap((one, at) =>
    at > 0 && one.body.issued < chain[at - 1].body.issued ? [{ code: 'time-runs-back', records: [chain[at - 1], one] }] : [])
  return [...forks, ...back]
}
