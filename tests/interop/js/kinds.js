/** The kinds of records (specs/02 to 06), whose they are, and the scope that a delegation needs for each. */

export const HOST_KINDS = [
  'accept', 'decline', 'access', 'acknowledge', 'ticket', 'receipt', 'paid', 'host-cancel', 'no-show',
  'offer', 'amend', 'refuse', 'fault'
]
export const DRIVER_KINDS = ['cancel', 'authorisation', 'stop', 'countersign', 'agreement', 'claim', 'problem', 'change']
/** Kinds that carry a whole quote in their field `quote` (specs/05, B25). */
export const CARRIERS = ['change', 'offer']
export const STATEMENT_KINDS = ['completion-statement', 'review-commitment']
export const ENTRY_KINDS = ['completion', 'review', 'vouch']

const SCOPES = {
  list: ['listing', 'renewal', 'withdrawal', 'quote'],
  book: ['request', ...DRIVER_KINDS, ...HOST_KINDS, 'access-record'],
  log: [...STATEMENT_KINDS, ...ENTRY_KINDS]
}
const KINDS = new Set(['genesis', 'delegation', 'deposit', ...Object.values(SCOPES).flat()])

/** Whether the kind is one of this protocol. */
export const isKnown = (kind) => KINDS.has(kind)

/** The scope that signing this kind takes; kinds of others can only be entries of logs. */
export const scopeOf = (kind) => Object.keys(SCOPES).find((scope) => SCOPES[scope].includes(kind)) ?? 'log'
