/**
 * The libp2p host of a chargemesh node: TCP and WebSocket, Noise, Yamux, identify, Kademlia, gossipsub.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { decode } from './cbor.js'
import { fields } from './shape.js'

const INVITATION = 'chargemesh:join/'
const MAX_GOSSIP_BYTES = 65_536
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
  return createLibp2p({
    addresses: { listen: [LISTEN[transport]] },
    transports: [transport === 'ws' ? webSockets() : tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { reconnectRetries: 0 },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: `/chargemesh/${network}/kad/1.0.0`,
        clientMode: false,
        peerInfoMapper: passthroughMapper, // by default it forgets private addresses, and loopback is one
        initialQuerySelfInterval: 500
      }),
      gossip: gossipsub({ maxInboundDataLength: 2 * MAX_GOSSIP_BYTES, floodPublish: true })
    }
  })
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
