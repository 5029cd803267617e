/** What the kernel did beside what the simulator says: the data of `5x5 verify`, and the table that a human reads. */

import type { Hook, TableName } from '../ir/hooks.ts'
import { count } from './paint.ts'
import type { Paint, Style } from './paint.ts'

/** A rule, or the end of a built-in chain, over all packets. */
export interface VerifiedRule {
  readonly namespace: string
  readonly family: 'ipv4' | 'ipv6'
  readonly table: TableName
  readonly chain: string
  readonly hook?: Hook
  /** 1-based. */
  readonly number: number | 'policy'
  /** `host.rules:7`, '' where no line says it. */
  readonly place: string
  /** The rule without `-A CHAIN`, or the chain policy. */
  readonly words: string
  readonly verdict: 'agrees' | 'differs' | 'not exercised'
  /** Packets that hit it. */
  readonly kernel: number
  readonly simulator: number
  /** Why it was not exercised. */
  readonly why?: string
}

/** A packet that was sent, as text, and where the two differ. */
export interface VerifiedPacket {
  /** The packets of its flow up to it. */
  readonly packet: string
  readonly agrees: boolean
  readonly differences: readonly Difference[]
}

/** One thing that the kernel did otherwise; `what` is a rule (`filter INPUT 3`) or what a device sent. */
export interface Difference {
  readonly namespace: string
  readonly what: string
  readonly kernel: string
  readonly simulator: string
}

/** All of a run. */
export interface VerifyReport {
  readonly backend: 'legacy' | 'nft'
  /** Kernel and program, such as `Linux 6.1.0, iptables v1.8.9 (legacy)`. */
  readonly machine: string
  readonly assumptions: readonly string[]
  readonly rules: readonly VerifiedRule[]
  readonly packets: readonly VerifiedPacket[]
}

/** Returns the table, the packets that differ, and the sentence that answers. */
export function writeVerifyReport(report: VerifyReport, paint: Paint): string {
  const several = new Set(report.rules.map(rule => rule.namespace)).size > 1
  const differing = report.packets.filter(packet => !packet.agrees)
  return [
    ...groups(report.rules, several).flatMap(group => [`${paint('strong', group.title)}`, ...rows(group.rules, paint), '']),
    ...differing.flatMap(packet => [...packetRows(packet, several, paint), '']),
    ...(report.assumptions.length === 0 ? [] : ['Assumed, since nobody told (--topology FILE.yaml does):', ...report.assumptions.map(words => `  ${paint('faint', words)}`), '']),
    paint(differing.length === 0 && !report.rules.some(rule => rule.verdict === 'differs') ? 'good' : 'error', answerInWords(report)),
    '',
  ].join('\n')
}

/** Returns the sentence that answers. */
export function answerInWords({ rules, packets, machine }: VerifyReport): string {
  const agreeing = packets.filter(packet => packet.agrees).length
  const differing = rules.filter(rule => rule.verdict === 'differs').length
  const what = packets.length === 0 ? 'No packet was found to send' : agreeing === packets.length ? `The kernel did what the simulator says for ${packets.length === 1 ? 'the one packet' : `all ${packets.length} packets`}` : `The kernel did what the simulator says for ${agreeing} of ${packets.length} packets`
  const policies = rules.filter(rule => rule.number === 'policy')
  const exercised = (of: readonly VerifiedRule[]): number => of.filter(rule => rule.verdict !== 'not exercised').length
  const parts = [`${exercised(rules) - exercised(policies)} of ${count(rules.length - policies.length, 'rule')}`, ...(policies.length === 0 ? [] : [`${exercised(policies)} of ${policies.length} chain ${policies.length === 1 ? 'policy' : 'policies'}`])]
  return `${what}; ${parts.join(' and ')} ${rules.length === 1 ? 'was' : 'were'} exercised${differing === 0 ? '' : `, ${differing} of them with another result`} (${machine}).`
}

interface Group {
  readonly title: string
  readonly rules: readonly VerifiedRule[]
}

function groups(rules: readonly VerifiedRule[], several: boolean): readonly Group[] {
  const found = new Map<string, VerifiedRule[]>()
  const twoFamilies = new Set(rules.map(rule => rule.family)).size > 1
  for (const rule of rules) {
    const title = [several ? rule.namespace : '', twoFamilies ? (rule.family === 'ipv4' ? 'IPv4' : 'IPv6') : '', rule.table, rule.chain].filter(word => word !== '').join(' ')
    found.set(title, [...(found.get(title) ?? []), rule])
  }
  return [...found].map(([title, of]) => ({ title, rules: of }))
}

const STYLES: Readonly<Record<VerifiedRule['verdict'], Style>> = { agrees: 'good', differs: 'error', 'not exercised': 'faint' }

/** Place, verdict, packets, rule; why not on a line of its own. */
function rows(rules: readonly VerifiedRule[], paint: Paint): readonly string[] {
  const places = Math.max(...rules.map(rule => rule.place.length))
  return rules.flatMap(rule => {
    const packets = rule.verdict === 'not exercised' ? '' : rule.verdict === 'differs' ? `${rule.kernel} for ${rule.simulator}` : count(rule.kernel, 'packet')
    const head = `  ${paint('place', rule.place.padEnd(places))}  ${paint(STYLES[rule.verdict], rule.verdict.padEnd(13))}  ${packets.padEnd(10)}  ${rule.words}`.trimEnd()
    return rule.why === undefined ? [head] : [head, `  ${' '.repeat(places)}  ${paint('faint', `(${rule.why})`)}`]
  })
}

function packetRows({ packet, differences }: VerifiedPacket, several: boolean, paint: Paint): readonly string[] {
  const whats = differences.map(({ namespace, what }) => (several ? `${namespace}: ${what}` : what))
  const width = Math.max(0, ...whats.map(what => what.length))
  return [`${paint('error', 'differs')}: ${packet}`, ...differences.map(({ kernel, simulator }, index) => `  ${(whats[index] ?? '').padEnd(width)}  kernel ${kernel}, simulator ${simulator}`)]
}
