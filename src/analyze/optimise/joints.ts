/** Conditions in which rules may differ and yet be one: ports, states, addresses. Each says what a rule's is, and writes the one of several. */

import type { Infos, MatchUse, Rule } from '../../ir/ruleset.ts'
import { addressWidth, coverRange, familyOf, lengthOfMask, maskOfLength } from '../../net/address.ts'
import type { Address, Family, Prefix } from '../../net/address.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import type { AddressRange, NumberRange } from '../../net/ranges.ts'

/** Values from `low` to `high`, both included. */
export interface Span {
  readonly low: bigint
  readonly high: bigint
}

/** A rule's matches without the condition, where it stood, and the values that it lets through. */
export interface JointPart {
  readonly others: readonly MatchUse[]
  readonly at: number
  readonly values: readonly Span[]
}

/** One condition. */
export interface Joint {
  /** What a report calls it, in the plural. */
  readonly words: string
  /** Undefined where the rule has none, or one that cannot be joined (with `!`, say). */
  readonly partOf: (rule: Rule) => JointPart | undefined
  /** Only values that touch can be together: they are tried in order of value, those of other joints in order of rules. */
  readonly joinsNeighbours: boolean
  /** Tells whether one condition can hold these values; they are joined already. */
  readonly fits: (values: readonly Span[]) => boolean
  /** Returns the matches of `like` with these values, which fit. */
  readonly write: (like: JointPart, values: readonly Span[], family: Family) => readonly MatchUse[]
}

/** Returns spans in order, joined where they touch or overlap. */
export function joinSpans(spans: readonly Span[]): readonly Span[] {
  const joined: { low: bigint; high: bigint }[] = []
  for (const { low, high } of spans.toSorted((one, other) => (one.low < other.low ? -1 : one.low > other.low ? 1 : 0))) {
    const last = joined.at(-1)
    if (last && low <= last.high + 1n) last.high = high > last.high ? high : last.high
    else joined.push({ low, high })
  }
  return joined
}

/** Returns the values of a rule's use of a match, and the rule without them; undefined where the use has not just these options. */
function takeOption(rule: Rule, names: readonly string[], option: string, rest: 'nothingElse' | 'others'): { readonly part: Omit<JointPart, 'values'>; readonly value: unknown } | undefined {
  const found = rule.matches.flatMap((use, index) => (names.includes(use.name) && use.infos[option] && !use.words ? [index] : []))
  const [at] = found
  const use = at === undefined ? undefined : rule.matches[at]
  const given = use?.infos[option]
  if (at === undefined || !use || !given || given.inverted || found.length > 1) return undefined
  const { [option]: _taken, ...infos } = use.infos
  const isBare = Object.keys(infos).length === 0
  if (!isBare && rest === 'nothingElse') return undefined
  return { part: { others: rule.matches.toSpliced(at, 1, ...(isBare ? [] : [{ name: use.name, infos }])), at }, value: given.value }
}

/** Returns the matches with an option put back: into a use that has others already, or as one of its own. */
function putOption({ others, at }: JointPart, name: string, option: string, value: unknown): readonly MatchUse[] {
  const infos: Infos = { [option]: { value, inverted: false } }
  const here = others[at]
  if (here?.name === name && !here.infos[option] && MAY_SHARE.has(name)) return others.with(at, { name, infos: { ...here.infos, ...infos } })
  return others.toSpliced(at, 0, { name, infos })
}

const MAY_SHARE: ReadonlySet<string> = new Set(['ip', 'tcp', 'udp', 'sctp', 'dccp', 'conntrack'])

const PORT_MATCHES: Readonly<Record<number, string>> = { [PROTOCOL.tcp]: 'tcp', [PROTOCOL.udp]: 'udp', [PROTOCOL.sctp]: 'sctp', [PROTOCOL.dccp]: 'dccp' }

/** The ports of one multiport; a range counts as two. Source: include/uapi/linux/netfilter/xt_multiport.h XT_MULTI_PORTS. */
const MOST_PORTS = 15

function portJoint(option: 'dport' | 'sport', words: string): Joint {
  const listOption = `${option}s`
  return {
    words,
    joinsNeighbours: false,
    partOf(rule) {
      const single = takeOption(rule, Object.values(PORT_MATCHES), option, 'others')
      const list = takeOption(rule, ['multiport'], listOption, 'nothingElse')
      const taken = single ?? list
      if (!taken || (single && list) || portMatchOf(rule) === undefined) return undefined
      const ranges = single ? [taken.value as NumberRange] : (taken.value as readonly NumberRange[])
      return ranges.some(({ low, high }) => low > high) ? undefined : { ...taken.part, values: ranges.map(({ low, high }) => ({ low: BigInt(low), high: BigInt(high) })) }
    },
    fits: values => listedPorts(values).reduce((sum, { low, high }) => sum + (low === high ? 1 : 2), 0) <= MOST_PORTS,
    write(like, values) {
      const name = portMatchOf({ matches: like.others })
      const [only] = values
      if (only && values.length === 1 && name !== undefined) return putOption(like, name, option, { low: Number(only.low), high: Number(only.high) })
      return putOption(like, 'multiport', listOption, listedPorts(values))
    },
  }
}

/** Two neighbours are written as two ports, as people do. */
function listedPorts(values: readonly Span[]): readonly NumberRange[] {
  return values.flatMap(({ low, high }) => (high - low === 1n ? [low, high].map(port => ({ low: Number(port), high: Number(port) })) : [{ low: Number(low), high: Number(high) }]))
}

/** Returns the match that compares single ports of the rule's protocol. */
function portMatchOf({ matches }: Pick<Rule, 'matches'>): string | undefined {
  const protocol = matches.find(({ name }) => name === 'ip')?.infos['protocol']
  return protocol && !protocol.inverted ? PORT_MATCHES[protocol.value as number] : undefined
}

/** Each bit of a state is a value. */
const stateJoint: Joint = {
  words: 'connection states',
  joinsNeighbours: false,
  partOf(rule) {
    const taken = takeOption(rule, ['conntrack'], 'ctstate', 'others') ?? takeOption(rule, ['state'], 'state', 'nothingElse')
    if (!taken) return undefined
    const bits = [...Array(16).keys()].filter(bit => ((taken.value as number) >> bit) & 1)
    return bits.length === 0 ? undefined : { ...taken.part, values: bits.map(bit => ({ low: BigInt(bit), high: BigInt(bit) })) }
  },
  fits: () => true,
  write: (like, values) => putOption(like, 'conntrack', 'ctstate', values.reduce((sum, { low, high }) => sum + 2 ** (Number(high) + 1) - 2 ** Number(low), 0)),
}

function addressJoint(option: 'source' | 'destination', rangeOption: string, words: string): AddressJoint {
  return {
    words, option,
    joinsNeighbours: true,
    partOf(rule) {
      const prefix = takeOption(rule, ['ip'], option, 'others')
      const range = takeOption(rule, ['iprange'], rangeOption, 'nothingElse')
      if ((prefix === undefined) === (range === undefined)) return undefined
      const span = prefix ? spanOfPrefix(prefix.value as Prefix) : range && spanOfRange(range.value as AddressRange)
      const taken = prefix ?? range
      return taken && span && { ...taken.part, values: [span] }
    },
    fits: values => values.length === 1,
    write(like, [only], family) {
      if (!only) return like.others
      if (only.low === 0n && only.high === lastAddress(family)) return like.others
      const [prefix, ...more] = coverRange(addressFrom(only.low, family), addressFrom(only.high, family))
      if (prefix && more.length === 0) return putIpOption(like.others, option, prefix)
      return putOption({ ...like, at: like.others[0]?.name === 'ip' ? 1 : 0 }, 'iprange', rangeOption, { low: addressFrom(only.low, family), high: addressFrom(only.high, family) })
    },
  }
}

/** A joint of addresses: what it cannot join may be put into an ipset. */
export interface AddressJoint extends Joint {
  readonly option: 'source' | 'destination'
}

/** The options of ip stand first. */
function putIpOption(others: readonly MatchUse[], option: string, prefix: Prefix): readonly MatchUse[] {
  const infos: Infos = { [option]: { value: prefix, inverted: false } }
  const [ip, ...rest] = others
  return ip?.name === 'ip' ? [{ name: 'ip', infos: { ...ip.infos, ...infos } }, ...rest] : [{ name: 'ip', infos }, ...others]
}

function spanOfPrefix({ address, mask }: Prefix): Span | undefined {
  const length = lengthOfMask(mask)
  if (length === undefined) return undefined
  const low = BigInt(address)
  return { low, high: low + (1n << BigInt(addressWidth(familyOf(mask)) - length)) - 1n }
}

function spanOfRange({ low, high }: AddressRange): Span | undefined {
  return low > high ? undefined : { low: BigInt(low), high: BigInt(high) }
}

function lastAddress(family: Family): bigint {
  return BigInt(maskOfLength(family, addressWidth(family)))
}

/** Returns the address of a number. */
export function addressFrom(value: bigint, family: Family): Address {
  return family === 'ipv4' ? Number(value) : value
}

/** The joints of addresses. */
export const ADDRESS_JOINTS: readonly AddressJoint[] = [addressJoint('source', 'src-range', 'source addresses'), addressJoint('destination', 'dst-range', 'destination addresses')]

/** All joints, in the order in which they are tried. */
export const JOINTS: readonly Joint[] = [portJoint('dport', 'destination ports'), portJoint('sport', 'source ports'), stateJoint, ...ADDRESS_JOINTS]
