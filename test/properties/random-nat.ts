/** Random sentences about address translation, as text and as data. */

import { endsText, EVERYBODY, joinWords, makeEnds, waysText } from './random-universe.ts'
import type { Making, RandomEnds, RandomFamily, RandomTraffic } from './random-universe.ts'

/** A published service. */
export interface RandomPublish {
  readonly kind: 'publish'
  readonly traffic: readonly RandomTraffic[]
  readonly on: readonly string[]
  readonly to: string
  readonly port?: number
  readonly from: RandomEnds
}

/** Connections that are sent to a port of the firewall itself. */
export interface RandomRedirect {
  readonly kind: 'redirect'
  readonly traffic: readonly RandomTraffic[]
  readonly from: RandomEnds
  readonly port: number
  readonly families: readonly RandomFamily[]
}

/** Source NAT; without `to` connections get the address of the device that they leave by. */
export interface RandomSourceNat {
  readonly kind: 'sourceNat'
  readonly from: RandomEnds
  readonly out: string
  readonly to?: string
  readonly family: RandomFamily
}

/** A sentence with its line. */
export interface MadeNat {
  readonly sentences: readonly [RandomPublish | RandomRedirect | RandomSourceNat]
  readonly lines: readonly [string]
}

interface Dialled {
  readonly text: string
  readonly traffic: readonly RandomTraffic[]
}

/** One port, several, a range, a whole protocol: only the first two can be sent to one port. */
const DIALLED: readonly Dialled[] = [
  { text: 'tcp/80', traffic: [port(6, 80)] },
  { text: 'tcp/443', traffic: [port(6, 443)] },
  { text: 'tcp/8080', traffic: [port(6, 8080)] },
  { text: 'dns, http', traffic: [port(6, 53), port(17, 53), port(6, 80)] },
  { text: 'tcp/80-90, udp/443', traffic: [{ protocol: 6, low: 80, high: 90 }, port(17, 443)] },
  { text: 'gre, tcp/22', traffic: [{ protocol: 47 }, port(6, 22)] },
]

function port(protocol: number, number: number): RandomTraffic {
  return { protocol, low: number, high: number }
}

const BOTH: readonly RandomFamily[] = ['ipv4', 'ipv6']

/** Returns a published service; a family picks its addresses among those of both. */
export function makePublish(making: Making): MadeNat {
  const { chance } = making
  const family = chance.once(4) ? 'ipv6' : 'ipv4'
  const isPicked = chance.once(4)
  const [on, to] = family === 'ipv6' ? [['2001:db8::2'], '2001:db8:b::10'] : [chance.once(4) ? ['203.0.113.2', '203.0.113.7'] : ['203.0.113.2'], chance.pick(['10.0.1.10', '192.168.10.5', '198.51.100.7'])]
  const written = isPicked ? [...on, family === 'ipv4' ? '2001:db8::2' : '203.0.113.2'] : on
  const changesPort = chance.once(2)
  const { text, traffic } = chance.pick(changesPort ? DIALLED.slice(0, 4) : DIALLED)
  const number = changesPort ? chance.pick([22, 80, 8443]) : undefined
  const from = chance.once(3) ? EVERYBODY : makeEnds(making, 'from')
  const target = number === undefined ? to : to.includes(':') ? `[${to}]:${number}` : `${to}:${number}`
  return {
    sentences: [{ kind: 'publish', traffic, on, to, from, ...(number === undefined ? {} : { port: number }) }],
    lines: [joinWords([`publish ${text} on ${written.join(', ')} to ${target}`, waysText(from, undefined), isPicked ? family : undefined])],
  }
}

/** Returns a redirection. */
export function makeRedirect(making: Making): MadeNat {
  const { chance } = making
  const { text, traffic } = chance.pick(DIALLED.slice(0, 5))
  const number = chance.pick([3128, 80])
  const from = chance.once(3) ? EVERYBODY : makeEnds(making, 'from')
  const family = chance.once(4) ? chance.pick(BOTH) : undefined
  return { sentences: [{ kind: 'redirect', traffic, port: number, from, families: family ? [family] : BOTH }], lines: [joinWords([`redirect ${text}`, waysText(from, undefined), `to port ${number}`, family])] }
}

/** Returns source NAT: where a packet came in is not seen, so zones without addresses are refused. Masquerading alone is for IPv4. */
export function makeSourceNat(making: Making): MadeNat {
  const { chance, zones } = making
  const fitting: Making = { ...making, zones: zones.filter(({ at }) => at) }
  const from = fitting.zones.length === 0 || chance.once(4) ? EVERYBODY : makeEnds(fitting, 'from')
  const out = chance.pick(zones).name
  const to = chance.once(2) ? undefined : chance.pick(['203.0.113.3', '203.0.113.4', '2001:db8::3'])
  const word = to === undefined && chance.once(2) ? chance.pick(BOTH) : undefined
  const words = from === EVERYBODY ? 'any' : endsText(from)
  const family = to?.includes(':') ? 'ipv6' : (word ?? 'ipv4')
  return {
    sentences: [{ kind: 'sourceNat', from, out, ...(to === undefined ? {} : { to }), family }],
    lines: [joinWords([to === undefined ? `masquerade ${words} out ${out}` : `snat ${words} out ${out} to ${to}`, word ?? (to === undefined || chance.once(2) ? undefined : family)])],
  }
}
