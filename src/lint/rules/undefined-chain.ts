/** Jumps to what is neither a chain nor a target. */

import { adoptingRule } from '../adopt.ts'

export const undefinedChain = adoptingRule(
  { id: 'undefined-chain', severity: 'error', what: 'the rule leads to a chain that does not exist', why: 'loading refuses the whole table, so the rules that were loaded before stay in force or none are' },
  ({ code }) => code === 'unknown-chain' || code === 'unknown-target',
)
