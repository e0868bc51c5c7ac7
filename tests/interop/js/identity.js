/** Identities (specs/03): genesis, delegations, bundles, and who may sign what. */
import { hex, same } from './bytes.js'
import { decode, encode } from './cbor.js'
import { Refused, require_ } from './errors.js'
import { scopeOf } from './kinds.js'
import { keyPair, open, sign } from './record.js'

const MAX_BUNDLE_BYTES = 16_384
const MAX_CARRIED_BYTES = 4096
const MAX_DELEGATIONS = 8
const SCOPES = ['list', 'book', 'log']

/**
 * Somebody new: a root key, a recovery key that is not kept, and one device that may sign everything.
 * @param {string} network @param {number} now unix ms
 * @returns {Identity}
 */
export function createIdentity (network, now, days = 90) {
  const root = keyPair()
  const device = keyPair()
  const genesis = sign('genesis', { issued: now, root: root.publicKey, recovery: [keyPair().publicKey] }, root, network)
  const delegation = sign('delegation', {
    author: genesis.id,
    issued: now,
    device: device.publicKey,
    scopes: SCOPES,
    expires: now + days * 86_400_000,
    sequence: 1,
    previous: genesis.id
  }, root, network)
  return new Identity(network, genesis.id, device, encode([genesis.raw, delegation.raw]))
}

/** Our own identity: signs with its device key. */
export class Identity {
  constructor (network, author, device, bundle) {
    Object.assign(this, { network, author, device, bundle })
  }

  /** A record of ours; author is filled in. */
  sign (kind, values) {
    return sign(kind, { author: this.author, ...values }, this.device, this.network)
  }
}

/**
 * A verified bundle; Refused `bundle` and the reasons of records.
 * @returns {{author: Uint8Array, delegations: import('./record.js').Record_[], raw: Uint8Array}}
 */
export function openBundle (raw, network) {
  const parts = decode(raw, MAX_BUNDLE_BYTES)
  const shaped = Array.isArray(parts) && parts.length >= 1 && parts.every((part) => part instanceof Uint8Array)
  require_(shaped && parts.length <= 1 + MAX_DELEGATIONS, 'bundle', 'a genesis and up to 8 delegations')
  const genesis = open(parts[0], network, ['genesis'])
  const ranked = [genesis.body.root, ...genesis.body.recovery]
  require_(same(genesis.kid, genesis.body.root), 'bundle', 'a genesis that its root did not sign')
  const delegations = parts.slice(1).map((part) => open(part, network, ['delegation']))
  for (const { body, kid } of delegations) {
    require_(same(body.author, genesis.id), 'bundle', 'a delegation of another author')
    require_(ranked.some((key) => same(key, kid)), 'bundle', 'a delegation by a key that the genesis does not name')
  }
  return { author: genesis.id, genesis, delegations, raw }
}

/** Leaves off what no message could carry on (I9). */
function keepWhatFits (bundle) {
  const rawOf = (delegations) => encode([bundle.genesis.raw, ...delegations.map((one) => one.raw)])
  const fits = (delegations) => delegations.length <= MAX_DELEGATIONS && rawOf(delegations).length <= MAX_CARRIED_BYTES
  require_(fits([]), 'too-large', 'a genesis that no message carries')
  const latest = [...bundle.delegations].sort(latestFirst)
  bundle.delegations = latest.reduce((kept, one) => fits([...kept, one]) ? [...kept, one] : kept, [])
  bundle.raw = rawOf(bundle.delegations)
}

const latestFirst = (a, b) => b.body.expires - a.body.expires || Buffer.compare(a.id, b.id)

/** Everybody whose bundle we know. */
export class Directory {
  constructor (network) {
    this.network = network
    this.bundles = new Map()
  }

  /** Takes a bundle in; the verified one. */
  learn (raw) {
    const bundle = openBundle(raw, this.network)
    const before = this.bundles.get(hex(bundle.author))
    if (before) {
      const ids = new Set(bundle.delegations.map((one) => hex(one.id)))
      bundle.delegations.push(...before.delegations.filter((one) => !ids.has(hex(one.id))))
    }
    keepWhatFits(bundle)
    this.bundles.set(hex(bundle.author), bundle)
    return bundle
  }

  /**
   * Refused unless the record's kid may sign this kind for `author` in a part of [from, to) (unix ms); with the
   * `author` whose bundle is missing, or too old.
   */
  authorise (record, author, from = record.body.issued, to = from + 1) {
    const bundle = this.bundles.get(hex(author))
    if (!bundle) throw Object.assign(new Refused('unknown-author', hex(author)), { author })
    const covers = ({ body }) => same(body.device, record.kid) && body.scopes.includes(scopeOf(record.kind)) &&
      body.issued < to && from < body.expires
    if (!bundle.delegations.some(covers)) {
      throw Object.assign(new Refused('not-delegated', `${record.kind} by ${hex(record.kid)}`), { author })
    }
  }
}
