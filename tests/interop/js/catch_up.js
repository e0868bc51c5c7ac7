/** Catch-up (specs/06): one node asks another for the entries that it lacks, and brings what the other lacks. */
import { fromHex, hex } from './bytes.js'
import { Refused } from './errors.js'
import { read, write } from './shape.js'
import { wireItem } from './trust.js'

const FIRST = new Uint8Array(32)
const LAST = new Uint8Array(32).fill(255)
const MAX_ROUNDS = 16
const MAX_ITEMS = 64
const MAX_WANTED = 64

/**
 * One session over all keys, until nothing new comes.
 * @param {(body: Uint8Array) => Promise<Uint8Array>} ask one request on the log stream
 * @param {import('./trust.js').Logs} logs
 */
export async function catchUp (ask, logs) {
  let [cursors, bundles] = [[], []]
  const wanted = new Set() // authors whose bundles we lack
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const items = round ? lackedBy(cursors, logs).slice(0, MAX_ITEMS) : []
    const answer = read('log-catch-up', await ask(question(logs, items, wanted, bundles)))
    for (const bundle of answer.bundles) wanted.delete(hex(logs.directory.learn(bundle).author))
    const news = answer.items.filter((item) => takes(logs, item, wanted))
    cursors = answer.cursors
    bundles = answer.wanted.map((author) => logs.directory.bundles.get(hex(author))?.raw).filter(Boolean)
    if (round && !news.length && !items.length && !answer.bundles.length && !bundles.length) return
  }
}

function question (logs, items, wanted, bundles) {
  const cursors = [...logs.byKey.keys()].sort().map((key) => {
    const log = logs.accepted(key)
    const forked = logs.fork(key) !== undefined
    return { log: fromHex(key), next: log.length + 1, head: log.at(-1)?.record.id, forked }
  })
  const asked = [...wanted].slice(0, MAX_WANTED).map(fromHex)
  return write('log-catch-up', { first: FIRST, last: LAST, cursors, items, wanted: asked, bundles })
}

/** Our entries from where the other's cursors stand. */
function lackedBy (cursors, logs) {
  const nextOf = (key) => Number(cursors.find((one) => hex(one.log) === key)?.next ?? 1)
  return [...logs.byKey.keys()].flatMap((key) => logs.accepted(key).slice(nextOf(key) - 1)).map(wireItem)
}

/** Takes one entry; one of an author that we don't know waits for the bundle, and comes again. */
function takes (logs, item, wanted) {
  try {
    return logs.take(item)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    if (error.code === 'unknown-author') wanted.add(hex(error.author))
    else throw error
    return false
  }
}
