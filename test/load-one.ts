/** One rule through our reader, checker and writer: what the real load would make of it. */

import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import type { Backend } from '../src/ir/hooks.ts'
import type { Family } from '../src/net/address.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'

/** A rule and where it stands; a chain that is not built in is declared first. */
export interface OneRule {
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly words: string
  readonly backend: Backend
}

/** Returns the rules that the save shows, without `-A CHAIN` and with ` | ` between them; where it is refused, why. */
export function loadOne({ family, table, chain, words, backend }: OneRule): { readonly saved: string | undefined; readonly why: string } {
  const declared = /^(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/.test(chain) ? '' : `:${chain} - [0:0]\n`
  const { value, diagnostics } = readRuleset([{ path: 'rules', text: `*${table}\n${declared}-A ${chain} ${words}\nCOMMIT\n` }], { family, backend, counters: false })
  const refusal = [...diagnostics, ...checkRuleset(value, { backend })].find(found => found.severity === 'error' && (found.backend ?? backend) === backend)
  if (refusal) return { saved: undefined, why: refusal.message }
  const lines = writeRuleset(value, { backend }).split('\n').filter(line => line.startsWith('-A '))
  return { saved: lines.map(line => line.replace(/^-A \S+ ?/, '')).join(' | '), why: '' }
}
