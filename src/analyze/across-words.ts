/** Why a rule gets no packets on their way through all tables, in words. */

import { predicateOf } from '../extensions/meaning-of.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { RelatedPlace } from '../diagnostics/diagnostic.ts'
import type { Rule } from '../ir/ruleset.ts'
import { listInWords } from '../meaning/values-in-words.ts'
import type { NumberField } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { familyOf, lengthOfMask, addressWidth, writeAddress } from '../net/address.ts'
import type { AcrossCause, Changing } from './across-causes.ts'
import type { AcrossTables } from './across-tables.ts'

/** What is said of such a rule: lower case, without a final stop. */
export interface AcrossWords {
  readonly message: string
  readonly help: string
  readonly related: readonly RelatedPlace[]
}

/** More places than this are counted, not shown. */
const SHOWN = 4

/** Returns what is said of a rule that other tables leave without packets. */
export function acrossInWords({ at, isInvalidOnly, causes }: AcrossTables, family: Family): AcrossWords {
  const who = isInvalidOnly ? 'no packet of a connection matches this rule' : 'this rule can never match'
  const [first] = causes
  const asked = termsOf(at.rule, family)
  const why = first ? `${placeInWords(first)} ${first.effect ? `has changed ${changeInWords(first, asked)}` : 'ends its packets'} before it is asked` : 'nat turns the answers of connections back before it is asked'
  return {
    message: `${who}: ${why}`,
    help: helpFor(first, asked),
    related: causes.slice(0, SHOWN).flatMap((cause, index) => relatedTo(cause, asked, index === SHOWN - 1 ? causes.length - SHOWN : 0)),
  }
}

function placeInWords({ table, hook, chain, at }: AcrossCause): string {
  const span = at ? at.rule.span : chain.span
  return `${table} ${hook}${at ? '' : "'s chain policy"}${span ? ` ${span.source.path}:${lineOf(span)}` : ''}`
}

function relatedTo(cause: AcrossCause, asked: readonly Predicate[], others: number): readonly RelatedPlace[] {
  const span = cause.at ? cause.at.rule.span : cause.chain.span
  const does = cause.effect ? `changes ${changeInWords(cause, asked)}` : 'ends such packets'
  return span ? [{ span, message: `${cause.at ? 'this rule' : 'this chain policy'} ${does}${others > 0 ? `, and so do ${others} more` : ''}` }] : []
}

interface Side {
  readonly name: 'source' | 'destination'
  readonly address: NumberField
  readonly port: NumberField
  readonly option: string
}

const SOURCE: Side = { name: 'source', address: 'ip.src', port: 'l4.sport', option: '--ctorigsrc' }
const DESTINATION: Side = { name: 'destination', address: 'ip.dst', port: 'l4.dport', option: '--ctorigdst' }

function sideOf({ hook }: AcrossCause, effect: Extract<Changing, { kind: 'nat' }>): Side {
  if (effect.side !== 'ofHook') return effect.side === 'source' ? SOURCE : DESTINATION
  return hook === 'POSTROUTING' || hook === 'INPUT' ? SOURCE : DESTINATION
}

/** Of what nat changes that which the rule asks for, everything where it asks for nothing of it. */
function changeInWords(cause: AcrossCause, asked: readonly Predicate[]): string {
  const { effect } = cause
  if (!effect) return ''
  if (effect.kind !== 'nat') return FIELD_NAMES[effect.field] ?? effect.field
  const side = sideOf(cause, effect)
  const { ports } = effect
  const port = ports ? [{ field: side.port, words: `the ${side.name} port${ports.low === ports.high ? ` to ${ports.low}` : ''}` }] : []
  const address = effect.addresses.kind === 'keep' ? [] : [{ field: side.address, words: `the ${side.name} address${addressInWords(effect.addresses)}` }]
  const changes = [...address, ...port]
  const relevant = changes.filter(({ field }) => asked.some(term => asksFor(term, field)))
  return listInWords((relevant.length > 0 ? relevant : changes).map(({ words }) => words), 'and')
}

const FIELD_NAMES: Partial<Readonly<Record<string, string>>> = { mark: 'the mark', 'ct.mark': "the connection's mark", 'ip.ttl': 'the ttl', 'ip.tos': 'the tos', 'tcp.flags': 'the TCP flags' }

function addressInWords(addresses: Extract<Changing, { kind: 'nat' }>['addresses']): string {
  if (addresses.kind === 'inDevice') return " to this host's own"
  if (addresses.kind === 'outDevice') return ' to that of the device by which they leave'
  const range = addresses.kind === 'ranges' ? addresses.ranges[0] : undefined
  return range && range.low === range.high ? ` to ${writeAddress(range.low)}` : ''
}

function helpFor(cause: AcrossCause | undefined, asked: readonly Predicate[]): string {
  if (!cause) return 'ask for what the packets have by then: the addresses and ports with which the connection began'
  if (!cause.effect) return 'remove it, or let its packets through before'
  if (cause.effect.kind !== 'nat') return 'ask for what the packets have by then'
  const side = sideOf(cause, cause.effect)
  const options = [...originalAddress(side, asked), ...originalPort(side, asked)]
  const original = options.length > 0 ? ` \`-m conntrack ${options.join(' ')}\`` : ` \`-m conntrack ${side.option}\` and the like`
  return `ask for what the packets had at first:${original}, or for what they have by then`
}

function originalPort({ port, option }: Side, asked: readonly Predicate[]): readonly string[] {
  const term = asked.find(one => asksFor(one, port))
  return term?.kind === 'within' && term.low === term.high ? [`${option}port ${term.low}`] : []
}

function originalAddress({ address, option }: Side, asked: readonly Predicate[]): readonly string[] {
  const term = asked.find(one => asksFor(one, address))
  if (term?.kind !== 'masked') return []
  const { mask, value } = term
  const length = lengthOfMask(mask)
  if (length === undefined) return []
  return [`${option} ${writeAddress(value)}${length === addressWidth(familyOf(value)) ? '' : `/${length}`}`]
}

function asksFor(term: Predicate, field: NumberField): boolean {
  return (term.kind === 'within' || term.kind === 'masked') && term.field === field
}

/** What a rule asks for, in single terms; what it excludes is none. */
function termsOf({ matches }: Rule, family: Family): readonly Predicate[] {
  const flatten = (predicate: Predicate): readonly Predicate[] => (predicate.kind === 'all' ? predicate.of.flatMap(flatten) : [predicate])
  return matches.flatMap(use => flatten(predicateOf(use, family)))
}
