/** Rules of FORWARD and DOCKER-USER for a published port, which DNAT has made the container's port by then. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { predicateOf } from '../../extensions/meaning-of.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Chain, Rule } from '../../ir/ruleset.ts'
import { ADDRESS_TYPE } from '../../meaning/fields.ts'
import { all } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import { writeAddress } from '../../net/address.ts'
import type { Address } from '../../net/address.ts'
import { fateAt } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, holds, narrowed, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { natOf, optionOf } from '../rule-facts.ts'
import { portsOf, translatedPorts } from '../translated-ports.ts'
import type { Translated } from '../translated-ports.ts'
import { newFromWorld, packetOf } from '../world.ts'

export const publishedPortInForward: LintRule = {
  id: 'published-port-in-forward',
  severity: 'warning',
  what: 'the rule asks for a published port where packets have the port behind it',
  why: 'DNAT is done in PREROUTING: in FORWARD, and so in DOCKER-USER, packets have the address and the port behind it already',
  help: 'ask for the port that packets had at first (`-m conntrack --ctorigdstport PORT` in place of `--dport PORT`), or for the address and port behind it',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset, family, chains } = inputs
    const { byPort, byTarget, classesOf } = publishedPorts(inputs)
    if (byPort.size === 0) return
    eachRule(ruleset, (rule, _number, chain, table) => {
      if (table.name !== 'filter') return
      const ports = portsOf(rule)
      const candidates = ports.flatMap(key => byPort.get(key) ?? [])
      if (candidates.length === 0 || !chains.hooksOf(chain).includes('FORWARD')) return
      const predicate = all(rule.matches.map(use => predicateOf(use, family)))
      const isMet = (one: Published): boolean => mayMatch(predicate, classesOf(one)?.after)
      const missed = candidates.find(one => !isMet(one) && mayMatch(predicate, classesOf(one)?.before))
      const packets = missed && classesOf(missed)?.packets
      if (!missed || !packets) return
      const met = ports.flatMap(key => byTarget.get(key) ?? []).find(isMet)
      if (met && namesDestination(rule)) return
      report({
        span: rule.span, severity: met || !isSure(rule, chain) ? 'note' : 'warning',
        message: `this rule does not see the packets of published port ${missed.port}: they have port ${missed.to} by then`,
        help: `ask for the port that they had at first, \`-m conntrack --ctorigdstport ${missed.port}\`, or for what is behind it, \`-d ${writeAddress(missed.address)} -p ${missed.protocol} --dport ${missed.to}\``,
        related: [{ span: missed.dnat.span, message: `line ${lineOf(missed.dnat.span)} makes it port ${missed.to}` }, ...(met ? [{ span: met.dnat.span, message: `what it may match is what line ${lineOf(met.dnat.span)} publishes as port ${met.port}` }] : [])],
        witness: { packet: packetOf(packets), path: [{ span: missed.dnat.span, message: `it gets port ${missed.to}` }] },
      })
    })
  },
}

/** A port that gets another number, and the only address behind it. */
interface Published extends Translated {
  readonly address: Address
  readonly to: number
}

/** Packets from the world to a published port: as they come, as FORWARD sees them, and as it would if they kept their port. */
interface Classes {
  readonly packets: PacketClass
  readonly after: PacketClass
  readonly before: PacketClass
}

/** Returns what is published, by the port and by the port behind it; the packets are worked out where they are asked for. */
function publishedPorts(inputs: LintInputs): { readonly byPort: ReadonlyMap<string, readonly Published[]>; readonly byTarget: ReadonlyMap<string, readonly Published[]>; readonly classesOf: (one: Published) => Classes | undefined } {
  const found = [...translatedPorts(inputs).values()].flat().flatMap(one => publishedBy(one, inputs) ?? [])
  const known = new Map<Published, Classes | undefined>()
  const classesOf = (one: Published): Classes | undefined => {
    if (!known.has(one)) known.set(one, classesIn(one, inputs))
    return known.get(one)
  }
  return { byPort: grouped(found, one => one.port), byTarget: grouped(found, one => one.to), classesOf }
}

/** Undefined where the port stays, or is one of many. */
function publishedBy(one: Translated, { family }: LintInputs): Published | undefined {
  const { addresses, ports } = natOf(one.dnat, family) ?? {}
  const range = addresses?.kind === 'ranges' ? addresses.ranges[0] : undefined
  const isOne = ports !== undefined && range !== undefined && ports.low === ports.high && ports.base === undefined && range.low === range.high
  return isOne && ports.low !== one.port ? { ...one, address: range.low, to: ports.low } : undefined
}

function grouped(found: readonly Published[], portOf: (one: Published) => number): ReadonlyMap<string, readonly Published[]> {
  const groups = new Map<string, Published[]>()
  for (const one of found) {
    const key = `${one.protocol} ${portOf(one)}`
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups
}

/** Undefined where no packet from the world is translated so. */
function classesIn(one: Published, { ruleset, family, world }: LintInputs): Classes | undefined {
  const packets = narrowed(newFromWorld(world, family, one), one.dnat.matches.map(use => predicateOf(use, family)))
  const { endings } = fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle', 'nat'] }, packets)
  if (!endings.some(({ by }) => by.kind === 'rule' && by.rule === one.dnat)) return undefined
  const before = withFields(packets, { 'ip.dst': exactly(one.address), 'addressType.dst': exactly(ADDRESS_TYPE.UNICAST) }, { 'device.out': world.hintsAt(one.address)[0]?.device ?? { not: ['', 'lo'] } })
  return { packets, before, after: withFields(before, { 'l4.dport': exactly(one.to) }) }
}

/** In DOCKER-USER all is about containers; elsewhere a rule without a destination may be about other hosts. */
function isSure(rule: Rule, chain: Chain): boolean {
  return chain.name === 'DOCKER-USER' || namesDestination(rule)
}

function namesDestination(rule: Rule): boolean {
  return optionOf(rule, 'ip', 'destination')?.inverted === false
}

function mayMatch(predicate: Predicate, packets: PacketClass | undefined): boolean {
  return packets !== undefined && holds(predicate, packets) !== false
}
