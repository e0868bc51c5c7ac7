/**
 * The conformance interface of specs/vectors/README.md: a question a line on stdin, its answer on stdout.
 *
 *     python -m tests.conformance run -- node tests/interop/js/subject.js
 */
import { createInterface } from 'node:readline'
import { latLngToCell } from 'h3-js'
import { bill, costs, estimate } from './bill.js'
import { requirePlace } from './booking.js'
import { fromHex, hex, hmac, same, sha256 } from './bytes.js'
import { decode, encode } from './cbor.js'
import { answer, Session } from './catch_up.js'
import { searched } from './searches.js'
import { ancestor, coverAt, leafKey, toInteger, toText, topicOf } from './cells.js'
import { Refused, require_ } from './errors.js'
import { slotsOf } from './hours.js'
import { Directory, openBundle } from './identity.js'
import { fromJson, toJson, treeFromJson, treeToJson } from './json_values.js'
import { DRIVER_KINDS, HOST_KINDS } from './kinds.js'
import {
  fits, offerable, openOffer, openWithdrawal, requireCurrent, requireFresh, shownUntil, supersedes
} from './listing.js'
import { Logs } from './logs.js'
import { mailboxKeys, openParcel, requireCollect, sealLetter, signCollect } from './mailbox.js'
import { readMessage } from './messages.js'
import { overlap } from './overlap.js'
import { openPhoto } from './photo.js'
import { due } from './receipt.js'
import { checkKey, keyPair, open, sign, signedParts } from './record.js'
import { openAccess, openMessage, publicOf, seal, sealMessage, unseal } from './sealing.js'
import { skipTarget } from './rules.js'
import { read, write } from './shape.js'
import { asSigned, objections, readsOtherwise, signedFor, toAgree, toCountersign, waitsForPerson } from './signing.js'
import { stateOf } from './state.js'
import { view } from './state_view.js'
import { resolve } from './tariff.js'
import { bookingHash, commitmentOf, spanOf } from './trust.js'

const MAX_CONTENT_BYTES = 8192
const ALL_KEYS = ['00'.repeat(32), 'ff'.repeat(32)]

/** Each operation takes `in` and gives `out`; Refused becomes `error`. */
const OPERATIONS = {
  'encoding.decode': (given) => ({ tree: treeToJson(decode(fromHex(given.bytes), given.max_bytes)) }),
  'encoding.encode': (given) => ({ bytes: encodeTree(given.tree) }),
  'keys.public': (given) => ({ public: keyPair(fromHex(given.seed)).publicKey }),
  'keys.check': (given) => {
    checkKey(fromHex(given.public))
    return { valid: true }
  },
  'record.open': (given) => {
    const record = open(fromHex(given.record), given.network)
    const { payload, signature, signed } = signedParts(record.raw, given.network)
    const author = record.kind === 'genesis' ? record.id : record.body.author
    const { kind, kid, id, body } = record
    return { kind, kid, id, payload, sig_structure: signed, signature, fields: body, ...(author && { author }) }
  },
  'record.make': (given) => {
    const keys = keyPair(fromHex(given.seed))
    const record = sign(given.kind, fromJson(given.kind, given.fields), keys, given.network)
    return { record: record.raw, id: record.id }
  },
  'record.forward': (given) => ({ record: open(fromHex(given.record), given.network).raw }),
  'record.authorise': (given) => {
    const directory = directoryOf(given)
    const record = open(fromHex(given.record), given.network)
    const span = 'issued' in record.body ? [] : spanOf(record.body.month)
    directory.authorise(record, record.body.author, ...span)
    return { authorised: true }
  },
  'bundle.open': (given) => {
    const { author, genesis, delegations } = openBundle(fromHex(given.bundle), given.network)
    const told = delegations.map(({ id, kid, body }) => ({ id, kid, fields: body }))
    return { author, genesis: genesis.body, delegations: told }
  },
  'bundle.unite': (given) => {
    const [{ author, delegations }] = [...directoryOf(given).bundles.values()]
    return { author, delegations: delegations.map((one) => hex(one.id)).sort() }
  },
  'cell.of': (given) => {
    const text = latLngToCell(given.latitude / 1e6, given.longitude / 1e6, given.resolution)
    return { cell: toInteger(text), text }
  },
  'cell.parent': (given) => ({ cell: ancestor(given.cell, given.resolution) }),
  'cell.cover': (given) => ({
    cells: coverAt(given.latitude / 1e6, given.longitude / 1e6, given.radius_m, given.resolution)
  }),
  'cell.search': searched,
  'cell.key': (given) => ({ key: leafKey(given.network, toInteger(toText(given.cell)), given.shard) }),
  'cell.topic': (given) => ({ topic: topicOf(given.network, given.cell) }),
  'listing.open': (given) => {
    const item = { listing: fromHex(given.listing), renewal: fromHex(given.renewal), bundle: fromHex(given.bundle) }
    const offer = openOffer(item, given.network, new Directory(given.network))
    requireFresh(offer, given.now)
    const { author, charger, sequence } = offer.record.body
    return { author, charger, sequence, shown_until: shownUntil(offer) }
  },
  'withdrawal.open': (given) => {
    const item = { withdrawal: fromHex(given.withdrawal), bundle: fromHex(given.bundle) }
    const { record } = openWithdrawal(item, new Directory(given.network))
    requireCurrent(record, given.now)
    const { author, charger, sequence } = record.body
    return { author, charger, sequence }
  },
  'listing.replace': (given) => {
    const [known, came] = [given.known, given.came].map((raw) => open(fromHex(raw), given.network))
    require_(supersedes(came, known), 'superseded')
    return { newest: came.id }
  },
  'listing.offerable': (given) => ({
    offerable: offerable({ slots: fromJson('slot-map', given.slots) }, given.start, given.end)
  }),
  'listing.fits': (given) => ({ fits: fits(fromJson('listing', given.listing), fromJson('need', given.need)) }),
  'tariff.plan': (given) => {
    const [tariff, terms] = [fromJson('tariff', given.tariff), fromJson('terms', given.terms)]
    return { plan: resolve(tariff, given.zone, given.start, given.end, given.power_w, terms) }
  },
  'tariff.bill': (given) => {
    const readings = given.readings.map(([at, energy]) => ({ at, energy_wh: energy }))
    return bill(fromJson('price-plan', given.plan), readings)
  },
  'tariff.quote': (given) => {
    return estimate(fromJson('price-plan', given.plan), given.start, given.end, given.power_w, given.energy_wh)
  },
  'terms.costs': (given) => costs(fromJson('terms', given.terms), given.cap, given.start, given.at),
  'hours.slots': (given) => ({ slots: slotsOf(given.hours, given.start, given.busy) }),
  'booking.open': (given) => ({ booking: beginning(given).request.id }),
  'booking.take': (given) => {
    const { quote, request } = beginning(given)
    const record = open(fromHex(given.came), given.network)
    const [other, theirs] = given.reader === 'host' ? [request.body.author, DRIVER_KINDS] : [quote.body.author, HOST_KINDS]
    require_(record.body.author && same(record.body.author, other), 'not-a-party')
    directoryOf(given).authorise(record, other)
    requirePlace(record, request.id, theirs)
    return { id: record.id }
  },
  'booking.states': (given) => {
    const records = Object.entries(given.records).map(([name, raw]) => ({ ...open(fromHex(raw), given.network), name }))
    const begun = beginning(given)
    return { answers: given.questions.map((question) => statesIn(question, begun, records)) }
  },
  'booking.overlap': (given) => ({ overlap: overlap(setOf(given.network, given.one), setOf(given.network, given.other)) }),
  'receipt.write': (given) => written(stateAt(given).state),
  'receipt.judge': (given) => {
    const told = stateAt(given)
    const state = asSigned(told.state, told.driver)
    const said = { countersign: toCountersign(state) !== undefined, confirm: waitsForPerson(state) }
    return state.receipt ? { ...said, agree: toAgree(state) !== undefined, objections: objections(state) } : said
  },
  'reading.confirm': (given) => {
    const differing = readsOtherwise(stateAt(given).state, given.register_wh)
    return { countersign: differing.length === 0, differing }
  },
  'walk-in.proof': (given) => {
    const [secret, quote, driver] = bytesOf(given, 'secret', 'quote', 'driver')
    return { proof: hex(hmac(secret, encode(['chargemesh/walk-in', quote, driver]))) }
  },
  'box.public': (given) => ({ public: publicOf(fromHex(given.secret)) }),
  'box.seal': (given) => ({ sealed: seal(...bytesOf(given, 'plaintext', 'public', 'secret', 'nonce')) }),
  'box.open': (given) => ({ plaintext: unseal(...bytesOf(given, 'sealed', 'public', 'secret')) }),
  'mailbox.keys': (given) => mailboxKeys(fromHex(given.seed)),
  'mailbox.seal': (given) => {
    const sealed = sealLetter(fromJson('letter', given.fields), fromHex(given.recipient), fromHex(given.ephemeral))
    return { size: sealed.length, begins: sealed.subarray(0, 64), hash: sha256(sealed) }
  },
  'mailbox.open': (given) => ({ fields: openParcel(fromHex(given.sealed), fromHex(given.seed)) }),
  'mailbox.collect': (given) => ({ signature: signCollect(fromHex(given.seed), asked(given)) }),
  'mailbox.may-collect': (given) => {
    requireCollect(fromHex(given.recipient), fromHex(given.signature), asked(given))
    return { collects: true }
  },
  'sealed-message.write': (given) => {
    const fields = fromJson('sealed-message', given.fields)
    return { sealed: sealMessage(fields, ...bytesOf(given, 'public', 'secret', 'nonce')) }
  },
  'sealed-message.open': (given) => {
    const [booking, sender, recipient] = bytesOf(given, 'booking', 'sender', 'recipient')
    return { fields: openMessage(...bytesOf(given, 'sealed', 'public', 'secret'), { booking, sender, recipient }) }
  },
  'access.open': (given) => {
    const [sealed, booking, host, driver, hostKey, secret] =
      bytesOf(given, 'sealed', 'booking', 'host', 'driver', 'public', 'secret')
    const between = { network: given.network, booking, host, driver, hostKey, secret }
    return { fields: openAccess(sealed, between, directoryOf(given)).body }
  },
  'photo.open': (given) => {
    const { jpeg, ...size } = openPhoto(...bytesOf(given, 'sealed', 'photo', 'public', 'secret'))
    return { jpeg: hex(jpeg), ...size }
  },
  'log.skip': (given) => {
    const target = skipTarget(given.sequence)
    return target ? { target } : {}
  },
  'log.judge': (given) => {
    const { kind, id, kid, body } = new Logs(directoryOf(given)).judge(itemOf(given.item))
    return { kind, id, log: kid, author: body.author, sequence: body.sequence }
  },
  'log.offer': (given) => {
    const items = itemsOf(given)
    const found = given.orders.map((order) => shown(logsOf(order, directoryOf(given), items), items))
    const texts = found.map((logs) => JSON.stringify(toJson(logs)))
    return { logs: found[0], same: texts.every((text) => text === texts[0]) }
  },
  'catch-up.exchange': exchanged,
  'catch-up.answer': (given) => {
    const question = read('log-catch-up', fromHex(given.question))
    return { answer: write('log-catch-up', answer(nodeOf(given, 'answerer'), question)) }
  },
  'gossip.take': (given) => {
    const unknown = new Logs(directoryOf(given)).hear(read('log-news', fromHex(given.bytes)))
    return { forward: unknown.length === 0, unknown }
  },
  'log.booking': (given) => ({ hash: bookingHash(...bytesOf(given, 'booking', 'receipt')) }),
  'review.write': (given) => {
    const content = write('review-content', fromJson('review-content', given.fields))
    return { content, hash: sha256(content) }
  },
  'review.open': (given) => ({ fields: read('review-content', fromHex(given.content), MAX_CONTENT_BYTES) }),
  'review.commit': (given) => ({ commitment: commitmentOf(...bytesOf(given, 'booking', 'content')) }),
  'message.read': (given) => {
    const { message, fields } = readMessage(given.stream, fromHex(given.bytes))
    return { message, fields }
  },
  'message.write': (given) => ({ bytes: write(given.message, fromJson(given.message, given.fields)) })
}

const itemOf = ({ raw, content }) => ({ raw: fromHex(raw), content: content && fromHex(content) })

const itemsOf = ({ items }) => Object.entries(items).map(([name, item]) => ({ ...itemOf(item), name }))

/** The logs that items make which are offered in this order. @param {string[]} order names of items */
/** What a recipient signs to collect (M8). */
const asked = (given) => ({
  network: given.network,
  peerId: given.peer_id,
  challenge: fromHex(given.challenge),
  drop: given.drop.map(fromHex)
})

function logsOf (order, directory, items) {
  const logs = new Logs(directory)
  for (const name of order) logs.take(items.find((one) => one.name === name))
  return logs
}

/** Each log by the names of its items. */
function shown (logs, items) {
  const nameOf = ({ record }) => items.find((one) => same(one.raw, record.raw)).name
  return logs.between(...ALL_KEYS).map((key) => {
    const accepted = logs.accepted(key)
    const fork = logs.fork(key)
    return { log: key, accepted: accepted.map(nameOf), next: accepted.length + 1, ...(fork && { fork: fork.map(nameOf).sort() }) }
  })
}

/** One of two nodes that catch up. @param {'asker' | 'answerer'} side */
function nodeOf (given, side) {
  const { introduced, holds } = given[side]
  return logsOf(holds, introduced ? directoryOf(given) : new Directory(given.network), itemsOf(given))
}

/** Every message of two nodes that catch up, until the asker has no more question. */
function exchanged (given) {
  const [asker, answerer] = [nodeOf(given, 'asker'), nodeOf(given, 'answerer')]
  const session = new Session(asker)
  const messages = []
  for (let question; (question = session.question());) {
    const said = answer(answerer, question)
    session.take(said)
    messages.push(write('log-catch-up', question), write('log-catch-up', said))
  }
  return { messages, asker: shown(asker, itemsOf(given)), answerer: shown(answerer, itemsOf(given)) }
}

const bytesOf = (given, ...names) => names.map((name) => fromHex(given[name]))

/** Quote and request, which belong together. */
function beginning ({ network, quote: rawQuote, request: rawRequest }) {
  const quote = open(fromHex(rawQuote), network, ['quote'])
  const request = open(fromHex(rawRequest), network, ['request'])
  require_(same(request.body.quote, quote.id), 'other-quote')
  require_(!same(request.body.author, quote.body.author), 'same-author')
  return { quote, request }
}

/** Quote, request, and what each side signed afterwards. */
function setOf (network, { quote, request, records: raws }) {
  const records = raws.map((raw) => open(fromHex(raw), network))
  const [host, driver] = [HOST_KINDS, DRIVER_KINDS].map((kinds) => records.filter((one) => kinds.includes(one.kind)))
  return { ...beginning({ network, quote, request }), host, driver }
}

/** The state of a set at an instant, and the driver's records of it. */
function stateAt (given) {
  const set = setOf(given.network, given)
  return { state: stateOf(set, given.as_of), driver: set.driver }
}

/** A receipt's fields, without those that are 0 and may be left out. */
function written (state) {
  const own = due(state)
  if (!own) return {}
  const beyond = Number(own.energy_wh) - signedFor(state).energy_wh
  const { started, ended, energy_wh, lines, total, ...more } = own
  const there = Object.entries({ beyond_authorisation_wh: Math.max(0, beyond), ...more })
    .filter(([, value]) => BigInt(value) !== 0n)
  return { started, ended, energy_wh, currency: state.quote.plan.currency, lines, total, ...Object.fromEntries(there) }
}

/** The states in the first order, and whether all orders make the same. */
function statesIn ({ orders, as_of: instants }, { quote, request }, records) {
  const nameOf = (record) => record.name ?? 'request'
  const found = orders.map((order) => {
    const held = [...new Set(order)].map((name) => records.find((one) => one.name === name))
    const host = held.filter((one) => HOST_KINDS.includes(one.kind))
    const driver = held.filter((one) => DRIVER_KINDS.includes(one.kind))
    return instants.map((at) => toJson(view(stateOf({ quote, request, host, driver }, at), nameOf, { host, driver })))
  })
  const texts = found.map((states) => JSON.stringify(states))
  return { same: texts.every((text) => text === texts[0]), states: found[0] }
}

function encodeTree (tree) {
  try {
    return encode(treeFromJson(tree))
  } catch (error) {
    throw error instanceof RangeError || error instanceof TypeError ? new Refused('encoding', error.message) : error
  }
}

function directoryOf ({ network, bundles }) {
  const directory = new Directory(network)
  for (const bundle of bundles) directory.learn(fromHex(bundle))
  return directory
}

function answered ({ id, op, in: given }) {
  if (!Object.hasOwn(OPERATIONS, op)) return { id, unsupported: true }
  try {
    return { id, out: toJson(OPERATIONS[op](given)) }
  } catch (error) {
    if (error instanceof Refused) return { id, error: error.code }
    throw error
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answered(JSON.parse(line)))}\n`)
}
