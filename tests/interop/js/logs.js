/** The logs that a node holds (specs/06): which entries are good, and which of them are accepted. */
import { hex, same, sha256 } from './bytes.js'
import { Refused, require_ } from './errors.js'
import { open, openEntry } from './record.js'
import { skipTarget } from './rules.js'
import { spanOf } from './trust.js'

const MAX_GAP = 256

/** Codes of entries that can't be judged yet: a bundle is missing, or too old. */
export const UNJUDGED = ['unknown-author', 'not-delegated']

/** The logs that we hold, one for each signing key: what is accepted is a function of the set (G3, G4). */
export class Logs {
  constructor (directory) {
    this.directory = directory
    this.byKey = new Map() // key in hexadecimal -> Map from sequence to items; of a fork the two lowest ids
  }

  /** The entry in `item`, good by itself (G2); Refused if it is not. */
  judge ({ raw, content }) {
    const record = openEntry(raw, this.directory.network)
    const { author, month } = record.body
    if (record.kind === 'completion') checkStatement(record, this.directory)
    this.directory.authorise(record, author, ...spanOf(month))
    if (content) require_(record.kind === 'review' && same(sha256(content), record.body.content), 'content')
    return record
  }

  /**
   * Takes an entry, also one that waits for an earlier one; true if it is new, Refused if it is not good.
   * @param {(record: import('./record.js').Record_) => boolean} mayBegin whether it may begin another log (G18)
   */
  take (item, mayBegin = () => true) {
    const record = this.judge(item)
    const { sequence } = record.body
    const key = hex(record.kid)
    require_(this.byKey.has(key) || mayBegin(record), 'new-logs')
    const log = this.byKey.get(key) ?? new Map()
    const known = log.get(sequence) ?? []
    const far = sequence > this.accepted(key).length + MAX_GAP
    if (far || known.some((one) => same(one.record.id, record.id))) return false
    const both = [...known, { record, content: item.content }].sort((a, b) => Buffer.compare(a.record.id, b.record.id))
    this.byKey.set(key, log.set(sequence, both.slice(0, 2)))
    return true
  }

  /**
   * Takes a gossip message in (G17); Refused with the first fault of an entry.
   * @returns {Uint8Array[]} the authors whose bundle is missing or too old: with any, it is not passed on
   */
  hear ({ bundles, items }, mayBegin) {
    for (const bundle of bundles) this.directory.learn(bundle)
    const unknown = new Map()
    for (const item of items) {
      try {
        this.take(item, mayBegin)
      } catch (error) {
        if (!UNJUDGED.includes(error.code)) throw error
        unknown.set(hex(error.author), error.author)
      }
    }
    return [...unknown.values()]
  }

  /** The keys of our logs in [first, last], ascending; all in hexadecimal. */
  between (first, last) {
    return [...this.byKey.keys()].filter((key) => first <= key && key <= last).sort()
  }

  /** The longest run from 1 in which each entry names those before it rightly, up to a fork. */
  accepted (key) {
    const log = this.byKey.get(key) ?? new Map()
    const run = []
    for (;;) {
      const [item, rival] = log.get(run.length + 1) ?? []
      if (!item || rival || !follows(item.record, run)) return run
      run.push(item)
    }
  }

  /** The two lowest entries of the first sequence that has several; undefined where there is none. */
  fork (key) {
    const forks = [...this.byKey.get(key) ?? []].filter(([, items]) => items.length > 1)
    return forks.sort(([a], [b]) => a - b)[0]?.[1]
  }

  /** Accepted entries about an author: what others say of them. */
  about (author) {
    const subjectOf = ({ record }) => record.kind === 'completion'
      ? statementOf(record, this.directory).body.author
      : record.body.subject // none, in a kind that we don't know
    const all = [...this.byKey.keys()].flatMap((key) => this.accepted(key))
    return all.filter((item) => same(subjectOf(item) ?? [], author))
  }
}

function follows ({ body }, run) {
  const target = skipTarget(body.sequence)
  const last = run.at(-1)?.record
  return same(body.previous, last?.id ?? body.author) && (!last || same(last.body.author, body.author)) &&
    (!target || same(body.skip, run[target - 1].record.id))
}

/** The other side's statement that a completion embeds. */
const statementOf = (entry, { network }) => open(entry.body.statement, network, ['completion-statement'])

function checkStatement (entry, directory) {
  const { author, month, region } = entry.body
  const statement = statementOf(entry, directory)
  const { body } = statement
  const right = same(body.counterparty, author) && !same(body.author, author) && body.month === month &&
    BigInt(body.region) === BigInt(region)
  if (!right) throw new Refused('completion', 'not the other half of this entry')
  directory.authorise(statement, body.author, ...spanOf(month))
}
