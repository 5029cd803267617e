/** Large rulesets that analyses are measured on, the same on every run: random first-match rules, and kube-proxy with all that it writes for a service. */

import { writeAddress } from '../../src/net/address.ts'
import { makeRandom } from '../chance.ts'

const PORTS = [21, 22, 23, 25, 53, 80, 110, 123, 143, 161, 389, 443, 445, 465, 514, 587, 636, 853, 873, 993, 995, 1194, 1433, 1521, 2049, 3128, 3306, 3389, 5060, 5432, 5900, 6379, 8000, 8080, 8443, 9090, 9200, 11211, 27017, 51820]
const LENGTHS = [12, 16, 20, 24, 26, 32]

/** Returns one chain of rules that each test source, destination prefix, device, protocol, port and state; half of them drop. Hosts are few enough that some rules shadow others. */
export function firstMatchRules(count: number): string {
  const random = makeRandom(count)
  const pick = (list: readonly number[]): number => list[random(list.length)] ?? 0
  const rules = Array.from({ length: count }, () => {
    const source = writeAddress(0x0a000000 + random(count >> 2))
    const length = pick(LENGTHS)
    const destination = writeAddress(((0xac100000 + random(1 << 20)) & (-1 << (32 - length))) >>> 0)
    const protocol = random(4) === 0 ? 'udp' : 'tcp'
    return `-A FORWARD -s ${source}/32 -d ${destination}/${length} -i eth${random(8)} -p ${protocol} -m ${protocol} --dport ${pick(PORTS)} -m conntrack --ctstate ${random(3) === 0 ? 'RELATED,ESTABLISHED' : 'NEW'} -j ${random(2) === 0 ? 'ACCEPT' : 'DROP'}`
  })
  return ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n')
}

/** What kube-proxy writes for one service. */
interface Service {
  readonly chains: readonly string[]
  readonly entries: readonly string[]
  readonly nodePorts: readonly string[]
  readonly rules: readonly string[]
  readonly filter: readonly string[]
}

const ENDPOINTS = 3

/** Returns the tables of kube-proxy for so many services with three endpoints each; some have node ports, source ranges, or no endpoints. */
export function serviceRules(count: number): string {
  const services = Array.from({ length: count }, (_, number) => makeService(number))
  return filterTable(services) + natTable(services)
}

function makeService(number: number): Service {
  const cluster = `10.${96 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}/32`
  const [svc, ext, comment] = [`KUBE-SVC-${nameOf(number)}`, `KUBE-EXT-${nameOf(number)}`, `-m comment --comment "ns${number % 50}/svc${number}:http"`]
  const toCluster = `-d ${cluster} -p tcp ${comment} -m tcp --dport 80`
  if (number % 40 === 39) return { chains: [], entries: [], nodePorts: [], rules: [], filter: [`-A KUBE-SERVICES ${toCluster} -j REJECT --reject-with icmp-port-unreachable`] }
  const endpoints = Array.from({ length: ENDPOINTS }, (_, index) => ({ chain: `KUBE-SEP-${nameOf(number, index)}`, pod: `10.${240 + index}.${(number >> 8) & 255}.${number & 255}` }))
  const chance = (index: number): string => (index === ENDPOINTS - 1 ? '' : ` -m statistic --mode random --probability ${(1 / (ENDPOINTS - index)).toFixed(11)}`)
  const isOutside = number % 8 === 0
  return {
    chains: [svc, ...endpoints.map(({ chain }) => chain), ...(isOutside ? [ext] : [])],
    entries: [`-A KUBE-SERVICES ${toCluster} -j ${svc}`],
    nodePorts: isOutside ? [`-A KUBE-NODEPORTS -p tcp ${comment} -m tcp --dport ${30000 + (number >> 3)} -j ${ext}`] : [],
    rules: [
      ...(isOutside ? [`-A ${ext} ${comment} -j KUBE-MARK-MASQ`, `-A ${ext} -j ${svc}`] : []),
      `-A ${svc} ! -s 10.240.0.0/12 ${toCluster} -j KUBE-MARK-MASQ`,
      ...endpoints.map(({ chain }, index) => `-A ${svc} ${comment}${chance(index)} -j ${chain}`),
      ...endpoints.flatMap(({ chain, pod }) => [`-A ${chain} -s ${pod}/32 ${comment} -j KUBE-MARK-MASQ`, `-A ${chain} -p tcp ${comment} -m tcp -j DNAT --to-destination ${pod}:8080`]),
    ],
    filter: [],
  }
}

/** Sixteen letters, as kube-proxy's hashes have. */
function nameOf(service: number, endpoint = ENDPOINTS): string {
  return (service * (ENDPOINTS + 1) + endpoint).toString(26).replace(/./g, digit => String.fromCharCode(65 + Number.parseInt(digit, 26))).padEnd(16, '2')
}

function filterTable(services: readonly Service[]): string {
  return [
    '*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':KUBE-FIREWALL - [0:0]', ':KUBE-FORWARD - [0:0]', ':KUBE-SERVICES - [0:0]',
    '-A INPUT -j KUBE-FIREWALL',
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -j KUBE-FIREWALL',
    '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    '-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT',
    '-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ...services.flatMap(({ filter }) => filter), 'COMMIT', '',
  ].join('\n')
}

function natTable(services: readonly Service[]): string {
  return [
    '*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', ':KUBE-MARK-MASQ - [0:0]', ':KUBE-NODEPORTS - [0:0]', ':KUBE-POSTROUTING - [0:0]', ':KUBE-SERVICES - [0:0]',
    ...services.flatMap(({ chains }) => chains).map(chain => `:${chain} - [0:0]`),
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    ...services.flatMap(({ nodePorts }) => nodePorts),
    ...services.flatMap(({ entries }) => entries),
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
    ...services.flatMap(({ rules }) => rules), 'COMMIT', '',
  ].join('\n')
}
