/** Services on 127.0.0.1 that `route_localnet` opens to the network. */

import { readAddress } from '../../net/address.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Span } from '../../diagnostics/source-file.ts'
import { fateAt, isCertain } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, withFields } from '../packet-class.ts'
import { natOf } from '../rule-facts.ts'
import { newFromWorld, packetOf } from '../world.ts'

export const routeLocalnetExposed: LintRule = {
  id: 'route-localnet-exposed',
  severity: 'warning',
  what: 'packets from the network to 127.0.0.1 are accepted',
  why: '`route_localnet` turns off the check that drops them: services that listen on 127.0.0.1 only are open to neighbours',
  help: 'drop them first: `-t raw -A PREROUTING ! -i lo -d 127.0.0.0/8 -j DROP`, with an exception for what is translated there on purpose',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset, family, world } = inputs
    const cause = family === 'ipv4' ? causeOf(inputs) : undefined
    if (!cause) return
    const packets = withFields(newFromWorld(world, family, { protocol: 'tcp', port: 59999 }), { 'ip.dst': exactly(readAddress('127.0.0.1') ?? 0) })
    const arriving = fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle', 'nat'] }, packets)
    const fate = fateAt({ ruleset, hook: 'INPUT', tables: ['mangle', 'filter'] }, packets)
    if (!isCertain(arriving, 'accept') || !isCertain(fate, 'accept')) return
    report({ span: cause.span, related: [], why: cause.why, witness: { packet: packetOf(packets), path: [] } })
  },
}

/** Why `route_localnet` is on: the topology says so, or a rule that works with nothing else. */
function causeOf({ ruleset, family, chains, topology }: LintInputs): { readonly span: Span; readonly why: string } | undefined {
  const sysctls = topology?.namespaces[0]?.sysctls ?? {}
  const set = Object.entries(sysctls).find(([name, value]) => name.endsWith('.route_localnet') && value.trim() !== '0')
  const input = ruleset.tables.find(({ name }) => name === 'filter')?.chainByName.get('INPUT')
  if (set && input?.span) return { span: input.span, why: `\`${set[0]}\` is ${set[1].trim()}: services that listen on 127.0.0.1 only are open to neighbours` }
  let span: Span | undefined
  eachRule(ruleset, (rule, _number, chain) => {
    const nat = natOf(rule, family)
    const low = nat?.side === 'destination' && nat.addresses.kind === 'ranges' ? nat.addresses.ranges[0]?.low : undefined
    if (!span && typeof low === 'number' && low >>> 24 === 127 && chains.hooksOf(chain).includes('PREROUTING')) span = rule.span
  })
  return span && { span, why: 'this rule works only with `route_localnet`, which turns off the check that drops packets from the network to 127.0.0.1: services that listen there are open to neighbours' }
}
