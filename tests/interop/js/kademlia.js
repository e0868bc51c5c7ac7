/**
 * The answering side of look-ups (specs/09, N12 to N15). Asking is left to kad-dht as a client: as a server that
 * would also keep values and providers for whoever wants it to.
 */
import { same, sha256 } from './bytes.js'
import { converse } from './frames.js'
import { decodeFields, encodeFields } from './protobuf.js'

const [FIND_NODE, PING] = [4, 5]
const [TYPE, KEY, CLOSER_PEERS] = [1, 2, 8] // of a message
const [ID, ADDRESS, CONNECTION] = [1, 2, 3] // of a peer in it
const CONNECTED = 1
const MAX_REQUEST_BYTES = 1024
const MAX_PEERS = 20
const MAX_ADDRESSES = 4
const P2P = 421 // the code of /p2p/ in a multiaddr

/** Kademlia's protocol on a network. */
export const lookUpProtocol = (network) => `/chargemesh/${network}/kad/1.0.0`

/** Answers FIND_NODE and PING; at anything else the stream is reset. */
export async function serveLookUps (libp2p, network) {
  const protocol = lookUpProtocol(network)
  await libp2p.handle(protocol, (stream, { remotePeer }) =>
    converse(stream, (body) => answer(libp2p, protocol, remotePeer, decodeFields(body)), MAX_REQUEST_BYTES))
}

async function answer (libp2p, protocol, asker, request) {
  const [type, key] = [request.get(TYPE), request.get(KEY)]
  if (type === PING) return encodeFields([[TYPE, PING]])
  const right = type === FIND_NODE && key instanceof Uint8Array && key.length >= 2 && key.length <= 64
  if (!right) throw new RangeError('neither FIND_NODE nor PING')
  const peers = (await known(libp2p, protocol)).filter((peer) => !peer.id.equals(asker))
  const near = nearest(key, peers, same(key, bytesOf(libp2p.peerId)) ? [ourselves(libp2p)] : [])
  return encodeFields([[TYPE, FIND_NODE], ...near.map((peer) => [CLOSER_PEERS, peerField(peer)])])
}

/** The peers that are connected and answer look-ups themselves. */
async function known (libp2p, protocol) {
  const peers = await libp2p.peerStore.all({ filters: [({ protocols }) => protocols.includes(protocol)] })
  return peers.filter(({ id }) => libp2p.getConnections(id).length > 0)
    .map(({ id, addresses }) => ({ id, addresses: addresses.map((one) => one.multiaddr.bytes) }))
}

const ourselves = (libp2p) => ({
  id: libp2p.peerId,
  addresses: libp2p.getMultiaddrs().map((one) => one.decapsulateCode(P2P).bytes)
})

/** Those nearest to the key by N14, nearest first. */
function nearest (key, peers, self) {
  const place = sha256(key)
  const far = ({ id }) => sha256(bytesOf(id)).map((byte, at) => byte ^ place[at])
  const all = [...self, ...peers].map((peer) => ({ ...peer, far: far(peer) }))
  return all.sort((one, other) => Buffer.compare(one.far, other.far)).slice(0, MAX_PEERS)
}

const peerField = ({ id, addresses }) => encodeFields([
  [ID, bytesOf(id)],
  ...addresses.slice(0, MAX_ADDRESSES).map((one) => [ADDRESS, one]),
  [CONNECTION, CONNECTED]
])

const bytesOf = (peerId) => peerId.toMultihash().bytes
