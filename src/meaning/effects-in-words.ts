/** A list of effects in plain English: what a target does to the packets of a rule. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import { writeAddress, writePrefix } from '../net/address.ts'
import type { NumberRange } from '../net/ranges.ts'
import type { AssignedField, Effect, NatAddresses, Verdict } from './effect.ts'
import { fieldRow } from './fields.ts'
import { listInWords } from './values-in-words.ts'

/** Returns `logs all packets`, `sets mark 0x1 on new connections and accepts them`; empty where nothing is done. */
export function effectsInWords(effects: readonly Effect[], packets: string): string {
  const said = effects.filter((effect, index) => !isImplied(effect, effects.slice(0, index)))
  const [first, second] = said
  if (first?.kind === 'notModelled' && second?.kind === 'verdict') return `leaves to ${nameIn(first.words)}, or else ${VERDICTS[second.verdict](packets).replace(` ${packets}`, `, ${packets}`)}`
  return listInWords(said.map((effect, index) => effectInWords(effect)(index === 0 ? packets : 'them')), 'and')
}

/** Nat lets the packet go on, REJECT drops it, who hands it to a queue waits: their verdicts go without saying. */
function isImplied(effect: Effect, before: readonly Effect[]): boolean {
  if (effect.kind !== 'verdict') return false
  if (effect.verdict === 'accept') return before.some(({ kind }) => kind === 'nat')
  if (effect.verdict === 'drop') return before.some(({ kind }) => kind === 'reject')
  return effect.verdict === 'queue' ? before.length > 0 : effect.verdict === 'continue'
}

/** What the simulator assumes about it stands behind a colon or comma. */
function nameIn(words: string): string {
  return words.split(/: |, /)[0] ?? ''
}

type Saying = (packets: string) => string

function effectInWords(effect: Effect): Saying {
  switch (effect.kind) {
    case 'verdict':
      return VERDICTS[effect.verdict]
    case 'assign':
      return assignInWords(effect)
    case 'adjust':
      return packets => `${effect.by < 0 ? 'lowers' : 'raises'} the ttl by ${Math.abs(effect.by)} in ${packets}`
    case 'nat':
      return natInWords(effect)
    case 'reject':
      return packets => `rejects, with ${effect.with.kind === 'tcpReset' ? 'a TCP reset' : effect.with.name}, ${packets}`
    case 'untrack':
      return packets => `exempts from connection tracking ${packets}`
    case 'track':
      return trackInWords(effect)
    case 'clampMss':
      return packets => `lowers the TCP MSS to ${effect.limit === 'pathMtu' ? 'what the path MTU allows' : `at most ${effect.limit} bytes`} in ${packets}`
    case 'stripOptions':
      return packets => `blanks TCP option${effect.kinds.length === 1 ? '' : 's'} ${listInWords(effect.kinds.map(String), 'and')} in ${packets}`
    case 'translatePrefix':
      return packets => `gives the prefix ${writePrefix(effect.to)} to the ${effect.side} of ${packets}`
    case 'ipset':
      return packets => `${effect.change === 'add' ? 'adds to' : 'deletes from'} ipset ${effect.name} the ${effect.directions.map(direction => (direction === 'src' ? 'source' : 'destination')).join(' and ')} of ${packets}`
    case 'observe':
      return observeInWords(effect.words)
    case 'notModelled':
      return packets => `subjects ${packets} to ${nameIn(effect.words)}`
    default:
      return assertNever(effect)
  }
}

const VERDICTS: Readonly<Record<Verdict, Saying>> = {
  accept: packets => `accepts ${packets}`,
  drop: packets => `drops ${packets}`,
  return: packets => `ends the chain for ${packets}`,
  continue: packets => `lets ${packets} go on`,
  stolen: packets => `takes away ${packets}`,
  queue: packets => `hands to a program ${packets}`,
}

const ALL_BITS: Readonly<Record<AssignedField, number>> = { mark: 0xffffffff, 'ct.mark': 0xffffffff, 'ip.ttl': 0xff, 'ip.tos': 0xff, 'tcp.flags': 0xff, priority: 0xffffffff }

function assignInWords({ field, clear, flip, from, shift = 0 }: Extract<Effect, { kind: 'assign' }>): Saying {
  const name = fieldName(field)
  const hex = (value: number): string => (field === 'ip.ttl' ? String(value) : `0x${(value >>> 0).toString(16)}`)
  const shifted = shift === 0 ? '' : `, shifted by ${Math.abs(shift)} bits to the ${shift > 0 ? 'left' : 'right'},`
  if (from) {
    const part = (mask: number): string => (mask >>> 0 === 0xffffffff ? '' : `bits ${hex(mask)} of `)
    return packets => `copies ${part(from.mask)}the ${fieldName(from.field)}${shifted} to ${part(clear)}the ${name} of ${packets}`
  }
  if (clear >>> 0 === ALL_BITS[field]) return packets => `sets ${name} ${hex(flip)}${shifted} on ${packets}`
  if (clear >>> 0 === flip >>> 0) return packets => `sets bits ${hex(flip)} of the ${name}${shifted} on ${packets}`
  if (flip === 0) return packets => `clears bits ${hex(clear)} of the ${name}${shifted} on ${packets}`
  if (clear === 0) return packets => `flips bits ${hex(flip)} of the ${name}${shifted} on ${packets}`
  const flipped = (flip & ~clear) >>> 0
  return packets => `sets bits ${hex(clear)} of the ${name} to ${hex(flip & clear)}${flipped === 0 ? '' : ` and flips bits ${hex(flipped)}`}${shifted} on ${packets}`
}

function fieldName(field: AssignedField): string {
  return field === 'priority' ? 'priority' : fieldRow(field).words
}

/** Names the new end before the packets, which say where the old one lay. */
function natInWords({ side, addresses, ports, random, persistent }: Extract<Effect, { kind: 'nat' }>): Saying {
  const end = side === 'ofHook' ? 'destination (in INPUT and POSTROUTING: source)' : side
  const port = ports ? `port${ports.low === ports.high ? '' : 's'} ${portsInWords(ports)}` : ''
  const how = [...(random ? ['random port'] : []), ...(persistent ? ['the same address each time'] : [])]
  const flags = how.length > 0 ? ` (${how.join(', ')})` : ''
  switch (addresses.kind) {
    case 'ranges':
      return packets => `gives the new ${end} ${rangesInWords(addresses)}${port === '' ? '' : ` ${port}`}${flags} to ${packets}`
    case 'prefix':
      return packets => `gives the prefix ${writePrefix(addresses.prefix)} to the ${end} of ${packets}`
    case 'keep':
      return packets => (port === '' ? `lets nat keep the ${end}${flags} of ${packets}` : `gives the new ${end} ${port}${flags} to ${packets}`)
    case 'outDevice':
      return packets => `gives the address of the output device${port === '' ? '' : `, ${port},`} as ${end}${flags} to ${packets}`
    case 'inDevice':
      return packets => `redirects to this host${port === '' ? '' : `, ${port},`}${flags} ${packets}`
    default:
      return assertNever(addresses)
  }
}

function rangesInWords({ ranges }: Extract<NatAddresses, { kind: 'ranges' }>): string {
  return listInWords(ranges.map(({ low, high }) => (low === high ? writeAddress(low) : `${writeAddress(low)}-${writeAddress(high)}`)), 'or')
}

function portsInWords({ low, high, base }: NumberRange & { readonly base?: number }): string {
  const range = low === high ? String(low) : `${low}-${high}`
  return base === undefined ? range : `${range}, counted from ${base},`
}

function trackInWords({ zone, zoneDirection, zoneFromMark, helper }: Extract<Effect, { kind: 'track' }>): Saying {
  const zoned = zoneFromMark ? 'the zone of their mark' : zone === undefined || zone === 0 ? undefined : `zone ${zone}`
  const how = [...(zoned === undefined ? [] : [`in ${zoned}${zoneDirection ? ` (${zoneDirection} direction)` : ''}`]), ...(helper === undefined ? [] : [`with helper ${helper}`])]
  return packets => (how.length === 0 ? `sets up connection tracking for ${packets}` : `tracks, ${listInWords(how, 'and')}, ${packets}`)
}

/** What a participle of an extension's words becomes in a sentence. */
const VERBS: Readonly<Record<string, string>> = { logged: 'logs', copied: 'copies', handed: 'hands', counted: 'counts', audited: 'audits', traced: 'traces' }

function observeInWords(words: string): Saying {
  const [first = '', ...rest] = words.split(' ')
  const verb = VERBS[first]
  if (verb === undefined) return packets => `acts on ${packets}: ${words}`
  return packets => (rest.length === 0 ? `${verb} ${packets}` : packets === 'them' ? `${verb} them ${rest.join(' ')}` : `${verb}, ${rest.join(' ')}, ${packets}`)
}
