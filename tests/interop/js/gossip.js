/** The topics that a node follows (specs/09, N17 to N19): what is heard is judged before it is passed on. */
import { Refused, require_, surface } from './errors.js'

const MAX_DATA_BYTES = 65_536
const MAX_FAULTS = 20 // close together
const CLOSE_MS = 10_000
const MUTE_MS = 30_000
const MAX_NEIGHBOURS = 1024

// An honest neighbour can send these (specs/08, K7): its own state went on, or ours did, or there is no room.
const STALE = [
  'superseded', 'expired', 'not-renewed', 'unknown-author', 'unknown-kind', 'author-full', 'block-full', 'cell-full',
  'too-often', 'logs-full', 'new-logs'
]

export class Topics {
  /** @param {() => number} clock unix ms */
  constructor (libp2p, clock) {
    this.gossip = libp2p.services.gossip
    this.clock = clock
    this.faults = new Map() // neighbour -> instants of what they brought and was wrong
    this.mutedUntil = new Map()
  }

  /** Follows a topic; what `take(data, neighbour)` refuses is not passed on. */
  follow (topic, take) {
    if (this.gossip.topicValidators.has(topic)) return
    const judge = (peer, { data }) => this.judge(peer.toString(), () => take(data, peer), data)
    this.gossip.topicValidators.set(topic, judge)
    this.gossip.subscribe(topic)
  }

  leave (topic) {
    this.gossip.unsubscribe(topic)
    this.gossip.topicValidators.delete(topic)
  }

  /** What gossipsub does with a message: 'accept', 'ignore' what is nobody's fault, or 'reject'. */
  judge (neighbour, take, data) {
    if (this.clock() < this.mutedUntil.get(neighbour)) return 'ignore'
    try {
      require_(data.length <= MAX_DATA_BYTES, 'too-large')
      take()
      return 'accept'
    } catch (error) {
      if (!(error instanceof Refused)) surface(error)
      if (STALE.includes(error.code)) return 'ignore'
      this.count(neighbour)
      return 'reject'
    }
  }

  /** One more fault; who has too many is not listened to for a while. */
  count (neighbour) {
    const now = this.clock()
    const recent = (this.faults.get(neighbour) ?? []).filter((at) => now - at < CLOSE_MS)
    this.faults.set(neighbour, [...recent, now])
    if (recent.length + 1 >= MAX_FAULTS) this.mutedUntil.set(neighbour, now + MUTE_MS)
    for (const map of [this.faults, this.mutedUntil]) {
      if (map.size > MAX_NEIGHBOURS) map.delete(map.keys().next().value)
    }
  }
}
