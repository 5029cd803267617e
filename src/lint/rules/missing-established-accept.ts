/** Connections that are accepted, and whose answers are dropped: for every one of these answers, on this path. */

import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { Hook } from '../../ir/hooks.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { leaving, passing, repliesIn, shown } from '../answers.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { Fate } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { optionOf, targetNamed } from '../rule-facts.ts'
import { newFromWorld } from '../world.ts'

export const missingEstablishedAccept: LintRule = {
  id: 'missing-established-accept',
  severity: 'warning',
  what: 'a connection is accepted and its answers are dropped',
  why: 'the answers go the other way through the host and meet no rule that accepts them: no connection of the kind ever comes about',
  help: 'accept `-m conntrack --ctstate RELATED,ESTABLISHED` on the way back',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset } = inputs
    const said = new Set<Hook>()
    for (const { rule, hook, packets } of accepted(inputs)) {
      const back = hook === 'INPUT' ? 'OUTPUT' : hook === 'OUTPUT' ? 'INPUT' : 'FORWARD'
      if (said.has(back)) continue
      const there = fateAt({ ruleset, hook, tables: ['filter'] }, packets)
      if (!isCertain(there, 'accept') || (rule && !there.endings.every(({ by }) => by.kind === 'rule' && by.rule === rule))) continue
      const replies = repliesIn(back, packets)
      const fateOf = (reply: PacketClass): Fate => fateAt({ ruleset, hook: back, tables: ['filter'] }, reply)
      if (!replies.every(reply => isCertain(fateOf(reply), 'drop'))) continue
      const by = replies[0] && deciderOf(fateOf(replies[0]))
      // A chain without rules is to drop all.
      if (!by || by.chain.rules.length === 0) continue
      said.add(back)
      const place = placeOfDecider(by)
      const where = place ? [{ span: place, message: by.kind === 'rule' ? `this rule drops the answers in ${back}` : `the policy of ${back} drops the answers` }] : []
      const found = { related: where, help: `accept \`-m conntrack --ctstate RELATED,ESTABLISHED\` in ${back}`, witness: { packet: shown(packets), path: [...(rule ? [{ span: rule.span, message: 'it is accepted' }] : []), ...where] } }
      if (rule) report({ span: rule.span, ...found })
      else if (place) report({ span: place, ...found, related: [], message: 'answers to what this host begins are dropped', why: 'OUTPUT lets its connections out, and INPUT takes no answer: names are not found, and nothing can be fetched' })
    }
  },
}

/** New connections that a rule accepts, with the hook where it does. The last, which no rule need name, is one that this host begins. */
function* accepted({ ruleset, family, chains, world }: LintInputs): Generator<{ readonly rule?: Rule; readonly hook: Hook; readonly packets: PacketClass }> {
  const rules: { readonly rule: Rule; readonly hooks: readonly Hook[] }[] = []
  eachRule(ruleset, (rule, _number, chain, table) => {
    if (table.name === 'filter' && targetNamed(rule, ['ACCEPT'])) rules.push({ rule, hooks: chains.hooksOf(chain) })
  })
  for (const { rule, hooks } of rules.slice(0, Math.max(FEWEST, Math.min(MOST, MOST_STEPS / ruleset.ruleCount)))) {
    const [service, device] = [serviceOf(rule), deviceOf(rule, 'in-interface')]
    for (const hook of hooks) {
      if (hook === 'INPUT' && service) yield { rule, hook, packets: withFields(newFromWorld(world, family, service), {}, device === undefined ? {} : { 'device.in': device }) }
      if (hook === 'OUTPUT' && service) yield { rule, hook, packets: leaving(newFromWorld(world, family, service, 'beyond')) }
      if (hook === 'FORWARD' && mayPass(rule)) yield { rule, hook, packets: passing(rule, family) }
    }
  }
  // A host that serves nobody may be shut off.
  if (rules.some(({ rule, hooks }) => hooks.includes('INPUT') && serviceOf(rule) && !isOfLoopback(rule))) yield { hook: 'OUTPUT', packets: leaving(newFromWorld(world, family, HTTPS, 'beyond')) }
}

/** So many rules are asked, of large rulesets fewer: a ruleset that lacks the answers lacks them from the start. */
const MOST = 200
const FEWEST = 5

/** Each question may look at every rule. */
const MOST_STEPS = 500_000

const HTTPS = { protocol: 'tcp', port: 443 } as const

/** The first port of the service that a rule names. */
function serviceOf(rule: Rule): { readonly protocol: 'tcp' | 'udp'; readonly port: number } | undefined {
  const number = optionOf(rule, 'ip', 'protocol')
  const protocol = number?.value === PROTOCOL.tcp ? 'tcp' : number?.value === PROTOCOL.udp ? 'udp' : undefined
  const ports = protocol && (optionOf(rule, protocol, 'dport') ?? optionOf(rule, 'multiport', 'dports'))
  if (!protocol || !ports || ports.inverted || number?.inverted) return undefined
  const [first] = [ports.value].flat() as readonly NumberRange[]
  return first && { protocol, port: first.low }
}

/** UDP may go one way and be whole: logs and measurements do. */
function mayPass(rule: Rule): boolean {
  const protocol = optionOf(rule, 'ip', 'protocol')
  return (protocol === undefined || (protocol.value === PROTOCOL.tcp && !protocol.inverted)) && !isOfLoopback(rule)
}

function isOfLoopback(rule: Rule): boolean {
  return deviceOf(rule, 'in-interface') === 'lo' || deviceOf(rule, 'out-interface') === 'lo'
}

function deviceOf(rule: Rule, option: 'in-interface' | 'out-interface'): string | undefined {
  const use = optionOf(rule, 'ip', option)
  const pattern = use?.value as { readonly name: string; readonly prefix: boolean } | undefined
  return use && pattern && !use.inverted && !pattern.prefix ? pattern.name : undefined
}
