/**
 * The promise of the policy language: the rules do what the sentences say. Random policies are compiled, and random packets sent through the
 * rules of both families in the simulator; `policy-meaning.ts` says of each, without any rules, what the first sentence that speaks of it wants.
 * POLICIES=2000 SEED=7 for more, of another kind.
 */

import { expect, test } from 'vitest'
import { makeChance } from '../chance.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import { writeAddress } from '../../src/net/address.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { startCompilation } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import { formatPolicy } from '../../src/policy/format-policy.ts'
import { outlinePolicy } from '../../src/policy/resolve.ts'
import { toRuleset } from '../../src/policy/to-ruleset.ts'
import { writeIpsets, writeRestore } from '../../src/policy/write-restore.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { meaningOf } from './policy-meaning.ts'
import type { Counts, Meant, Sent } from './policy-meaning.ts'
import { compileText, hostWith, makeSent, probeOf, routeOf } from './random-host.ts'
import { COMING, makeRandomPolicy } from './random-policies.ts'
import type { RandomPolicy } from './random-policies.ts'
import type { RandomFamily } from './random-universe.ts'

const POLICIES = Number(process.env['POLICIES'] ?? 30)
const SEED = Number(process.env['SEED'] ?? 1)
const PACKETS = 60
/** Packets that are sent one after the other. */
const LONGEST = 6

/** Days are free variables of the simulator. */
const ASSUME = new Map([[`-m time --datestop ${COMING}T23:59:59`, true]])

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
    const topology = hostWith(compiled.rules)
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

/** Sends packets through one world, one after the other, and what answers them back. What comes a second time begins no connection. */
function expectSameEnds(policy: RandomPolicy, packets: readonly Sent[], { rulesets, topology }: Bench, tally: { told: number; unsaid: number }): void {
  const world = makeWorld({ topology, rulesets: [rulesets.ipv4, rulesets.ipv6] })
  const counts: Counts = new Map()
  const seen = new Set<string>()
  for (const packet of packets) {
    const meant = meaningOf(policy, packet, routeOf, counts)
    // Without ports two connections cannot be told from each other once both have been translated.
    const key = packet.dport === undefined ? `protocol ${packet.protocol}` : [`${packet.src} ${packet.sport ?? ''}`, `${packet.dst} ${packet.dport}`].sort().join()
    if (meant.verdict === 'unsaid' || seen.has(key)) break
    seen.add(key)
    tally.told++
    const told = `${policy.text}${JSON.stringify(packets.slice(0, packets.indexOf(packet) + 1))}`
    const { outcome } = trace(world, probeOf(packet), { record: 'none', assume: ASSUME })
    // The answer that rejects may be dropped itself: by a raw sentence, or since it belongs to no connection.
    const mayLoseAnswer = meant.isUntracked || policy.sentences.some(({ kind }) => kind === 'raw')
    const plain = (words: string): string => (mayLoseAnswer ? words.replace('reject', 'drop') : words)
    expect(plain(endInWords(outcome, meant)), told).toBe(plain(meaningInWords(meant)))
    const answer = answerTo(packet, meant, outcome)
    if (!answer || policy.sentences.some(({ kind }) => kind === 'raw')) continue
    const own = meaningOf(policy, answer, routeOf, meant.isUntracked ? counts : new Map())
    // What is translated must be tracked on its way back too, and source ports alone tell the answers of what is not.
    if (own.isUntracked && !meant.isUntracked && (meant.dst !== packet.dst || meant.dport !== packet.dport || meant.src !== packet.src)) break
    const back = meant.isUntracked ? own : { ...meant, src: packet.dst, dst: packet.src, ...(packet.sport === undefined ? {} : { dport: packet.sport }) }
    if (back.verdict === 'unsaid') break
    expect(plain(endInWords(trace(world, probeOf(answer, 'answers'), { record: 'none', assume: ASSUME }).outcome, back)), `${told} answered`).toBe(plain(meaningInWords(back)))
  }
}

/** Returns what answers a packet that got through: from where it went, to whom it said it came from. Undefined where that is not where the host would send it. */
function answerTo(packet: Sent, { verdict, outDevice }: Meant, { packet: end }: Outcome): Sent | undefined {
  const { inDevice, family, protocol, icmpType } = packet
  if (verdict !== 'accept' || (inDevice === undefined ? outDevice === '' : routeOf(packet.src) !== inDevice)) return undefined
  return {
    family, protocol, src: writeAddress(end.dst), dst: writeAddress(end.src), ...(outDevice === '' ? {} : { inDevice: outDevice }),
    ...(end.sport === undefined || end.dport === undefined ? {} : { sport: end.dport, dport: end.sport }),
    ...(icmpType === undefined ? {} : { icmpType: family === 'ipv4' ? 0 : 129 }),
  }
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

function endInWords({ kind, packet }: Outcome, { src }: Meant): string {
  return kind === 'drop' || kind === 'reject' ? kind : `accept ${src === undefined ? '' : writeAddress(packet.src)} ${writeAddress(packet.dst)} ${packet.dport ?? ''}`
}

function meaningInWords({ verdict, src, dst, dport }: Meant): string {
  return verdict === 'accept' ? `accept ${src ?? ''} ${dst} ${dport ?? ''}` : verdict
}
