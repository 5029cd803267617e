/** A rule of a ruleset -> a sentence of the policy language, where it has that shape. */

import { KEYWORDS, Name, splitPolicy } from '../../grammar/policy-tokens.ts'
import { useInWords } from '../extensions/option-words.ts'
import type { Chain, MatchUse, Rule } from '../ir/ruleset.ts'
import { writePrefix } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { savedProtocolName } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import { KNOWN_SERVICES } from './known-services.ts'

/** The parts of a rule that a sentence can say. */
export interface PlainRule {
  readonly verb: 'allow' | 'deny'
  /** `ssh, tcp/8080`; absent where all packets count. */
  readonly services?: string
  readonly source?: Prefix
  readonly destination?: Prefix
  readonly inDevice?: string
  readonly outDevice?: string
  /** `10/min burst 20`. */
  readonly limit?: string
  readonly reason?: string
}

/** Returns what rules of a chain say, those of a chain that they jump to in their place; undefined where a sentence cannot say it. */
export function plainRules(rule: Rule, chainByName: ReadonlyMap<string, Chain>): readonly PlainRule[] | undefined {
  const { target } = rule
  if (target?.kind !== 'jump') {
    const plain = plainRule(rule, [])
    return plain && [plain]
  }
  const before = rule.matches.filter(({ name }) => name !== 'comment')
  if (before.some(({ name }) => name !== 'ip')) return undefined
  const inner = chainByName.get(target.chain)?.rules.map(one => plainRule(one, before)) ?? []
  return inner.every(one => one !== undefined) ? inner : undefined
}

function plainRule({ matches, target }: Rule, before: readonly MatchUse[]): PlainRule | undefined {
  const verb = target?.kind === 'target' ? VERBS.get(target.name) : undefined
  const infos = joinIp([...before, ...matches].filter(({ name }) => name === 'ip'))
  const limits = matches.filter(({ name }) => name === 'limit')
  const others = matches.filter(({ name }) => name !== 'ip' && name !== 'comment' && name !== 'limit')
  if (!verb || !infos || others.length > 1 || limits.length > (verb === 'allow' ? 1 : 0)) return undefined
  const [limit] = limits.map(writeLimit)
  const services = writeServices(infos['protocol'] as number | undefined, others[0])
  const [inDevice, outDevice] = [deviceName(infos['in-interface']), deviceName(infos['out-interface'])]
  if (services === undefined || inDevice === undefined || outDevice === undefined) return undefined
  const reason = reasonOf(matches)
  return {
    verb,
    ...(services === '' ? {} : { services }),
    ...(infos['source'] ? { source: infos['source'] as Prefix } : {}),
    ...(infos['destination'] ? { destination: infos['destination'] as Prefix } : {}),
    ...(inDevice === '' ? {} : { inDevice }),
    ...(outDevice === '' ? {} : { outDevice }),
    ...(limit === undefined ? {} : { limit }),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Returns a limit as the language says it: what is not given counts as it is saved. */
function writeLimit(use: MatchUse): string {
  const [, count = '', burst] = /--limit (\S+)(?: --limit-burst (\d+))?$/.exec(useInWords(use, 'ipv4')) ?? []
  return burst === undefined ? count : `${count} burst ${burst}`
}

const VERBS: ReadonlyMap<string, PlainRule['verb']> = new Map([['ACCEPT', 'allow'], ['DROP', 'deny']])
const SAID: ReadonlySet<string> = new Set(['source', 'destination', 'in-interface', 'out-interface', 'protocol'])

/** What is asked twice must be the same. */
function joinIp(uses: readonly MatchUse[]): Readonly<Record<string, unknown>> | undefined {
  const joined: Record<string, unknown> = {}
  for (const { infos } of uses) for (const [option, use] of Object.entries(infos)) {
    if (!use || use.inverted || !SAID.has(option)) return undefined
    if (option in joined && joined[option] !== use.value) return undefined
    joined[option] = use.value
  }
  return joined
}

/** Returns services as words, '' for all packets; undefined where there are no words for them. */
function writeServices(protocol: number | undefined, match: MatchUse | undefined): string | undefined {
  if (protocol === undefined) return match ? (isAuthentication(match) ? 'ah' : undefined) : ''
  const name = savedProtocolName(protocol)
  if (name === undefined || !isName(name)) return undefined
  if (!match) return name === 'ipv6-icmp' ? 'icmpv6' : name
  const [entry, ...more] = Object.entries(match.infos)
  if (!entry || more.length > 0 || !entry[1] || entry[1].inverted) return undefined
  const [option, { value }] = entry
  if (option === 'dport') return writePorts(name, [value as NumberRange])
  if (option === 'dports') return writePorts(name, value as readonly NumberRange[])
  const message = value as { readonly type: number; readonly low: number; readonly high: number }
  if ((option === 'icmp-type' || option === 'icmpv6-type') && message.low === 0 && message.high === 255 && message.type !== 255) return `${option === 'icmp-type' ? 'icmp' : 'icmpv6'}/${message.type}`
  return undefined
}

/** What the language calls `ah` is a match in IPv6. */
function isAuthentication({ name, infos, words }: MatchUse): boolean {
  return name === 'ah' && !words && Object.keys(infos).length === 0
}

function writePorts(protocol: string, ports: readonly NumberRange[]): string | undefined {
  if (ports.some(({ low }) => low === 0)) return undefined
  const words = ports.map(({ low, high }) => `${protocol}/${low === high ? low : `${low}-${high}`}`)
  return words.map(word => Object.entries(KNOWN_SERVICES).find(([, known]) => known === word)?.[0] ?? word).join(', ')
}

/** Returns a device as a zone can name it, '' where none is asked; undefined where it cannot. */
function deviceName(value: unknown): string | undefined {
  if (value === undefined) return ''
  const { name, prefix } = value as DevicePattern
  return name === 'lo' || prefix || name === '' || name.includes('"') ? undefined : name
}

/** Tells whether a word can be a name of the language. */
export function isName(word: string): boolean {
  const { tokens, problems } = splitPolicy(word)
  return tokens.length === 1 && problems.length === 0 && tokens[0]?.tokenType === Name && tokens[0].image === word && !KEYWORDS.some(keyword => keyword === word)
}

/** The comments of compiled rules begin with the place of their sentence. */
function reasonOf(matches: readonly MatchUse[]): string | undefined {
  const comment = matches.find(({ name }) => name === 'comment')?.infos['comment']?.value
  const reason = typeof comment === 'string' ? comment.replace(/^\S+\.gate(:\d+)?( |$)/, '').replace(/[\n\r]/g, ' ') : ''
  return reason === '' ? undefined : reason
}

/** Returns a prefix as the language writes it. */
export function writeEnd(prefix: Prefix | undefined, zone: string | undefined): string | undefined {
  if (prefix) return zone === undefined ? writePrefix(prefix) : `${writePrefix(prefix)} in ${zone}`
  return zone
}
