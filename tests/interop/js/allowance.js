/** How much one address block may ask for (specs/07, D6): so many at once, and so many a second after that. */

const MAX_BLOCKS = 4096

export class Allowance {
  /** @param {number} burst @param {number} perSecond @param {() => number} clock unix ms */
  constructor (burst, perSecond, clock) {
    Object.assign(this, { burst, perSecond, clock })
    this.spent = new Map() // block -> {amount, at}
  }

  /** Whether `block` may have one more, which is counted then. */
  spend (block) {
    const at = this.clock()
    const before = this.spent.get(block) ?? { amount: 0, at }
    const amount = Math.max(0, before.amount - (at - before.at) / 1000 * this.perSecond) + 1
    if (amount > this.burst) return false
    this.spent.delete(block)
    this.spent.set(block, { amount, at }) // the one that asked last stands last
    if (this.spent.size > MAX_BLOCKS) this.spent.delete(this.spent.keys().next().value)
    return true
  }
}

/** Who counts as one: the /24 or /48 of a connected peer; on loopback, where an address tells nothing, each peer. */
export function blockOf ({ remoteAddr, remotePeer }) {
  const [, family, host] = remoteAddr.toString().split('/')
  if (family === 'ip4' && !host.startsWith('127.')) return host.split('.').slice(0, 3).join('.')
  const groups = host.split(':')
  if (family === 'ip6' && host !== '::1' && !/^fe[89ab]/.test(host)) return groups.slice(0, 3).join(':')
  return remotePeer.toString()
}
