/** Chains that no hook reaches. */

import { textOf } from '../../diagnostics/source-file.ts'
import { adoptingRule } from '../adopt.ts'
import { fillsAtRunTime } from '../run-time-chains.ts'

export const unusedChain = adoptingRule(
  {
    id: 'unused-chain', severity: 'warning', what: 'no built-in chain leads to the chain', why: 'no packet meets its rules: what they were to allow or forbid is not done',
    help: 'jump to it from where its packets pass, or remove it with its rules',
  },
  ({ code }) => code === 'unused-chain',
  // Programs keep chains ready for what may come.
  ({ span }) => (fillsAtRunTime(textOf(span).replace(/^:|^.*(?:-N|--new-chain)\s+/, '').split(/\s/)[0] ?? '') ? 'note' : 'warning'),
)
