/** Random small rulesets over a small universe, and every packet of that universe through the simulator: what the analyses are compared with. */

import { CT_STATE } from '../../src/meaning/fields.ts'
import { memoryOf, predicateOf } from '../../src/extensions/meaning-of.ts'
import { eachRule } from '../../src/ir/ruleset.ts'
import type { Chain, Ruleset } from '../../src/ir/ruleset.ts'
import type { Predicate } from '../../src/meaning/predicate.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { readRuleset } from '../../src/save/read.ts'
import { makeFlight } from '../../src/simulate/flight.ts'
import { ipsetKey } from '../../src/simulate/ipsets.ts'
import { prepareRuleset } from '../../src/simulate/prepare.ts'
import { runBuiltInChain } from '../../src/simulate/run-chain.ts'
import type { TraceEvent } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import type { Random } from '../chance.ts'

/** Free variables of a ruleset: each doubles the packets. */
const MOST_FREE = 5

/** One thing that rules of a ruleset may test: ways to write it, and packets of which one is like any packet to all of them. */
interface Dimension {
  readonly tests: readonly string[]
  readonly cases: readonly ((draft: Draft) => Draft)[]
}

/** A packet being put together, with its place and the free variables. */
export interface Draft {
  readonly packet: Partial<Packet>
  readonly inDevice: string
  readonly ctState: number
  readonly decisions: ReadonlyMap<string, boolean>
}

const withPacket = (fields: Partial<Packet>) => (draft: Draft): Draft => ({ ...draft, packet: { ...draft.packet, ...fields } })

const TEN = 0x0a000000
const TCP = { flags: 2, seq: 0, ack: 0, window: 0, optionKinds: [] }

const DIMENSIONS: Readonly<Record<string, Dimension>> = {
  source: {
    tests: ['-s 10.0.0.0/32', '-s 10.0.0.0/31', '! -s 10.0.0.1/32', '-s 10.0.0.2/31', '-s 10.0.0.3/32', '-s 10.0.0.0/30', '! -s 10.0.0.0/30', '-m iprange --src-range 10.0.0.1-10.0.0.2'],
    cases: [TEN, TEN + 1, TEN + 2, TEN + 3, 0x01010101].map(src => withPacket({ src })),
  },
  destination: { tests: ['-d 10.9.0.0/32', '! -d 10.9.0.0/31', '-d 10.9.0.0/255.255.0.255'], cases: [0x0a090000, 0x0a090001, 0x0a090100, 0x02020202].map(dst => withPacket({ dst })) },
  service: {
    tests: ['-p tcp', '! -p tcp', '-p tcp -m tcp --dport 80', '-p tcp -m tcp ! --dport 80', '-p udp -m udp --dport 80:81', '-p tcp -m multiport --dports 80,81', '-p udp -m multiport ! --dports 80', '-f', '-p gre'],
    cases: [
      ...[80, 81, 82].flatMap(dport => [withPacket({ protocol: 6, sport: 1, dport, tcp: TCP }), withPacket({ protocol: 17, sport: 1, dport })]),
      withPacket({ protocol: 47 }), withPacket({ protocol: 6, fragmentOffset: 8 }), withPacket({ protocol: 17, fragmentOffset: 8 }), withPacket({ protocol: 47, fragmentOffset: 8 }),
    ],
  },
  device: { tests: ['-i eth0', '! -i eth0', '-i eth+', '-i wg0'], cases: ['eth0', 'eth1', 'wg0', 'other0'].map(inDevice => draft => ({ ...draft, inDevice })) },
  state: {
    tests: ['-m conntrack --ctstate NEW', '-m conntrack --ctstate RELATED,ESTABLISHED', '-m conntrack ! --ctstate INVALID', '-m state --state INVALID,UNTRACKED'],
    cases: [CT_STATE.NEW, CT_STATE.ESTABLISHED, CT_STATE.RELATED, CT_STATE.INVALID, CT_STATE.UNTRACKED].map(ctState => draft => ({ ...draft, ctState })),
  },
  mark: { tests: ['-m mark --mark 0x1', '-m mark ! --mark 0x1/0x1', '-m mark --mark 0x2/0x2'], cases: [0, 1, 2, 3, 4, 5, 6, 7].map(mark => withPacket({ mark })) },
  mac: { tests: ['-m mac --mac-source 02:00:00:00:00:01', '-m mac ! --mac-source 02:00:00:00:00:01'], cases: [withPacket({ macSource: '020000000001' }), withPacket({ macSource: '020000000002' }), withPacket({})] },
  opaque: { tests: ['-m string --string "x" --algo bm', '-m string ! --string "x" --algo bm', '-m set --match-set bad src', '-m set ! --match-set bad src'], cases: [draft => draft] },
  chance: { tests: ['-m statistic --mode random --probability 0.5'], cases: [draft => draft] },
}

function free(keys: readonly string[]): ((draft: Draft) => Draft)[] {
  return keys.reduce<((draft: Draft) => Draft)[]>((cases, key) => cases.flatMap(one => [false, true].map(value => (draft: Draft) => ({ ...one(draft), decisions: new Map([...one(draft).decisions, [key, value]]) }))), [draft => draft])
}

/** A ruleset and every packet that its rules can tell apart. */
export interface SmallWorld {
  readonly text: string
  readonly ruleset: Ruleset
  readonly packets: readonly Draft[]
  readonly hasChance: boolean
}

/** Returns a random ruleset: FORWARD of the table `mangle` (which knows MARK and DROP), up to three user chains, up to ten rules. */
export function makeSmallWorld(random: Random): SmallWorld {
  const names = Object.keys(DIMENSIONS)
  const used = Array.from({ length: 1 + random(3) }, () => names[random(names.length)] ?? 'source').filter((name, index, all) => all.indexOf(name) === index)
  const chains = ['FORWARD', ...['one', 'two', 'three'].slice(0, random(4))]
  const lines = Array.from({ length: 2 + random(9) }, () => ruleLine(random, used, chains)).sort((one, other) => chains.indexOf(one.split(' ')[1] ?? '') - chains.indexOf(other.split(' ')[1] ?? ''))
  const text = ['*mangle', `:FORWARD ${random(2) === 0 ? 'ACCEPT' : 'DROP'} [0:0]`, ...chains.slice(1).map(name => `:${name} - [0:0]`), ...lines, 'COMMIT', ''].join('\n')
  const { value, diagnostics } = readRuleset([{ path: 'small', text }], { family: 'ipv4' })
  if (value.partial) throw new Error(`${text}\n${diagnostics.map(({ message }) => message).join('\n')}`)
  const variables = freeKeys(value)
  if (variables.length > MOST_FREE) return makeSmallWorld(random)
  const hasMark = used.includes('mark') || text.includes('MARK')
  return { text, ruleset: value, packets: everyPacket([...used, ...(hasMark && !used.includes('mark') ? ['mark'] : [])], variables), hasChance: text.includes('statistic') }
}

function ruleLine(random: Random, used: readonly string[], chains: readonly string[]): string {
  const chain = random(chains.length)
  const tests = used.flatMap(name => (random(3) === 0 ? [] : [pick(random, DIMENSIONS[name]?.tests ?? [])]))
  // Options of the ip header come first, as iptables-save has them; jumps lead to later chains only.
  const ordered = [...tests.filter(test => !test.startsWith('-m')), ...tests.filter(test => test.startsWith('-m'))]
  const later = chains.slice(chain + 1)
  const targets = ['-j ACCEPT', '-j ACCEPT', '-j DROP', '-j DROP', ...(chain > 0 ? ['-j RETURN'] : []), ...later.flatMap(name => [`-j ${name}`, `-j ${name}`, `-g ${name}`]), '-j LOG', '', ...(random(3) === 0 ? ['-j MARK --set-xmark 0x1/0x1', '-j MARK --set-xmark 0x2/0xffffffff', '-j MARK --set-xmark 0x3/0x0'] : [])]
  return ['-A', chains[chain], ...ordered, pick(random, targets)].filter(word => word !== '').join(' ')
}

function pick(random: Random, list: readonly string[]): string {
  return list[random(list.length)] ?? ''
}

/** Returns the keys of all free variables, as the simulator asks for them. */
function freeKeys(ruleset: Ruleset): readonly string[] {
  const keys = new Set<string>()
  eachRule(ruleset, ({ matches }, number, chain, table) => {
    for (const use of matches) {
      const place = memoryOf(use, ruleset.family) ? ` of rule ${number} in ${chain.name} of ${table.name}` : ''
      for (const key of keysIn(predicateOf(use, ruleset.family))) keys.add(key + place)
    }
  })
  return [...keys]
}

function keysIn(predicate: Predicate): readonly string[] {
  if (predicate.kind === 'opaque') return [predicate.key]
  if (predicate.kind === 'ipset') return [ipsetKey(predicate.name, predicate.directions)]
  if (predicate.kind === 'not') return keysIn(predicate.of)
  return predicate.kind === 'all' || predicate.kind === 'any' ? predicate.of.flatMap(keysIn) : []
}

function everyPacket(used: readonly string[], variables: readonly string[]): readonly Draft[] {
  const start: Draft = { packet: { protocol: 47, src: TEN, dst: 0x0a090000 }, inDevice: 'eth0', ctState: CT_STATE.NEW, decisions: new Map() }
  const all = used.reduce<readonly Draft[]>((drafts, name) => drafts.flatMap(draft => (DIMENSIONS[name]?.cases ?? []).map(one => one(draft))), [start])
  return all.flatMap(draft => free(variables).map(one => one(draft)))
}

/** What the simulator did with one packet. */
export interface Ran {
  readonly verdict: string
  readonly mark: number
  readonly matched: ReadonlySet<number>
  readonly logged: number
  /** How many rules changed the packet. */
  readonly rewritten: number
  readonly byPolicy: boolean
}

/** Returns a function that runs packets through FORWARD of a ruleset's mangle table. */
export function makeRunner(ruleset: Ruleset): (draft: Draft) => Ran {
  const world = makeWorld({ topology: assumedTopology([ruleset], []), rulesets: [ruleset] })
  const host = [...world.hosts.values()][0]
  const chain = prepareRuleset(ruleset, 'legacy').builtIn.mangle.FORWARD
  if (!host || !chain) throw new Error('the ruleset has a mangle table')
  return draft => {
    const events: TraceEvent[] = []
    const packet = makePacket({ protocol: 47, src: 1, dst: 2, ...draft.packet })
    const flight = makeFlight({ world, host, packet, isLocal: false, record: event => events.push(event), recordsMisses: false, decisions: new Map(draft.decisions), send: () => { throw new Error('nothing is sent') } })
    Object.assign(flight, { inDevice: draft.inDevice, outDevice: 'eth9', ctState: draft.ctState })
    const { kind, by } = runBuiltInChain(flight, 'FORWARD', 'mangle', chain)
    const rules = events.flatMap(event => (event.kind === 'rule' ? [event] : []))
    return { verdict: kind, mark: flight.packet.mark, matched: new Set(rules.map(({ place }) => place.rule.id)), logged: rules.filter(({ observed }) => observed !== undefined).length, rewritten: events.filter(event => event.kind === 'rewrite' && event.changes.some(({ before, after }) => before !== after)).length, byPolicy: by.kind === 'policy' }
  }
}

/** Returns the ruleset without some of its rules, cut from the text and read anew. */
export function withoutRules(text: string, ruleset: Ruleset, gone: ReadonlySet<number>): { readonly text: string; readonly ruleset: Ruleset } {
  const spans = ruleset.tables.flatMap(table => table.chains.flatMap((chain: Chain) => chain.rules.filter(rule => gone.has(rule.id)).map(rule => rule.span)))
  const cut = spans.sort((one, other) => other.start - one.start).reduce((left, { start, end }) => left.slice(0, start) + left.slice(end + 1), text)
  return { text: cut, ruleset: readRuleset([{ path: 'small', text: cut }], { family: 'ipv4' }).value }
}
