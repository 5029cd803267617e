/** Listening sockets as /proc/net/tcp, tcp6, udp and udp6 tell of them -> lines of a topology file. */

import { writeAddress } from '../net/address.ts'

/** The state column of a socket that waits: TCP_LISTEN, and for UDP a socket that is not connected. Source: include/net/tcp_states.h. */
const WAITING: Readonly<Record<string, string>> = { tcp: '0A', tcp6: '0A', udp: '07', udp6: '07' }

/** Returns `tcp 192.0.2.1:80`, `udp [::]:53`, ...; each once, sorted by protocol and port. The numbers are those of a little-endian machine. */
export function snapshotSockets(files: Readonly<Record<string, string>>): readonly string[] {
  const found = Object.entries(files).flatMap(([name, text]) => text.split('\n').flatMap(line => readLine(line, name)))
  const sorted = found.sort((one, other) => one.protocol.localeCompare(other.protocol) || one.port - other.port || one.place.localeCompare(other.place))
  return [...new Set(sorted.map(({ protocol, place, port }) => `${protocol} ${place}:${port}`))]
}

interface FoundSocket {
  readonly protocol: string
  readonly place: string
  readonly port: number
}

/** Source: net/ipv4/tcp_ipv4.c get_tcp4_sock(): addresses are words in the machine's byte order, ports are not. */
function readLine(line: string, file: string): readonly FoundSocket[] {
  const [, address = '', port = '', state] = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line) ?? []
  if (state === undefined || state !== WAITING[file] || Number.parseInt(port, 16) === 0) return []
  const words = (address.match(/.{8}/g) ?? []).map(word => (word.match(/../g) ?? []).reverse().join(''))
  const protocol = file.replace('6', '')
  const place = words.length === 1 ? writeAddress(Number.parseInt(words.join(''), 16)) : `[${writeAddress(BigInt(`0x${words.join('')}`))}]`
  return [{ protocol, place, port: Number.parseInt(port, 16) }]
}
