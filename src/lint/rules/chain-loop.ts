/** Chains that lead back to themselves. */

import { adoptingRule } from '../adopt.ts'

export const chainLoop = adoptingRule(
  { id: 'chain-loop', severity: 'error', what: 'chains lead back to themselves', why: 'the kernel refuses every loop, even one that no packet could run through: the whole table is not loaded' },
  ({ code }) => code === 'chain-loop',
)
