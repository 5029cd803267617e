/** Packets that are not tracked and meet rules that ask for the state of a connection. */

import { predicateOf } from '../../extensions/meaning-of.ts'
import { CT_STATE } from '../../meaning/fields.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { effectsOf } from '../../extensions/meaning-of.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { Decider } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, keyOfClass, narrowed, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'

type FilterHook = 'INPUT' | 'FORWARD' | 'OUTPUT'

export const notrackWithStateRules: LintRule = {
  id: 'notrack-with-state-rules',
  severity: 'warning',
  what: 'packets that are not tracked are dropped',
  why: 'a packet that is not tracked is neither NEW nor ESTABLISHED: rules that ask for a state let it fall through to the drop',
  help: 'accept them in table filter by address and port, or with `--ctstate UNTRACKED`',
  needs: ['whole', 'chains'],
  check(inputs, report) {
    const { ruleset, family, chains } = inputs
    const droppers = new Map<string, Decider | undefined>()
    for (const table of ruleset.tables) {
      if (table.name !== 'raw') continue
      for (const chain of table.chains) {
        for (const rule of chain.rules) {
          if (!rule.target || !effectsOf(rule.target, family).some(effect => effect.kind === 'untrack')) continue
          const hooks = chains.hooksOf(chain)
          const fates = hooks.includes('PREROUTING') ? (['INPUT', 'FORWARD'] as const) : hooks.includes('OUTPUT') ? (['OUTPUT'] as const) : []
          const packets = untracked(rule, inputs)
          const key = `${fates.join(' ')} ${keyOfClass(packets)}`
          const by = droppers.has(key) ? droppers.get(key) : dropperOf(inputs, packets, fates)
          droppers.set(key, by)
          if (!by) continue
          const place = placeOfDecider(by)
          report({ span: rule.span, related: place ? [{ span: place, message: by.kind === 'rule' ? 'this rule drops them' : 'the chain policy drops them' }] : [] })
        }
      }
    }
  },
}

/** What drops all these packets that are not tracked; undefined where one may pass, or where the rules drop everything of the kind: then no state is to blame. */
function dropperOf(inputs: LintInputs, packets: PacketClass, hooks: readonly FilterHook[]): Decider | undefined {
  const ends = hooks.map(hook => fateAt({ ruleset: inputs.ruleset, hook, tables: ['filter'] }, packets))
  const [first] = ends
  return first && ends.every(fate => fate.endings.length > 0 && isCertain(fate, 'drop')) && wouldPass(inputs, packets, hooks) ? deciderOf(first) : undefined
}

/** Tells whether packets of the kind might pass if they were tracked. */
function wouldPass({ ruleset }: LintInputs, packets: PacketClass, hooks: readonly FilterHook[]): boolean {
  const { 'ct.state': _state, ...fields } = packets.fields
  return hooks.some(hook => fateAt({ ruleset, hook, tables: ['filter'] }, { ...packets, fields }).endings.some(({ verdict }) => verdict === 'accept'))
}

/** The class of all packets that a rule matches, as far as ranges tell it. */
function untracked(rule: Rule, { family }: LintInputs): PacketClass {
  const start: PacketClass = { family, fields: {}, devices: { 'device.in': { not: ['lo'] }, 'device.out': { not: ['lo'] } } }
  return withFields(narrowed(start, rule.matches.map(use => predicateOf(use, family))), { 'ct.state': exactly(CT_STATE.UNTRACKED) })
}
