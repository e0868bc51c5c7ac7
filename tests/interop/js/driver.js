/**
 * A driver's node that goes through the whole job by itself and tells each step as a line of JSON on stdout.
 *
 *     node driver.js LINK --near 52.52,13.405 --title "Blue garage" [--transport ws]
 *
 * It waits for what the host's people do (a change of the listing, the payment, a review): all that it learns
 * it learns over the network. It exits with 0 when the job is done.
 */
import { parseArgs } from 'node:util'
import { askQuote, openQuote } from './booking.js'
import { hex, sha256 } from './bytes.js'
import { region } from './cells.js'
import { find, peerOf } from './discovery.js'
import { contactOf, join, readInvitation } from './node.js'
import { Peer, until } from './peer.js'
import { read } from './shape.js'
import { objections } from './signing.js'
import { BOOKING, request } from './streams.js'
import { bookingHash, commitmentOf, contentOf, monthOf } from './trust.js'

const HALF_HOUR_MS = 1_800_000
const ENERGY_WH = 10_000
const TICKETS = 2
const RADIUS_M = 2000

const { values: options, positionals: [link] } = parseArgs({
  allowPositionals: true,
  options: {
    near: { type: 'string' },
    title: { type: 'string' },
    transport: { type: 'string', default: 'tcp' }
  }
})

const invitation = readInvitation(link)
const peer = await Peer.start(invitation.network, options.transport)
const joined = await join(peer.libp2p, invitation, options.transport)
tell('joined', { peer: joined.peer_id, author: hex(peer.me.author), own: contactOf(peer.libp2p).peer_id })

const listing = await findListing()
const { contact } = listing.body
const quote = await getQuote()
await hearChange()
const booking = await book()
await charge()
await pay()
await review()
const { reservation, session, settlement } = booking.state
tell('done', { states: [reservation, session, settlement], faults: booking.faults })
await peer.libp2p.stop()
process.exit(0)

function tell (event, more = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`)
}

async function meet (look, name) {
  return peer.meet(booking, contact, look, name)
}

/** The listing of that title, searched for until some caretaker has it. */
async function findListing () {
  const [latitude, longitude] = options.near.split(',').map(Number)
  const circle = { latitude, longitude, radiusM: RADIUS_M }
  return until(async () => {
    const found = await find(peer.libp2p, peer.directory, circle, { connector: 'IEC_62196_T2' }, peer.clock())
    const offer = found.offers.find(({ record }) => record.body.about.title === options.title)
    if (offer) tell('found', { listing: hex(offer.record.id), asked: found.asked, refused: found.refused })
    return offer?.record
  }, 'the listing')
}

async function getQuote () {
  const start = peer.clock()
  const question = askQuote(listing.body.charger, start, start + HALF_HOUR_MS, ENERGY_WH)
  const answer = await request(peer.libp2p, peerOf(contact), BOOKING, question)
  const given = openQuote(answer, listing, peer.directory, peer.clock())
  tell('quoted', { estimate: Number(given.body.estimate), cap: Number(given.body.cap) })
  return given
}

/** Follows the gossip about the place until a change of a listing is heard and found good. */
async function hearChange () {
  const topic = peer.followCell(listing.body.cell)
  await until(() => peer.libp2p.services.gossip.getMeshPeers(topic).length, 'neighbours on the topic')
  const before = peer.caretaker.changes.length
  tell('following', { topic })
  await until(() => peer.caretaker.changes.length > before, 'a change of a listing')
  tell('heard', { changes: peer.caretaker.changes.slice(before) })
}

async function book () {
  const opened = peer.book(quote)
  tell('requested', { booking: hex(opened.id) })
  await peer.meet(opened, contact, () => opened.state.reservation === 'RESERVED', 'the acceptance')
  await peer.meet(opened, contact, () => opened.access, 'the address')
  tell('booked', { address: opened.access.address })
  return opened
}

async function charge () {
  booking.write('authorisation', { energy_wh: quote.body.energy_wh, cost: quote.body.cap })
  booking.say('Which of the two sockets is it?')
  const answered = () => booking.messages.find((one) => !one.ours)
  tell('answered', { text: (await meet(answered, 'an answer by message')).fields.text })
  await meet(() => booking.state.tickets.length >= TICKETS && booking.state.countersigned, 'tickets, one countersigned')
  booking.write('stop')
  await meet(() => booking.state.receipt, 'the receipt')
  tell('receipt', { objections: objections(booking.state) })
  await meet(() => booking.state.agreed, 'the agreement to be taken in')
}

async function pay () {
  booking.write('claim', { receipt: booking.state.receipt.id, rail: 'manual', reference: '' })
  await meet(() => booking.state.settlement === 'CLAIMED', 'the claim to be taken in')
  tell('claimed')
  await meet(() => booking.state.settlement === 'PAID', 'the payment to be confirmed')
}

/** Completion statements and commitments, then both open their review; the host's comes by gossip or catch-up. */
async function review () {
  const { host, id, state: { receipt } } = booking
  const pair = {
    booking: bookingHash(id, receipt.id), month: monthOf(receipt.body.issued), region: region(listing.body.cell)
  }
  const content = contentOf(5, 'Found by a node in another language.')
  booking.declare('completion-statement', { counterparty: host, ...pair })
  booking.declare('review-commitment', { issued: peer.clock(), booking: id, commitment: commitmentOf(id, content) })
  await meet(() => !booking.owes, 'the commitment to arrive')
  tell('committed')
  const statement = await meet(() => booking.statement('completion-statement', host), "the host's statement")
  await meet(() => booking.statement('review-commitment', host), "the host's commitment")
  peer.own.add('completion', { month: pair.month, region: pair.region, statement: statement.raw })
  peer.own.add('review', { ...pair, month: monthOf(peer.clock()), subject: host, content: sha256(content) }, content)
  await peer.publishLog([host])
  await until(async () => {
    await peer.catchUpWith(contact)
    return peer.logs.about(peer.me.author).length >= 2
  }, "the host's completion and review")
  const said = peer.logs.about(peer.me.author)
    .map(({ record, content: one }) => [record.kind, one && read('review-content', one).text])
  tell('reviewed', { by: said, stored: peer.caretaker.timesStored })
}
