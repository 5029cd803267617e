/** IP protocol numbers and their names. Source: /etc/protocols as Debian ships it; libxtables xtables_chain_protos[]. */

/** Protocol numbers that our code refers to. */
export const PROTOCOL = { all: 0, icmp: 1, tcp: 6, udp: 17, dccp: 33, gre: 47, esp: 50, ah: 51, icmpv6: 58, ipcomp: 108, sctp: 132, mh: 135, udplite: 136 } as const

/** Protocols whose ports engines publish, in the order in which dockerd sorts them. */
export const PORT_PROTOCOLS = ['tcp', 'udp', 'sctp'] as const

/** A protocol whose ports can be published. */
export type PortProtocol = (typeof PORT_PROTOCOLS)[number]

/** The names that libxtables itself knows, preferred in saved text. */
const XTABLES_NAMES: readonly (readonly [string, number])[] = [
  ['tcp', 6], ['sctp', 132], ['udp', 17], ['udplite', 136], ['icmp', 1], ['ipv6-icmp', 58], ['icmpv6', 58], ['esp', 50],
  ['ah', 51], ['mobility-header', 135], ['ipv6-mh', 135], ['mh', 135], ['dccp', 33], ['ipcomp', 108], ['all', 0],
]

/** Further names of /etc/protocols, by number. */
const REGISTERED_NAMES: readonly (readonly [string, number])[] = [
  ['ip', 0], ['hopopt', 0], ['igmp', 2], ['ggp', 3], ['ipencap', 4], ['st', 5], ['egp', 8], ['igp', 9], ['pup', 12], ['hmp', 20],
  ['xns-idp', 22], ['rdp', 27], ['iso-tp4', 29], ['xtp', 36], ['ddp', 37], ['idpr-cmtp', 38], ['ipv6', 41], ['ipv6-route', 43],
  ['ipv6-frag', 44], ['idrp', 45], ['rsvp', 46], ['gre', 47], ['skip', 57], ['ipv6-nonxt', 59], ['ipv6-opts', 60], ['rspf', 73],
  ['vmtp', 81], ['eigrp', 88], ['ospf', 89], ['ax.25', 93], ['ipip', 94], ['etherip', 97], ['encap', 98], ['pim', 103],
  ['vrrp', 112], ['l2tp', 115], ['isis', 124], ['fc', 133], ['mpls-in-ip', 137], ['manet', 138], ['hip', 139], ['shim6', 140],
  ['wesp', 141], ['rohc', 142], ['ethernet', 143],
]

const NUMBER_OF = new Map<string, number>([...REGISTERED_NAMES, ...REGISTERED_NAMES.map(([name, number]) => [name.toUpperCase(), number] as const), ...XTABLES_NAMES])
const NAME_OF = new Map<number, string>([...XTABLES_NAMES].reverse().map(([name, number]) => [number, name]))
const ANY_NAME_OF = new Map<number, string>([...[...REGISTERED_NAMES].reverse().map(([name, number]) => [number, name] as const), ...NAME_OF])

/** Returns the number of a protocol name, undefined for an unknown one. Numbers are not read here. */
export function protocolNumber(name: string): number | undefined {
  return NUMBER_OF.get(name)
}

/** Returns every protocol name, for "did you mean". */
export function protocolNames(): readonly string[] {
  return [...NUMBER_OF.keys()].filter(name => name === name.toLowerCase())
}

/** Returns the name that iptables-save prints for a protocol, undefined where it prints the number. /etc/protocols comes first. */
export function savedProtocolName(number: number): string | undefined {
  return ANY_NAME_OF.get(number)
}

/** Returns a protocol as a reader knows it: its name, or `protocol 123`. */
export function protocolInWords(number: number): string {
  return ANY_NAME_OF.get(number) ?? `protocol ${number}`
}
