/**
 * A node that stays up for others: it keeps listings and logs, answers every stream, and passes gossip on.
 *
 *     node neighbour.js NETWORK [--transport ws]
 *
 * It tells its multiaddr as a line of JSON on stdout, and ends when its stdin does.
 */
import { parseArgs } from 'node:util'
import { Peer } from './peer.js'

const { values: { transport }, positionals: [network] } = parseArgs({
  allowPositionals: true,
  options: { transport: { type: 'string', default: 'tcp' } }
})

const { libp2p } = await Peer.start(network, transport)
const [address] = libp2p.getMultiaddrs()
process.stdout.write(`${JSON.stringify({ event: 'up', address: address.toString() })}\n`)
for await (const _ of process.stdin);
await libp2p.stop()
process.exit(0)
