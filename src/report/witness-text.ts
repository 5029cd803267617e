/** What `5x5 witness` prints: a file of packets, or JSON. */

import type { Witness } from '../analyze/witness-flow.ts'
import { writeHostLine } from '../topology/host-line.ts'
import { count } from './paint.ts'
import { placeOf, ruleText } from './rule-words.ts'

/** The witnesses of one file's rules. */
export interface FoundWitnesses {
  readonly path: string
  readonly partial: boolean
  /** Tables whose rules have none since they are too big. */
  readonly tooBig: readonly string[]
  readonly witnesses: readonly Witness[]
  /** The topology file and the namespace that the packets are sent to, where one was given. */
  readonly place?: { readonly topology: string; readonly namespace: string }
}

/** Returns a file as `readPacketFile` takes it, which ends with a comment that answers. */
export function writeWitnesses(found: readonly FoundWitnesses[]): string {
  const all = found.flatMap(one => one.witnesses)
  const reached = all.filter(({ kind }) => kind === 'packets').length
  const dead = all.filter(({ kind }) => kind === 'dead').length
  const open = all.length - reached - dead
  const blocks = found.flatMap(({ place, witnesses, tooBig }) => [...(place ? [`# sent to namespace ${place.namespace} of ${place.topology} (--topology ${place.topology})\n`] : []), ...witnesses.map(asText), ...tooBig.map(name => `# the ${name} table is too big: its rules have no packets here\n`)])
  const rest = [...(dead === 0 ? [] : [`${dead} ${dead === 1 ? 'is' : 'are'} reached by none`]), ...(open === 0 ? [] : [`for ${open} none was found`])]
  return `${blocks.join('\n')}${blocks.length === 0 ? '' : '\n'}# ${all.length === 0 ? 'there are no rules' : `${reached} of ${count(all.length, 'rule')} ${reached === 1 ? 'has its' : 'have their'} packets`}${rest.length === 0 ? '' : `; ${rest.join(', ')}`}\n`
}

/** Returns the same for JSON. */
export function witnessJson(found: readonly FoundWitnesses[]): unknown {
  return { files: found.map(({ witnesses, place, ...file }) => ({ ...file, ...(place ? { namespace: place.namespace } : {}), rules: witnesses.map(asJson) })) }
}

function asText(found: Witness): string {
  const { rule, chain } = found.at
  const head = `# ${placeOf(rule)}  ${chain.table} ${chain.name}  ${ruleText(rule)}\n`
  if (found.kind === 'dead') return `${head}#   ${whyDead(found)}\n`
  if (found.kind === 'unconfirmed') return `${head}#   no packets: ${found.why}\n`
  if (found.of) return `${head}#   the packets for ${placeOf(found.of.rule)} meet it\n`
  const { host, conditions, packets } = found.flow
  return [head, ...(host ? [`host ${writeHostLine(host)}\n`] : []), ...[...conditions].map(([key, value]) => `${value ? 'if' : 'unless'} ${key}\n`), ...packets.map(packet => `${packet}\n`)].join('')
}

function asJson(found: Witness): unknown {
  const { at } = found
  const place = { place: placeOf(at.rule), table: at.chain.table, chain: at.chain.name, number: at.number }
  if (found.kind !== 'packets') return { ...place, packets: [], conditions: [], why: found.kind === 'dead' ? whyDead(found) : found.why }
  if (found.of) return { ...place, packets: [], conditions: [], metBy: placeOf(found.of.rule) }
  const { packets, host, conditions } = found.flow
  return { ...place, packets, ...(host ? { host: writeHostLine(host) } : {}), conditions: [...conditions].map(([words, value]) => ({ words, value })) }
}

function whyDead({ where }: Extract<Witness, { kind: 'dead' }>): string {
  return where === 'table' ? 'no packet reaches it' : 'no packet reaches it on this topology: its devices, its routes and the other tables see to it'
}
