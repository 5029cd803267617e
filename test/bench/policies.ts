/**
 * Large policies of a realistic mixture (zones, lists, services, limits, logs, published services, raw rules, comments), the same on every
 * run, and the same sentences for ferm, of IPv4 alone: what the measurements read.
 */

import { makeRandom } from '../chance.ts'
import type { Random } from '../chance.ts'

/** A policy, and what ferm is given in its place. */
export interface PolicyTexts {
  readonly gate: string
  readonly ferm: string
}

/** Returns a policy of so many statements. */
export function makePolicy(statements: number): PolicyTexts {
  const making: Making = { random: makeRandom(statements), lists: [], gate: [], ferm: [] }
  for (const zone of ZONES) making.gate.push(`zone ${zone.name} = ${zone.device}${zone.at === '' ? '' : `  at ${zone.at}`}`)
  making.gate.push('default drop log limit 10/min', '')
  const lists = Math.max(4, Math.floor(statements / 25))
  for (let index = 0; index < lists; index++) makeList(making, index)
  for (let index = ZONES.length + 1 + lists; index < statements; index++) makeStatement(making, index)
  return { gate: `${making.gate.join('\n')}\n`, ferm: `${making.ferm.join('\n')}\n` }
}

interface Making {
  readonly random: Random
  readonly lists: string[]
  readonly gate: string[]
  readonly ferm: string[]
}

const ZONES = [
  { name: 'wan', device: 'eth0', at: '' },
  ...['lan', 'dmz', 'guests', 'voice', 'storage', 'office', 'lab', 'vpn'].map((name, index) => ({ name, device: `eth${index + 1}`, at: `10.${index + 1}.0.0/16, 2001:db8:${index + 1}::/48` })),
] as const

const SERVICES = [
  { gate: 'ssh', ferm: 'proto tcp dport 22' },
  { gate: 'http, https', ferm: 'proto tcp dport (80 443)' },
  { gate: 'dns', ferm: 'proto (tcp udp) dport 53' },
  { gate: 'ntp', ferm: 'proto udp dport 123' },
  { gate: 'ping', ferm: 'proto icmp icmp-type echo-request' },
  { gate: 'smtp, submission', ferm: 'proto tcp dport (25 587)' },
  { gate: 'udp/33434-33534', ferm: 'proto udp dport 33434:33534' },
  { gate: 'tcp/8000-8100, tcp/9090', ferm: 'proto tcp dport (8000:8100 9090)' },
] as const

/** Most lists are short; one in forty is long enough for an ipset. */
function makeList({ random, lists, gate, ferm }: Making, index: number): void {
  const name = `group-${index}`
  const size = index % 40 === 7 ? 20 + random(20) : 1 + random(5)
  const addresses = Array.from({ length: size }, () => publicAddress(random))
  const six = index % 3 === 0 ? [`2001:db8:ff:${index.toString(16)}::/64`] : []
  lists.push(name)
  gate.push(`let ${name} = ${[...addresses, ...six].join(', ')}`)
  ferm.push(`@def $${name.replace('-', '_')} = (${addresses.join(' ')});`)
}

function publicAddress(random: Random): string {
  return `${11 + random(100)}.${random(256)}.${random(256)}.${1 + random(254)}`
}

function makeStatement(making: Making, index: number): void {
  const { random, gate, ferm } = making
  if (index % 50 === 0) gate.push('', `# ticket ${1000 + index}: what the team of ${zoneOf(random).name} asked for`)
  const kind = random(100)
  if (kind < 5) return publish(making, index)
  if (kind < 6) {
    const host = publicAddress(random)
    gate.push(`raw ipv4 filter INPUT first \`-s ${host} -m length --length 0:40 -j DROP\``)
    ferm.push(`domain ip table filter chain INPUT saddr ${host} mod length length 0:40 DROP;`)
    return
  }
  const service = serviceOf(random)
  const from = endOf(making, 'from')
  const to = endOf(making, 'to')
  const verb = kind < 12 ? 'deny' : 'allow'
  const clauses = verb === 'deny' ? (kind < 8 ? ' log limit 5/min' : '') : kind < 15 ? ' limit 10/min per source burst 20' : kind < 17 ? ' limit 50/sec' : kind < 18 ? ' until 2035-12-31' : ''
  const reason = index % 3 === 0 ? `  "NET-${index} asked for by ${zoneOf(random).name}"` : ''
  gate.push(`${verb} ${service.gate} from ${from.gate} to ${to.gate}${clauses}${reason}`)
  const comment = reason === '' ? '' : ` mod comment comment ${reason.trim()}`
  ferm.push(`domain ip table filter chain ${to.gate === 'fw' ? 'INPUT' : 'FORWARD'} ${from.ferm} ${to.ferm} ${service.ferm}${comment}${fermClauses(clauses, index)} ${verb === 'deny' ? 'DROP' : 'ACCEPT'};`)
}

function fermClauses(clauses: string, index: number): string {
  if (clauses.includes('per source')) return ` mod hashlimit hashlimit-upto 10/minute hashlimit-burst 20 hashlimit-mode srcip hashlimit-name l${index}`
  if (clauses.includes('50/sec')) return ' mod limit limit 50/second'
  return clauses.includes('until') ? ' mod time datestop 2035-12-31T23:59:59' : ''
}

function publish({ random, gate, ferm }: Making, index: number): void {
  const [dialled, port] = [1024 + random(60000), [80, 443, 8443][random(3)] ?? 80]
  const [host, on] = [`10.2.${random(256)}.${1 + random(254)}`, `203.0.113.${1 + random(250)}`]
  gate.push(`publish tcp/${dialled} on ${on} to ${host}:${port} from wan, lan  "service ${index}"`)
  ferm.push(
    `domain ip table nat chain PREROUTING interface (eth0 eth1) daddr ${on} proto tcp dport ${dialled} mod comment comment "service ${index}" DNAT to ${host}:${port};`,
    `domain ip table filter chain FORWARD daddr ${host} proto tcp dport ${port} mod conntrack ctstate DNAT ctorigdst ${on} ctorigdstport ${dialled} ACCEPT;`,
  )
}

function zoneOf(random: Random): (typeof ZONES)[number] {
  return ZONES[random(ZONES.length)] ?? ZONES[0]
}

interface Said {
  readonly gate: string
  readonly ferm: string
}

function serviceOf(random: Random): Said {
  const known = SERVICES[random(SERVICES.length * 2)]
  const [protocol, port] = [random(4) === 0 ? 'udp' : 'tcp', 1 + random(65535)]
  return known ?? { gate: `${protocol}/${port}`, ferm: `proto ${protocol} dport ${port}` }
}

/** A zone, two of them, a list of addresses, a list in a zone, an address, or the firewall. */
function endOf({ random, lists }: Making, clause: 'from' | 'to'): Said {
  const [device, address] = clause === 'from' ? ['interface', 'saddr'] : ['outerface', 'daddr']
  const zone = zoneOf(random)
  const list = lists[random(lists.length)] ?? ''
  const variable = `$${list.replace('-', '_')}`
  switch (random(clause === 'from' ? 7 : 6)) {
    case 0:
    case 1:
      return { gate: zone.name, ferm: inZone(zone, device, address) }
    case 2: {
      const other = ZONES[(ZONES.indexOf(zone) + 1) % ZONES.length] ?? zone
      return { gate: `${zone.name}, ${other.name}`, ferm: `${device} (${zone.device} ${other.device})` }
    }
    case 3: {
      const host = `10.${1 + random(8)}.${random(256)}.${1 + random(254)}`
      return { gate: host, ferm: `${address} ${host}` }
    }
    case 4:
      return clause === 'to' ? { gate: 'fw', ferm: '' } : { gate: list, ferm: `${address} ${variable}` }
    case 5:
      return clause === 'to' ? { gate: 'fw', ferm: '' } : { gate: `${list} in wan`, ferm: `interface eth0 ${address} ${variable}` }
    default: {
      const host = publicAddress(random)
      return { gate: host, ferm: `${address} ${host}` }
    }
  }
}

function inZone({ device, at }: (typeof ZONES)[number], option: string, address: string): string {
  return `${option} ${device}${at === '' ? '' : ` ${address} ${at.split(',')[0] ?? ''}`}`
}
