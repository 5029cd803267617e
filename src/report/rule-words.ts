/** Rules and packets as a trace shows them. */

import { lineOf, textOf } from '../diagnostics/source-file.ts'
import type { Chain, Rule } from '../ir/ruleset.ts'
import { writeEndpoint } from '../packet/endpoint.ts'
import type { Packet } from '../packet/packet.ts'
import { writePacket } from '../packet/write-packet.ts'
import type { Change } from '../simulate/trace-events.ts'
import { printable } from './paint.ts'

/** Returns `file:line` of a rule or of a chain's declaration; empty for a chain that the text leaves out. */
export function placeOf({ span }: Pick<Rule, 'span'> | Pick<Chain, 'span'>): string {
  return span ? `${span.source.path}:${lineOf(span)}` : ''
}

/** Returns a rule's text without `-A CHAIN` and what stands before it. */
export function ruleText(rule: Rule): string {
  const text = textOf(rule.span)
  const head = /^\s*(?:\[\d+:\d+\]\s*)?(?:.*?\s)??(?:-A|--append|-I|--insert|-R|--replace)\s+\S+(?:\s+\d+(?=\s|$))?\s*/.exec(text)
  return printable(text.slice(head?.[0].length ?? 0)) || '(every packet, no target)'
}

/** Returns a packet in the packet notation without what answers no question about its way. */
export function packetText(packet: Packet): string {
  return writePacket(bare(packet), { brief: true })
}

/** Without the metadata of the frame and the sender, of a quoted packet too. */
function bare({ macSource: _, socket: __, ...packet }: Packet): Packet {
  const { icmp } = packet
  return icmp?.inner ? { ...packet, icmp: { ...icmp, inner: bare(icmp.inner) } } : packet
}

/** Returns changes as sentences such as `destination 203.0.113.2:8080 -> 192.0.2.2:80`; `packet` is the packet afterwards. */
export function changesInWords(changes: readonly Change[], packet: Packet): readonly string[] {
  const of = (field: Change['field']) => changes.find(change => change.field === field)
  const ends = [
    endInWords('source', of('ip.src'), of('l4.sport'), packet.src, packet.sport),
    endInWords('destination', of('ip.dst'), of('l4.dport'), packet.dst, packet.dport),
  ]
  const others = changes.filter(({ field }) => !/^(ip\.(src|dst)|l4\.)/.test(field)).map(plainChange)
  return [...ends.filter(words => words !== undefined), ...others]
}

function endInWords(which: string, address: Change | undefined, port: Change | undefined, addressNow: Packet['src'], portNow: number | undefined): string | undefined {
  if (!address && !port) return undefined
  const before = end(address?.before ?? addressNow, port ? Number(port.before) : portNow)
  return `${which} ${before} -> ${end(address?.after ?? addressNow, port ? Number(port.after) : portNow)}`
}

function end(address: Packet['src'], port: number | undefined): string {
  return writeEndpoint(port === undefined ? { address } : { address, port })
}

const CHANGE_NAMES: Readonly<Record<Change['field'], string>> = {
  'ip.src': 'source', 'ip.dst': 'destination', 'l4.sport': 'source port', 'l4.dport': 'destination port', 'icmp.id': 'icmp id', 'ip.ttl': 'ttl',
  'ip.tos': 'tos', mark: 'mark', 'ct.mark': 'connection mark', priority: 'priority', 'tcp.flags': 'TCP flags', 'tcp.mss': 'MSS', 'quoted packet': 'the quoted packet',
}

function plainChange({ field, before, after }: Change): string {
  if (field === 'quoted packet') return 'the quoted packet is translated too'
  const isHex = field === 'mark' || field === 'ct.mark' || field === 'ip.tos' || field === 'tcp.flags'
  const say = (value: Change['before']) => (value === undefined ? 'none' : isHex ? `0x${value.toString(16)}` : String(value))
  return `${CHANGE_NAMES[field]} ${say(before)} -> ${say(after)}`
}
