/** Chains that no hook reaches. */

import { adoptingRule } from '../adopt.ts'

export const unusedChain = adoptingRule(
  {
    id: 'unused-chain', severity: 'warning', what: 'no built-in chain leads to the chain', why: 'no packet meets its rules: what they were to allow or forbid is not done',
    help: 'jump to it, or remove it',
  },
  ({ code }) => code === 'unused-chain',
)
