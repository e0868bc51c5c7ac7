/** What a caretaker keeps (specs/07, D6 and D7): of each charger the newest listing or withdrawal, within bounds. */
import { hex, same } from './bytes.js'
import { region } from './cells.js'
import { require_ } from './errors.js'
import { Newest } from './listing.js'

const MAX_OF_AUTHOR = 64
const MAX_OF_LEAF = 2048
const MAX_IN_ALL = 16_384
const OLDEST_MS = 86_400_000 // nothing older is valid any more

export class Places {
  /** @param {() => number} clock unix ms */
  constructor (clock) {
    this.clock = clock
    this.newest = new Newest()
    this.sources = new Map() // key of a charger -> who brought it first
  }

  get (author, charger) {
    return this.newest.get(author, charger)
  }

  /**
   * Keeps a listing or a withdrawal; Refused `superseded` for what is older than what is known, and where it is a
   * place too many.
   * @param {{name: string, most: number}} source who brought it, and how many places are theirs
   */
  keep (offer, source) {
    this.forget()
    const { author, charger, cell } = offer.record.body
    if (!this.get(author, charger)) {
      const kept = [...this.newest.byCharger.values()].map(({ record }) => record.body)
      const fewer = (most, one) => kept.filter(one).length < most
      require_(fewer(MAX_OF_AUTHOR, (body) => same(body.author, author)), 'author-full')
      require_([...this.sources.values()].filter((one) => one === source.name).length < source.most, 'block-full')
      require_(fewer(MAX_OF_LEAF, (body) => region(body.cell) === region(cell)), 'cell-full')
      require_(kept.length < MAX_IN_ALL, 'cell-full')
      this.sources.set(hex(author) + hex(charger), source.name)
    }
    this.newest.keep(offer)
  }

  /** Gives up the places where nothing older can be valid any more. */
  forget () {
    for (const [key, { record }] of this.newest.byCharger) {
      if (this.clock() < record.body.issued + OLDEST_MS) continue
      this.newest.byCharger.delete(key)
      this.sources.delete(key)
    }
  }

  /** The listings as [key of the charger, offer], in an order that does not change. */
  listings () {
    return [...this.newest.byCharger].filter(([, { record }]) => record.kind === 'listing')
      .sort(([one], [other]) => (one < other ? -1 : 1))
  }
}
