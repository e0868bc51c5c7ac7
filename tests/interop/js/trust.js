/** The trust log (specs/06): statements and commitments, entries, and the logs that a node holds. */
import sodium from 'libsodium-wrappers-sumo'
import { hex, same, sha256 } from './bytes.js'
import { encode } from './cbor.js'
import { Refused, require_ } from './errors.js'
import { open, openEntry } from './record.js'
import { skipTarget } from './rules.js'
import { write } from './shape.js'

/** Months since January 1970, UTC. */
export function monthOf (ms) {
  const date = new Date(ms)
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
}

/** [first, past) of a month, unix ms. */
export const spanOf = (month) => [Date.UTC(1970, month), Date.UTC(1970, month + 1)]

/** What names a completed booking in the log. */
export const bookingHash = (booking, receipt) => sha256(encode(['chargemesh/completion', booking, receipt]))

/** What a side commits to before it opens its review. */
export const commitmentOf = (booking, content) => sha256(encode(['chargemesh/review', booking, sha256(content)]))

/** The bytes of a review's content, with a fresh salt. */
export const contentOf = (overall, text) =>
  write('review-content', { stars: { overall }, text, salt: sodium.randombytes_buf(16) })

/** Our own log: numbers and signs entries. */
export class OwnLog {
  constructor (me) {
    this.me = me
    this.items = [] // {record, content}
  }

  /** Cuts an entry; `values` are its own fields, `content` what a review's hash names. */
  add (kind, values, content) {
    const sequence = this.items.length + 1
    const target = skipTarget(sequence)
    const record = this.me.sign(kind, {
      sequence,
      previous: this.items.at(-1)?.record.id ?? this.me.author,
      skip: target ? this.items[target - 1].record.id : undefined,
      ...values
    })
    this.items.push({ record, content })
    return record
  }

  /** The gossip message with all entries; `bundles` of everybody whose statement one embeds. */
  news (bundles) {
    return write('log-news', { bundles: [this.me.bundle, ...bundles], items: this.items.map(wireItem) })
  }
}

/** An entry as it travels. */
export const wireItem = ({ record, content }) => ({ raw: record.raw, content })

/** The logs that we hold, one for each signing key. */
export class Logs {
  constructor (directory) {
    this.directory = directory
    this.byKey = new Map()
  }

  /** The entry in `item`, good by itself (G2). */
  judge ({ raw, content }) {
    const record = openEntry(raw, this.directory.network)
    const { author, month } = record.body
    this.directory.authorise(record, author, ...spanOf(month))
    if (record.kind === 'completion') checkStatement(record, this.directory)
    if (content) require_(record.kind === 'review' && same(sha256(content), record.body.content), 'content')
    return record
  }

  /** Takes an entry; true if it is new, Refused if it is wrong. One that comes too early is `unexpected`. */
  take (item) {
    const record = this.judge(item)
    const { author, sequence } = record.body
    const log = this.byKey.get(hex(record.kid)) ?? []
    const known = log[sequence - 1]
    if (known) {
      require_(same(known.record.id, record.id), 'schema', 'a fork')
      return false
    }
    require_(sequence === log.length + 1, 'unexpected', 'an entry before this one is missing')
    require_(same(record.body.previous, log.at(-1)?.record.id ?? author), 'schema', 'previous')
    const target = skipTarget(sequence)
    const skip = target ? log[target - 1].record.id : undefined
    require_(skip ? record.body.skip && same(skip, record.body.skip) : !record.body.skip, 'schema', 'skip')
    this.byKey.set(hex(record.kid), [...log, { record, content: item.content }])
    return true
  }

  /** Takes a gossip message; how many entries were new. Refused with the first fault. */
  takeAll ({ bundles, items }) {
    for (const bundle of bundles) this.directory.learn(bundle)
    return items.filter((item) => this.take(item)).length
  }

  /** Entries about an author: what others say of them. */
  about (author) {
    const subjectOf = ({ record }) => record.kind === 'completion'
      ? statementOf(record, this.directory).body.author
      : record.body.subject // none, in a kind that we don't know
    return [...this.byKey.values()].flat().filter((item) => same(subjectOf(item) ?? [], author))
  }
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
