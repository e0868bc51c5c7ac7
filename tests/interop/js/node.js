/**
 * The libp2p host of a chargemesh node: TCP and WebSocket, Noise, Yamux, identify, Kademlia, gossipsub.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { decode } from './cbor.js'
import { lookUpProtocol, serveLookUps } from './kademlia.js'
import { fields } from './shape.js'
import { guardedYamux } from './yamux_guard.js'

const INVITATION = 'chargemesh:join/'
const MAX_RPC_BYTES = 262_144
const MAX_OF_AN_RPC = 256 // entries of a sort
const HANDSHAKE_MS = 4000
const NEGOTIATION_MS = 5000
const MAX_HALF_OPEN = 256 // more than one impatient neighbour opens, so that others still get in
const LISTEN = { tcp: '/ip4/127.0.0.1/tcp/0', ws: '/ip4/127.0.0.1/tcp/0/ws' }

/**
 * What an invitation says (specs/09, first contact).
 * @param {string} text
 * @returns {{network: string, peers: {peer_id: string, addresses: string[]}[]}}
 */
export function readInvitation (text) {
  const link = text.replace(/\s/g, '')
  if (link.slice(0, INVITATION.length).toLowerCase() !== INVITATION) throw new TypeError('no invitation')
  const tree = decode(new Uint8Array(Buffer.from(link.slice(INVITATION.length), 'base64url')))
  if (tree.get(0) !== 1) throw new TypeError(`an invitation of format ${tree.get(0)}`)
  return { network: tree.get(1), peers: tree.get(2).map((peer) => fields('contact', peer)) }
}

/**
 * A host on the network `network`, that listens on loopback and takes part in DHT and gossip as a server.
 * @param {string} network
 * @param {'tcp' | 'ws'} transport the one that it dials and listens by
 */
export async function startHost (network, transport) {
  const libp2p = await createLibp2p({
    addresses: { listen: [LISTEN[transport]] },
    transports: [transport === 'ws' ? webSockets() : tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [guardedYamux()],
    connectionManager: {
      reconnectRetries: 0,
      inboundUpgradeTimeout: HANDSHAKE_MS,
      inboundStreamProtocolNegotiationTimeout: NEGOTIATION_MS,
      inboundConnectionThreshold: MAX_HALF_OPEN, // a second, of one address; all neighbours on loopback have one
      maxIncomingPendingConnections: MAX_HALF_OPEN
    },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: lookUpProtocol(network),
        clientMode: true, // `serveLookUps` is the server
        peerInfoMapper: passthroughMapper, // by default it forgets private addresses, and loopback is one
        initialQuerySelfInterval: 500
      }),
      gossip: gossipsub({
        maxInboundDataLength: MAX_RPC_BYTES,
        floodPublish: true,
        scoreParams: { IPColocationFactorWeight: 0 }, // on loopback all have one address
        decodeRpcLimits: {
          maxSubscriptions: MAX_OF_AN_RPC,
          maxMessages: MAX_OF_AN_RPC,
          maxControlMessages: MAX_OF_AN_RPC,
          maxIhaveMessageIDs: MAX_OF_AN_RPC,
          maxIwantMessageIDs: MAX_OF_AN_RPC,
          maxIdontwantMessageIDs: MAX_OF_AN_RPC,
          maxPeerInfos: 0 // peer exchange in PRUNE is ignored
        }
      })
    }
  })
  await serveLookUps(libp2p, network)
  return libp2p
}

/** Connects to the first peer of an invitation that answers over `transport`; its contact. */
export async function join (libp2p, invitation, transport) {
  const reasons = []
  for (const contact of invitation.peers) {
    try {
      await libp2p.dial(addressesOf(contact, transport))
      return contact
    } catch (error) {
      reasons.push(error.message)
    }
  }
  throw new Error(`no peer of the invitation answers over ${transport}: ${reasons.join('; ')}`)
}

/** The multiaddrs of a contact for one transport, with the PeerId that must prove itself there. */
function addressesOf (contact, transport) {
  return contact.addresses
    .filter((text) => text.endsWith('/ws') === (transport === 'ws'))
    .map((text) => multiaddr(`${text}/p2p/${contact.peer_id}`))
}

/** Our own contact, as others are to reach us. */
export function contactOf (libp2p) {
  const addresses = libp2p.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
  return { peer_id: libp2p.peerId.toString(), addresses }
}
