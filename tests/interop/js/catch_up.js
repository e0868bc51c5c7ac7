/**
 * Catch-up (specs/06, G11 to G15): what each side makes of what the other said. Both send the same message,
 * `log-catch-up`; here it is its fields, and nothing is sent or waited for. Keys of logs are hexadecimal.
 */
import { fromHex, hex, same } from './bytes.js'
import { Refused, require_ } from './errors.js'
import { UNJUDGED } from './logs.js'
import { signedParts } from './record.js'
import { wireItem } from './trust.js'

const FIRST = '00'.repeat(32)
const LAST = 'ff'.repeat(32)
const MAX_CURSORS = 1024
const MAX_ITEMS = 256
const MAX_BYTES = 131_072 // of items and bundles together
const MAX_WANTED = 64
const MAX_QUESTIONS = 512
const MAX_TIMES_BROUGHT = 4
const BEFORE_A_FORK = 64 // entries that are sent so that a fork is found

/**
 * The answer to a question: what that brought is taken in first.
 * @param {import('./logs.js').Logs} logs @param {(record: object) => boolean} [mayBegin] as for `Logs.take`
 */
export function answer (logs, question, mayBegin) {
  learn(logs, question.bundles)
  const wanted = new Set()
  for (const item of question.items) {
    passOver(() => logs.take(item, mayBegin), (error) => UNJUDGED.includes(error.code) && wanted.add(hex(error.author)))
  }
  const [first, last] = [hex(question.first), hex(question.last)]
  const keys = logs.between(first, last)
  const range = { first, last: lastOf(keys, last) }
  const items = lacked(logs, range, question.cursors)
  return message(range, cursorsOf(logs, keys), items, [...wanted], known(logs, question.wanted))
}

/** The asker's side: `question()` and `take(answer)` in turn, until there is no more question. */
export class Session {
  /** @param {import('./logs.js').Logs} logs @param {(record: object) => boolean} [mayBegin] as for `Logs.take` */
  constructor (logs, mayBegin) {
    Object.assign(this, { logs, mayBegin })
    this.questions = 0
    this.asked = new Set() // authors whose bundles we asked for
    this.aside = [] // items that wait for such a bundle
    this.declined = new Set() // logs with entries whose bundle did not come
    this.timesBrought = new Map() // raw entry -> how often
    this.begin(FIRST)
  }

  /** From `first` on; what the other lacks there is not known yet. */
  begin (first) {
    this.range = { first, last: lastOf(this.keys({ first, last: LAST }), LAST) }
    Object.assign(this, { items: [], wanted: [], bundles: [] })
  }

  /** The next question; undefined where there is none. */
  question () {
    if (!this.range || this.questions === MAX_QUESTIONS) return undefined
    this.questions += 1
    const cursors = cursorsOf(this.logs, this.keys(this.range), this.declined)
    const said = message(this.range, cursors, this.items, this.wanted, this.bundles)
    for (const author of said.wanted) this.asked.add(hex(author))
    for (const { raw } of said.items) this.timesBrought.set(hex(raw), this.timesOf(raw) + 1)
    return said
  }

  /** Takes the answer in; Refused where it is none to our question. */
  take (answer) {
    const { first, last } = this.range
    const theirs = { first: hex(answer.first), last: hex(answer.last) }
    require_(theirs.first === first && first <= theirs.last && theirs.last <= last, 'catch-up', 'of another range')
    learn(this.logs, answer.bundles)
    const taken = this.takeItems([...this.aside.splice(0), ...answer.items])
    this.range = theirs
    this.items = lacked(this.logs, theirs, answer.cursors).filter(({ raw }) => this.timesOf(raw) < MAX_TIMES_BROUGHT)
    this.wanted = taken.wanted
    this.bundles = known(this.logs, answer.wanted)
    if (taken.news || [this.items, this.wanted, this.bundles].some((one) => one.length)) return
    // What we don't take may have filled the answer: of the logs behind its last item nothing may have come.
    const end = taken.refused && answer.items.length ? logOf(answer.items.at(-1), this.logs) : theirs.last
    this.goBehind(first <= end && end <= theirs.last ? end : theirs.last)
  }

  /** Whether anything came that we had not, whose bundles are needed for the rest, and whether any was refused. */
  takeItems (items) {
    const wanted = new Set()
    const declinedBefore = this.declined.size
    let refused = false
    const setAside = (item, { code, author }) => {
      if (!UNJUDGED.includes(code)) {
        refused = true
      } else if (this.asked.has(hex(author))) {
        this.declined.add(logOf(item, this.logs))
      } else {
        wanted.add(hex(author))
        this.aside.push(item)
      }
    }
    const takes = (item) => passOver(() => this.logs.take(item, this.mayBegin), (why) => setAside(item, why))
    const fresh = items.filter(takes)
    return { news: fresh.length > 0 || this.declined.size > declinedBefore, wanted: [...wanted], refused }
  }

  /** To the range behind a key. */
  goBehind (last) {
    if (last === LAST) this.range = undefined
    else this.begin((BigInt(`0x${last}`) + 1n).toString(16).padStart(64, '0'))
  }

  /** Our logs in a range, and those that we decline. */
  keys ({ first, last }) {
    const declined = [...this.declined].filter((key) => first <= key && key <= last)
    return [...new Set([...this.logs.between(first, last), ...declined])].sort()
  }

  timesOf (raw) {
    return this.timesBrought.get(hex(raw)) ?? 0
  }
}

/** Where a range ends that was to go up to `last`, and has these logs. */
const lastOf = (keys, last) => keys.length > MAX_CURSORS ? keys[MAX_CURSORS - 1] : last

/** A message within its bounds: bundles first, then as many items as there is room for. */
function message ({ first, last }, cursors, items, wanted, bundles) {
  let room = MAX_BYTES
  const fits = (bytes) => (room -= bytes) >= 0
  return {
    first: fromHex(first),
    last: fromHex(last),
    cursors: cursors.slice(0, MAX_CURSORS),
    bundles: bundles.slice(0, MAX_WANTED).filter((one) => fits(one.length)),
    items: items.slice(0, MAX_ITEMS).filter(({ raw, content }) => fits(raw.length + (content?.length ?? 0))),
    wanted: wanted.slice(0, MAX_WANTED).map(fromHex)
  }
}

function cursorsOf (logs, keys, declined = new Set()) {
  return keys.map((key) => {
    const run = logs.accepted(key)
    const forked = declined.has(key) || logs.fork(key)?.[0].record.body.sequence === run.length + 1
    return { log: fromHex(key), next: run.length + 1, head: run.at(-1)?.record.id, forked }
  })
}

/** What of our logs in a range somebody with these cursors lacks, as it travels (G12). */
function lacked (logs, { first, last }, cursors) {
  const theirs = new Map(cursors.map((one) => [hex(one.log), one]))
  return logs.between(first, last).flatMap((key) => {
    const [cursor, fork] = [theirs.get(key), logs.fork(key) ?? []]
    const knowsFork = cursor?.forked && fork.every(({ record }) => cursor.next <= record.body.sequence)
    return [...entriesFor(cursor, logs.accepted(key)), ...(knowsFork ? [] : fork)].map(wireItem)
  })
}

function entriesFor (cursor, run) {
  if (!cursor) return run
  const next = Number(cursor.next)
  const head = run[next - 2]
  if (head && !same(head.record.id, cursor.head)) return run.slice(Math.max(0, next - 1 - BEFORE_A_FORK), next - 1)
  return cursor.forked ? [] : run.slice(next - 1)
}

/** Whose log an item belongs to, by the key that it names; '' where it is no record. */
const logOf = ({ raw }, { directory }) => passOver(() => hex(signedParts(raw, directory.network).kid)) || ''

/** The bundles of these authors, each once, of those whom we know. */
function known ({ directory }, authors) {
  const bundles = [...new Set(authors.map(hex))].map((author) => directory.bundles.get(author)?.raw)
  return bundles.filter(Boolean)
}

/** Takes bundles in; one that is none is passed over. */
function learn ({ directory }, bundles) {
  for (const bundle of bundles) passOver(() => directory.learn(bundle))
}

/** What `take` gives; false for what is refused, which `tell` hears of. */
function passOver (take, tell = () => {}) {
  try {
    return take()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    tell(error)
    return false
  }
}
