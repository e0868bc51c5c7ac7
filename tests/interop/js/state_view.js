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

/** Signed evidence against the host (B6): two records of one number, and time that runs back along the chain. */
function faults (host, chain) {
  const forks = host.flatMap((one, at) => host.slice(at + 1)
    .filter((other) => one.body.number === other.body.number)
    .map((other) => ({ code: 'fork', records: [one, other] })))
  const back = chain.flatMap((one, at) =>
    at > 0 && one.body.issued < chain[at - 1].body.issued ? [{ code: 'time-runs-back', records: [chain[at - 1], one] }] : [])
  return [...forks, ...back]
}
