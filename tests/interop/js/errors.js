/** The peer's fault, with a code of specs/errors.json: what it sent is dropped, and nothing else ends by it. */
export class Refused extends Error {
  /** @param {string} code @param {string} [message] */
  constructor (code, message = code) {
    super(message)
    this.name = 'Refused'
    this.code = code
  }
}

/** Throws Refused(code, message) unless `condition` holds. */
export function require_ (condition, code, message) {
  if (!condition) throw new Refused(code, message)
}

// An honest peer can send these (specs/08): its own state went on, or ours did.
const STALE = ['superseded', 'expired', 'not-renewed', 'unknown-author', 'unknown-kind', 'unexpected']

/**
 * What gossipsub does with a message that `take` takes in: 'accept', 'ignore' where it is only stale, else 'reject'.
 * @param {() => void} take
 */
export function verdict (take) {
  try {
    take()
    return 'accept'
  } catch (error) {
    if (!(error instanceof Refused)) surface(error)
    return STALE.includes(error.code) ? 'ignore' : 'reject'
  }
}

/** A mistake of ours ends the program, also where a library would swallow it. */
export function surface (error) {
  queueMicrotask(() => { throw error })
}
