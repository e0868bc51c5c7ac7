/** Our own part in the trust log (specs/06): months, hashes of bookings and reviews, and the log that we write. */
import sodium from 'libsodium-wrappers-sumo'
import { sha256 } from './bytes.js'
import { encode } from './cbor.js'
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
