/**
 * The promise of the policy language: the rules do what the sentences say. Random policies are compiled, and random packets sent through the
 * rules of both families in the simulator; `policy-meaning.ts` says of each, without any rules, what the first sentence that speaks of it wants.
 * POLICIES=2000 SEED=7 for more, of another kind.
 */

import { expect, test } from 'vitest'
import { makeChance } from '../chance.ts'
import type { Chance } from '../chance.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import { readAddress, writeAddress, writePrefix } from '../../src/net/address.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { compilePolicy, startCompilation } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import { formatPolicy } from '../../src/policy/format-policy.ts'
import { outlinePolicy, resolvePolicy } from '../../src/policy/resolve.ts'
import type { ResolvedPolicy } from '../../src/policy/resolved.ts'
import { toRuleset } from '../../src/policy/to-ruleset.ts'
import { writeIpsets, writeRestore } from '../../src/policy/write-restore.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { readTopology } from '../../src/topology/load.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { meaningOf } from './policy-meaning.ts'
import type { Counts, Meant, Sent } from './policy-meaning.ts'
import { includes, isOwn, OWN } from './random-places.ts'
import { COMING, makeRandomPolicy } from './random-policies.ts'
import type { RandomPolicy } from './random-policies.ts'
import type { RandomFamily } from './random-universe.ts'

const POLICIES = Number(process.env['POLICIES'] ?? 30)
const SEED = Number(process.env['SEED'] ?? 1)
const PACKETS = 60
/** Packets that are sent one after the other. */
const LONGEST = 6

const OTHERS = [
  '198.51.100.7', '198.51.100.70', '203.0.113.9', '192.168.10.5', '192.168.10.200', '10.0.1.10', '10.0.1.20', '172.17.0.2', '100.64.9.1',
  '2001:db8:5::7', '2001:db8:ff::1', '2001:db8:a::5', '2001:db8:b::10',
] as const
const NETWORKS = [['192.168.10.0/24', 'eth1'], ['10.0.1.0/24', 'eth2'], ['172.17.0.0/16', 'docker0'], ['2001:db8:a::/64', 'eth1'], ['2001:db8:b::/64', 'eth2']] as const

const TOPOLOGY = readTopology({ path: 'host.yaml', text: `
devices:
  eth0: [203.0.113.2/24, 2001:db8::2/64]
  eth1: [192.168.10.1/24, 2001:db8:a::1/64]
  eth2: [10.0.1.1/24, 2001:db8:b::1/64]
  docker0: 172.17.0.1/16
routes: [default via 203.0.113.1 dev eth0, default via 2001:db8::1 dev eth0]
sysctls: { net.ipv4.ip_forward: 1, net.ipv6.conf.all.forwarding: 1, net.ipv4.conf.all.rp_filter: 0 }
` }).value

test(`${POLICIES} policies from seed ${SEED}`, async () => {
  const tally = { told: 0, unsaid: 0 }
  for (let number = 0; number < POLICIES; number++) {
    const chance = makeChance(SEED * 1_000_003 + number)
    const policy = makeRandomPolicy(chance)
    const { value, compiled } = compileText(policy.text)
    const rulesets = { ipv4: toRuleset(compiled.rules.ipv4, value.zones), ipv6: toRuleset(compiled.rules.ipv6, value.zones) }
    for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
      const errors = checkRuleset(rulesets[family], { backend }).filter(({ severity }) => severity === 'error')
      expect(errors.map(({ message }) => message), policy.text).toEqual([])
    }
    const topology = withIpsets(compiled.rules)
    expectDeadToDoNothing(policy.text, compiled)
    if (number % 10 === 0) await expectSameWhenFormatted(policy.text, compiled)
    for (let sent = 0; sent < PACKETS / LONGEST; sent++) {
      const [first, ...more] = Array.from({ length: LONGEST }, () => makeSent(chance))
      // Limits count what comes again, so some of it does.
      const packets = first ? [first, ...more.map((packet, at) => (chance.once(2) ? { ...first, ...(first.sport === undefined ? {} : { sport: 41_000 + at }) } : packet))] : []
      expectSameEnds(policy, packets, { rulesets, topology }, tally)
    }
  }
  expect(tally.unsaid).toBeLessThan(tally.told / 4)
})

interface Bench {
  readonly rulesets: Readonly<Record<RandomFamily, Ruleset>>
  readonly topology: Topology
}

/** Sends packets through one world, one after the other, and back what answers them. What comes a second time begins no connection. */
function expectSameEnds(policy: RandomPolicy, packets: readonly Sent[], { rulesets, topology }: Bench, tally: { told: number; unsaid: number }): void {
  const world = makeWorld({ topology, rulesets: [rulesets.ipv4, rulesets.ipv6] })
  const counts: Counts = new Map()
  const seen = new Set<string>()
  for (const packet of packets) {
    const meant = meaningOf(policy, packet, routeOf, counts)
    const key = [`${packet.src} ${packet.sport ?? ''}`, `${packet.dst} ${packet.dport ?? ''}`, ...(packet.dport === undefined ? ['portless'] : [])].sort().join()
    if (meant.verdict === 'unsaid' || seen.has(key)) break
    seen.add(key)
    tally.told++
    const told = `${policy.text}${JSON.stringify(packets.slice(0, packets.indexOf(packet) + 1))}`
    const { outcome } = trace(world, probeOf(packet), { record: 'none', assume: ASSUME })
    // The answer that rejects may be dropped itself: by a raw sentence, or since it belongs to no connection.
    const mayLoseAnswer = meant.isUntracked || policy.sentences.some(({ kind }) => kind === 'raw')
    const plain = (words: string): string => (mayLoseAnswer ? words.replace('reject', 'drop') : words)
    expect(plain(endInWords(outcome, meant)), told).toBe(plain(meaningInWords(meant)))
  }
}

/** Days are free variables of the simulator. */
const ASSUME = new Map([[`-m time --datestop ${COMING}T23:59:59`, true]])

function compileText(text: string): { readonly value: ResolvedPolicy; readonly compiled: CompiledPolicy } {
  const { value, diagnostics } = resolvePolicy({ path: 'random.gate', text }, () => ({ problem: 'nothing is included' }))
  if (!value) throw new Error(`${diagnostics.map(({ message }) => message).join('\n')}\n${text}`)
  return { value, compiled: compilePolicy(value) }
}

/** A sentence that is called dead can be left out: the rules stay what they are. */
function expectDeadToDoNothing(text: string, compiled: CompiledPolicy): void {
  for (const { code, span } of compiled.diagnostics) {
    if (code !== 'dead-sentence') continue
    const without = `${text.slice(0, span.start)}${' '.repeat(span.end - span.start)}${text.slice(span.end)}`
    // An ipset names the first sentence that asked for it.
    const plain = (one: CompiledPolicy): string => textOf(one).replace(/^# random\.gate:\d+$/gm, '#')
    expect(plain(compileText(without).compiled), `${text}without ${text.slice(span.start, span.end)}`).toBe(plain(compiled))
  }
}

/** Formatting changes no rule, is done when it was done once, and it does not matter whether the trees are kept. */
async function expectSameWhenFormatted(text: string, compiled: CompiledPolicy): Promise<void> {
  const { text: formatted = '' } = await formatPolicy({ path: 'random.gate', text })
  expect((await formatPolicy({ path: 'random.gate', text: formatted })).text, text).toBe(formatted)
  const plain = (rules: string): string => rules.replace(/random\.gate:\d+|(?<=gate-[a-z-]*)\d+|(?<=gate [a-z]+ )\d+/g, '#')
  expect(plain(textOf(compileText(formatted).compiled)), text).toBe(plain(textOf(compiled)))
  expect(textOf(compileOneByOne(text))).toBe(textOf(compiled))
}

function compileOneByOne(text: string): CompiledPolicy {
  const { frame, eachSentence } = outlinePolicy({ path: 'random.gate', text }, () => ({ problem: 'nothing is included' }))
  const compilation = startCompilation(frame)
  eachSentence(compilation.add)
  return compilation.finish()
}

function textOf({ rules }: CompiledPolicy): string {
  return [rules.ipv4, rules.ipv6].map(one => writeRestore(one) + writeIpsets(one.ipsets)).join('')
}

function makeSent({ pick, once }: Chance): Sent {
  const family = once(3) ? 'ipv6' : 'ipv4'
  const isOf = (address: string): boolean => address.includes(':') === (family === 'ipv6')
  const isMade = once(5)
  const src = pick((isMade ? OWN : OTHERS).filter(isOf))
  const dst = pick([...OTHERS, ...OTHERS, ...OWN].filter(isOf).filter(address => address !== src))
  const device = once(8) ? pick(['eth0', 'eth1', 'eth2', 'docker0']) : routeOf(src)
  const from = isMade ? {} : { inDevice: device }
  const what = pick(['tcp', 'tcp', 'tcp', 'udp', 'ping', 'gre'] as const)
  if (what === 'gre') return { family, ...from, src, dst, protocol: 47 }
  if (what === 'ping') return { family, ...from, src, dst, protocol: family === 'ipv4' ? 1 : 58, icmpType: family === 'ipv4' ? 8 : 128 }
  return { family, ...from, src, dst, protocol: what === 'tcp' ? 6 : 17, sport: pick([40_000, 40_001, 53, 80]), dport: pick([22, 53, 80, 85, 443, 8080, 9999]) }
}

function routeOf(address: string): string {
  if (isOwn(address)) return ''
  return NETWORKS.find(([prefix]) => includes(prefix, address))?.[1] ?? 'eth0'
}

function probeOf({ inDevice, src, dst, protocol, sport, dport, icmpType }: Sent): Probe {
  const packet: Packet = makePacket({
    src: readAddress(src) ?? 0, dst: readAddress(dst) ?? 0, protocol,
    ...(sport === undefined || dport === undefined ? {} : { sport, dport }),
    ...(protocol === 6 ? { tcp: { flags: 2, seq: 0, ack: 0, window: 65535, optionKinds: [] } } : {}),
    ...(icmpType === undefined ? {} : { icmp: { type: icmpType, code: 0, id: 1, sequence: 1 } }),
  })
  return { packet, ...(inDevice === undefined ? {} : { inDevice }) }
}

function withIpsets({ ipv4, ipv6 }: CompiledPolicy['rules']): Topology {
  const ipsets = [...ipv4.ipsets, ...ipv6.ipsets].map(({ name, family, prefixes }) => ({ name, type: 'hash:net', family: family === 'ipv4' ? 'inet' as const : 'inet6' as const, entries: prefixes.map(prefix => ({ text: writePrefix(prefix), nomatch: false })) }))
  return { ...TOPOLOGY, namespaces: TOPOLOGY.namespaces.map(namespace => ({ ...namespace, ipsets })) }
}

function endInWords({ kind, packet }: Outcome, { src }: Meant): string {
  return kind === 'drop' || kind === 'reject' ? kind : `accept ${src === undefined ? '' : writeAddress(packet.src)} ${writeAddress(packet.dst)} ${packet.dport ?? ''}`
}

function meaningInWords({ verdict, src, dst, dport }: Meant): string {
  return verdict === 'accept' ? `accept ${src ?? ''} ${dst} ${dport ?? ''}` : verdict
}
