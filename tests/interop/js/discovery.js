/** Finding listings (specs/07): who keeps a cell, what they have, and the gossip about it. */
import { peerIdFromString } from '@libp2p/peer-id'
import { hex } from './bytes.js'
import { cover, leafKey, region } from './cells.js'
import { Refused } from './errors.js'
import { fits, Newest, openOffer, requireFresh } from './listing.js'
import { read, write } from './shape.js'
import { LISTING, request } from './streams.js'

const CARETAKERS = 8
const LOOK_UP_MS = 5000
const PAGE = 16

/** The nodes nearest to a leaf's key, nearest first, ourselves left out. */
async function caretakersOf (libp2p, network, leaf) {
  const found = []
  const signal = AbortSignal.timeout(LOOK_UP_MS)
  for await (const peer of libp2p.peerRouting.getClosestPeers(leafKey(network, leaf), { signal })) {
    if (peer.id.equals(libp2p.peerId)) continue
    found.push(peer)
  }
  return found.slice(0, CARETAKERS)
}

/**
 * The listings around a point that fit `need`: the answers of all caretakers united, everything verified.
 * @returns {Promise<{offers: object[], asked: string[], refused: string[]}>} refused: reasons, one a fault
 */
export async function find (libp2p, directory, { latitude, longitude, radiusM }, need, now) {
  const cells = cover(latitude, longitude, radiusM)
  const leaves = new Map(cells.map((cell) => [hex(leafKey(directory.network, region(cell))), region(cell)]))
  const newest = new Newest()
  const [asked, refused] = [new Set(), []]
  for (const leaf of leaves.values()) {
    const inLeaf = cells.filter((cell) => region(cell) === leaf)
    for (const peer of await caretakersOf(libp2p, directory.network, leaf)) {
      asked.add(peer.id.toString())
      for (const item of await everything(libp2p, peer.id, inLeaf, need, refused)) {
        take(newest, item, directory, need, now, refused)
      }
    }
  }
  return { offers: newest.offers(), asked: [...asked], refused }
}

/** Every page that one caretaker has; a reason in `refused` where it does not answer or answers nonsense. */
async function everything (libp2p, peerId, cells, need, refused) {
  const items = []
  let after
  try {
    do {
      const query = write('listing-query', { cells, need, limit: PAGE, after })
      const page = read('listing-found', await request(libp2p, peerId, LISTING, query))
      items.push(...page.items)
      after = page.more
    } while (after !== undefined && items.length < 1024)
  } catch (error) {
    refused.push(error.code ?? error.name)
  }
  return items
}

function take (newest, item, directory, need, now, refused) {
  try {
    const offer = openOffer(item, directory.network, directory)
    requireFresh(offer, now)
    if (fits(offer.record.body, need)) newest.keep(offer)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    refused.push(error.code)
  }
}

/** The PeerId in a contact. */
export const peerOf = (contact) => peerIdFromString(contact.peer_id)
