/** Large rulesets of four shapes, the same on every run: what the measurements read. */

import { makeRandom } from '../chance.ts'
import type { Random } from '../chance.ts'

/** The shapes: one long chain, many short chains, kube-proxy's services, docker's published ports. */
export const SHAPES = ['flat', 'chained', 'kube-proxy', 'docker'] as const

/** One of the shapes. */
export type Shape = (typeof SHAPES)[number]

/** Returns iptables-save text of about `rules` rules. */
export function makeRuleset(shape: Shape, rules: number): string {
  const random = makeRandom(rules)
  return { flat, chained, 'kube-proxy': kubeProxy, docker }[shape](rules, random)
}

function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  return [`*${name}`, ...chains.map(chain => (/^[A-Z]+$/.test(chain) && !chain.startsWith('DOCKER') ? `:${chain} ACCEPT [0:0]` : `:${chain} - [0:0]`)), ...rules, 'COMMIT', ''].join('\n')
}

function flat(count: number, random: Random): string {
  const rules = Array.from({ length: count }, () => `-A INPUT -s 10.${random(256)}.${random(256)}.${random(256)}/32 -i eth${random(4)} -p tcp -m tcp --dport ${random(65536)} -j ACCEPT`)
  return table('filter', ['INPUT', 'FORWARD', 'OUTPUT'], rules)
}

function chained(count: number, random: Random): string {
  const chains: string[] = []
  const rules: string[] = []
  for (let zone = 0; rules.length < count; zone++) {
    chains.push(`zone${zone}`)
    rules.push(`-A FORWARD -i eth${zone % 8} -o eth${(zone + 1) % 8} -m conntrack --ctstate NEW -j zone${zone}`)
    for (let host = 0; host < 19; host++) {
      const protocol = host % 2 ? 'tcp' : 'udp'
      rules.push(`-A zone${zone} -s 10.${zone % 256}.${host}.0/24 -p ${protocol} -m ${protocol} --dport ${[22, 53, 80, 443, 8080, 3306][random(6)]} -j ACCEPT`)
    }
  }
  return table('filter', ['INPUT', 'FORWARD', 'OUTPUT', ...chains], rules)
}

function kubeProxy(count: number, random: Random): string {
  const chains = ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING', 'KUBE-SERVICES', 'KUBE-MARK-MASQ']
  const rules = ['-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000']
  const hash = (): string => Array.from({ length: 16 }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[random(32)]).join('')
  for (let service = 0; rules.length < count; service++) {
    const [name, chain, endpoint] = [`ns${service % 50}/svc${service}:http`, `KUBE-SVC-${hash()}`, `KUBE-SEP-${hash()}`]
    const cluster = `10.${96 + (service >> 16)}.${(service >> 8) & 255}.${service & 255}`
    const pod = `10.244.${(service >> 8) & 255}.${service & 255}`
    chains.push(chain, endpoint)
    rules.push(
      `-A KUBE-SERVICES -d ${cluster}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j ${chain}`,
      `-A ${chain} ! -s 10.244.0.0/16 -d ${cluster}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      `-A ${chain} -m comment --comment "${name} -> ${pod}:8080" -j ${endpoint}`,
      `-A ${endpoint} -s ${pod}/32 -m comment --comment "${name}" -j KUBE-MARK-MASQ`,
      `-A ${endpoint} -p tcp -m comment --comment "${name}" -m tcp -j DNAT --to-destination ${pod}:8080`,
    )
  }
  return table('nat', chains, rules)
}

function docker(count: number): string {
  const nat = ['-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', '-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER']
  const filter = ['-A FORWARD -j DOCKER-USER', '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -o docker0 -j DOCKER']
  for (let container = 2; nat.length + filter.length < count; container++) {
    const address = `172.17.${(container >> 8) & 255}.${container & 255}`
    const port = 1024 + (container % 60000)
    nat.push(`-A POSTROUTING -s ${address}/32 -d ${address}/32 -p tcp -m tcp --dport 80 -j MASQUERADE`, `-A DOCKER ! -i docker0 -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${address}:80`)
    filter.push(`-A DOCKER -d ${address}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT`)
  }
  return table('nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING', 'DOCKER'], nat) + table('filter', ['INPUT', 'FORWARD', 'OUTPUT', 'DOCKER', 'DOCKER-USER'], filter)
}
