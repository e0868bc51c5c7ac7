/** The peer's fault, with a code of specs/errors.json: what it sent is dropped, and nothing else ends by it. */
export class Refused extends Error {
  /** @param {string} code @param {string} [message] @param {Record<string, any>} [proof] fields of the refusal */
  constructor (code, message = code, proof = {}) {
    super(message)
    this.proof = proof
    this.name = 'Refused'
    this.code = code
  }
}

/** Throws Refused(code, message) unless `condition` holds. */
export function require_ (condition, code, message) {
  if (!condition) throw new Refused(code, message)
}

/** A mistake of ours ends the program, also where a library would swallow it. */
export function surface (error) {
  queueMicrotask(() => { throw error })
}
