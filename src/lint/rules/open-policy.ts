/** INPUT and FORWARD chains that accept some connections by rules, and all others too. */

import { CT_STATE } from '../../meaning/fields.ts'
import type { Chain, Rule } from '../../ir/ruleset.ts'
import { atInput, deciderOf, fateInChain, isCertain, placeOfDecider } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { matchesAll, statesOf, targetNamed } from '../rule-facts.ts'
import { newFromWorld, onUnnamedDevice, packetOf } from '../world.ts'

/** A port that rules do not name. */
const PORT = 59999

export const openPolicy: LintRule = {
  id: 'open-policy',
  severity: 'warning',
  what: 'what no rule accepts is accepted all the same',
  why: 'the rules of the chain choose what may come in, and its end lets everything else in too',
  help: 'end the chain with a drop, or set its policy to DROP',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset, family, world } = inputs
    for (const table of ruleset.tables) {
      if (table.name !== 'filter') continue
      for (const chain of table.chains) {
        if ((chain.hook !== 'INPUT' && chain.hook !== 'FORWARD') || !choosing(chain, inputs)) continue
        const made = newFromWorld(world, family, { protocol: 'tcp', port: PORT }, chain.hook === 'INPUT' ? 'host' : 'beyond')
        const packets = chain.hook === 'INPUT' ? atInput(ruleset, made) : made
        if (!packets) continue
        const fate = fateInChain(ruleset, chain, packets)
        const by = deciderOf(fate)
        const span = by && placeOfDecider(by)
        if (!span || !isCertain(fate, 'accept') || !by || (by.kind === 'rule' && !isCatchAll(by.rule, family))) continue
        report({
          span,
          message: by.kind === 'policy' ? `${chain.name} accepts by its policy what no rule accepts` : `${chain.name} accepts here what no rule above does`,
          witness: { packet: packetOf(fate.endings.length > 1 ? onUnnamedDevice(packets, world) : packets), path: [{ span, message: by.kind === 'policy' ? 'the chain policy accepts it' : 'this rule accepts it' }] },
        })
      }
    }
  },
}

/** The end of a chain: a rule for every packet, or for every new connection. */
function isCatchAll(rule: Rule, family: LintInputs['family']): boolean {
  const states = statesOf(rule)
  return matchesAll(rule, family) || (states !== undefined && rule.matches.every(({ name, infos }) => name === 'comment' || ((name === 'state' || name === 'conntrack') && Object.keys(infos).length === 1)))
}

/** A rule of the chain itself that accepts some new connections: who only forbids (a list of senders, say) means the rest to pass. */
function choosing(chain: Chain, { family }: LintInputs): boolean {
  return chain.rules.some(rule => {
    const states = statesOf(rule)
    return targetNamed(rule, ['ACCEPT']) && !matchesAll(rule, family) && rule.matches.some(use => use.infos['dport'] || use.infos['dports']) && (states === undefined || (states & CT_STATE.NEW) !== 0)
  })
}
