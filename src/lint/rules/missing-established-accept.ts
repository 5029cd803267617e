/** Connections that are accepted, and whose answers are dropped: for every one of these answers, on this path. */

import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { Hook } from '../../ir/hooks.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { optionOf, targetNamed } from '../rule-facts.ts'
import { newFromWorld, packetOf, repliesTo } from '../world.ts'

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
      const replies = repliesTo(packets)
      const fate = fateAt({ ruleset, hook: back, tables: ['filter'] }, replies)
      const by = deciderOf(fate)
      if (!isCertain(there, 'accept') || !by || !isCertain(fate, 'drop')) continue
      said.add(back)
      const span = placeOfDecider(by)
      const where = span ? [{ span, message: by.kind === 'rule' ? `this rule drops the answers in ${back}` : `the policy of ${back} drops the answers` }] : []
      report({ span: rule.span, related: where, witness: { packet: packetOf(packets), path: [{ span: rule.span, message: 'it is accepted' }, ...where] } })
    }
  },
}

/** New connections that a rule names by port and accepts, with the hook where it does. */
function* accepted({ ruleset, family, chains, world }: LintInputs): Generator<{ readonly rule: Rule; readonly hook: Hook; readonly packets: PacketClass }> {
  const rules: { readonly rule: Rule; readonly hooks: readonly Hook[] }[] = []
  eachRule(ruleset, (rule, _number, chain, table) => {
    if (table.name === 'filter' && targetNamed(rule, ['ACCEPT']) && portOf(rule) !== undefined) rules.push({ rule, hooks: chains.hooksOf(chain) })
  })
  for (const { rule, hooks } of rules.slice(0, MOST)) {
    const service = portOf(rule)
    if (!service) continue
    for (const hook of hooks) {
      const packets = newFromWorld(world, family, service, hook === 'INPUT' ? 'host' : 'beyond')
      if (hook === 'INPUT') yield { rule, hook, packets: withFields(packets, {}, inDevice(rule)) }
      if (hook === 'OUTPUT') yield { rule, hook, packets: leaving(packets) }
    }
  }
}

/** So many rules are asked: a ruleset that lacks the answers lacks them from the start. */
const MOST = 200

function portOf(rule: Rule): { readonly protocol: 'tcp' | 'udp'; readonly port: number } | undefined {
  const number = optionOf(rule, 'ip', 'protocol')
  const protocol = number?.value === PROTOCOL.tcp ? 'tcp' : number?.value === PROTOCOL.udp ? 'udp' : undefined
  const port = protocol && optionOf(rule, protocol, 'dport')
  return protocol && port && !port.inverted && !number?.inverted ? { protocol, port: (port.value as NumberRange).low } : undefined
}

function inDevice(rule: Rule): PacketClass['devices'] {
  const use = optionOf(rule, 'ip', 'in-interface')
  const pattern = use?.value as { readonly name: string; readonly prefix: boolean } | undefined
  return use && pattern && !use.inverted && !pattern.prefix ? { 'device.in': pattern.name } : {}
}

/** What this host sends: to an address of the world, from an address of its own. */
function leaving({ family, fields, devices }: PacketClass): PacketClass {
  const { 'ip.src': far, 'addressType.src': _src, 'addressType.dst': _dst, ...others } = fields
  return { family, fields: { ...others, ...(far === undefined ? {} : { 'ip.dst': far }), 'addressType.src': { low: 4, high: 4 }, 'addressType.dst': { low: 2, high: 2 } }, devices: { 'device.in': '', ...(devices['device.in'] === undefined ? {} : { 'device.out': devices['device.in'] }) } }
}
