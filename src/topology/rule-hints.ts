/** What the rules of a ruleset give away about the network that they were written for. */

import { predicateOfRule } from '../extensions/meaning-of.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { DeviceField } from '../meaning/fields.ts'
import { addressWidth, familyOf, lengthOfMask } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'

/** A prefix that a rule names together with a device behind which it must lie. */
export interface PrefixHint {
  readonly prefix: Prefix
  readonly device: string
}

/** The hints of rulesets. */
export interface RuleHints {
  /** Device names in the order in which rules name them; `eth+` counts as eth0 where no such device is named. */
  readonly devices: readonly string[]
  /** Devices that are bridge ports (`-m physdev`). */
  readonly ports: readonly string[]
  /** Longest prefixes first. */
  readonly prefixes: readonly PrefixHint[]
  /** The device by which the first MASQUERADE or SNAT goes out: the rest of the world is behind it. */
  readonly outside: string | undefined
}

/** Reads the hints of rulesets. */
export function readHints(rulesets: readonly Ruleset[]): RuleHints {
  const found: Found = { names: new Set(), patterns: new Set(), ports: new Set(), prefixes: [] }
  let outside: string | undefined
  for (const ruleset of rulesets) {
    for (const rule of ruleset.tables.flatMap(({ chains }) => chains.flatMap(tellingRules))) {
      const predicate = predicateOfRule(rule, ruleset.family)
      readRule(predicate, found)
      outside ??= translatingDevice(rule, predicate)
    }
  }
  for (const pattern of found.patterns) {
    if (pattern !== '' && ![...found.names].some(name => name.startsWith(pattern))) found.names.add(/\d$/.test(pattern) ? pattern : `${pattern}0`)
  }
  const devices = [...found.names].filter(name => name !== 'lo')
  const prefixes = found.prefixes.filter(hint => hint.device !== 'lo').sort((one, other) => bits(other.prefix) - bits(one.prefix))
  return { devices, ports: [...found.ports].filter(port => !devices.includes(port)), prefixes, outside }
}

/** The rules that name a device. A long list of addresses among which few do is not made for them. */
function tellingRules(chain: Chain): readonly Rule[] {
  if (!chain.digest) return chain.rules.filter(namesDevice)
  const { ruleCount, kinds, ruleAt } = chain.digest
  const telling = kinds.filter(({ sample }) => namesDevice(sample))
  const first = telling.reduce((least, kind) => Math.min(least, kind.first), ruleCount)
  const number = telling.reduce((most, kind) => Math.max(most, kind.last + 1), first) - first
  if (number > ruleCount / 2) return chain.rules.filter(namesDevice)
  return Array.from({ length: number }, (_, index) => ruleAt(first + index)).filter(rule => rule !== undefined).filter(namesDevice)
}

function namesDevice({ matches }: Rule): boolean {
  return matches.some(({ name, infos }) => name === 'physdev' || infos['in-interface'] !== undefined || infos['out-interface'] !== undefined)
}

interface Found {
  readonly names: Set<string>
  readonly patterns: Set<string>
  readonly ports: Set<string>
  readonly prefixes: PrefixHint[]
}

/**
 * Three shapes say where a prefix lies: `-s P -i D`, `-d P -o D`, and `-s P ! -o D`, as docker masquerades what leaves the
 * container network D.
 */
function readRule(predicate: Predicate, found: Found): void {
  const terms = predicate.kind === 'all' ? predicate.of : [predicate]
  const source = prefixIn(terms, 'ip.src')
  const destination = prefixIn(terms, 'ip.dst')
  for (const term of terms) {
    const inner = term.kind === 'not' ? term.of : term
    if (inner.kind !== 'device') continue
    const { name, prefix: isPattern } = inner.pattern
    if (isPattern) {
      found.patterns.add(name)
      continue
    }
    if (isPort(inner.field)) {
      found.ports.add(name)
      continue
    }
    found.names.add(name)
    const side = inner.field === 'device.in' ? source : destination
    if (term.kind === 'device' && side) found.prefixes.push({ prefix: side, device: name })
    if (term.kind === 'not' && inner.field === 'device.out' && source) found.prefixes.push({ prefix: source, device: name })
  }
}

/** `-o D -j MASQUERADE` */
function translatingDevice({ target }: Rule, predicate: Predicate): string | undefined {
  if (target?.kind !== 'target' || !/^(MASQUERADE|SNAT)$/.test(target.name)) return undefined
  const terms = predicate.kind === 'all' ? predicate.of : [predicate]
  const term = terms.find(one => one.kind === 'device' && one.field === 'device.out' && !one.pattern.prefix)
  return term?.kind === 'device' ? term.pattern.name : undefined
}

function isPort(field: DeviceField): boolean {
  return field === 'bridge.in' || field === 'bridge.out'
}

/** A network or host of one family; not a part of the internet so large that it says nothing. */
function prefixIn(terms: readonly Predicate[], field: 'ip.src' | 'ip.dst'): Prefix | undefined {
  for (const term of terms) {
    const isHost = term.kind === 'within' && term.field === field && term.low === term.high
    if (isHost) return { address: term.low, mask: typeof term.low === 'number' ? 0xffffffff : (1n << 128n) - 1n }
    if (term.kind !== 'masked' || term.field !== field) continue
    const length = lengthOfMask(term.mask)
    if (length !== undefined && length >= (addressWidth(familyOf(term.mask)) === 32 ? 8 : 16)) return { address: term.value, mask: term.mask }
  }
  return undefined
}

function bits(prefix: Prefix): number {
  return lengthOfMask(prefix.mask) ?? 0
}
