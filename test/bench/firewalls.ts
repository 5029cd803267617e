/** Small rulesets as hosts have them, for measuring what one packet costs. */

/** The kinds: a gateway with connection states and nat; the same rules without states, so that every packet sees them all; docker's. */
export const FIREWALLS = ['gateway', 'stateless', 'docker'] as const

/** One of the kinds. */
export type FirewallKind = (typeof FIREWALLS)[number]

/** Returns iptables-save text of about `rules` rules. */
export function makeFirewall(kind: FirewallKind, rules: number): string {
  return kind === 'docker' ? dockerHost(rules) : gateway(rules, kind === 'gateway')
}

const PORTS = [22, 53, 80, 443, 8080, 3306, 5432, 6379, 9100]

/** The last rules are the ones that let in what the measurement sends. */
function gateway(count: number, knowsStates: boolean): string {
  const states = (chain: string): string[] => (knowsStates ? [`-A ${chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`, `-A ${chain} -m conntrack --ctstate INVALID -j DROP`] : [])
  const half = Math.floor((count - 10) / 2)
  const hosts = (chain: string): string[] =>
    Array.from({ length: half }, (_, index) => {
      const protocol = index % 3 ? 'tcp' : 'udp'
      const port = PORTS[index % PORTS.length]
      const target = index % 11 ? 'ACCEPT' : 'DROP'
      return `-A ${chain} -s 192.0.${index % 256}.0/24 -i eth${index % 2} -p ${protocol} -m ${protocol} --dport ${port} -j ${target}`
    })
  return [
    '*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]',
    '-A PREROUTING -d 203.0.113.2/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.3.7:8080',
    '-A POSTROUTING -s 10.0.0.0/16 -o eth0 -j MASQUERADE', 'COMMIT',
    '*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]',
    ...states('INPUT'), ...hosts('INPUT'), '-A INPUT -p tcp -j ACCEPT', '-A INPUT -p udp -m udp --dport 1:65535 -j ACCEPT',
    ...states('FORWARD'), ...hosts('FORWARD'), '-A FORWARD -d 10.0.3.7/32 -j ACCEPT', '-A FORWARD -s 10.0.3.7/32 -o eth0 -j ACCEPT',
    'COMMIT', '',
  ].join('\n')
}

function dockerHost(count: number): string {
  const containers = Array.from({ length: Math.floor((count - 12) / 4) }, (_, index) => ({ address: `172.17.0.${index + 2}`, port: 9000 + index }))
  return [
    '*raw', ':PREROUTING ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...containers.map(({ address }) => `-A PREROUTING -d ${address}/32 ! -i docker0 -j DROP`), 'COMMIT',
    '*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', ':DOCKER - [0:0]',
    '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', '-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER', '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE',
    ...containers.map(({ address }) => `-A POSTROUTING -s ${address}/32 -d ${address}/32 -p tcp -m tcp --dport 80 -j MASQUERADE`),
    ...containers.map(({ address, port }) => `-A DOCKER ! -i docker0 -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${address}:80`), 'COMMIT',
    '*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':DOCKER - [0:0]', ':DOCKER-FORWARD - [0:0]', ':DOCKER-USER - [0:0]',
    '-A FORWARD -j DOCKER-USER', '-A FORWARD -j DOCKER-FORWARD',
    '-A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A DOCKER-FORWARD -o docker0 -j DOCKER', '-A DOCKER-FORWARD -i docker0 -j ACCEPT',
    ...containers.map(({ address }) => `-A DOCKER -d ${address}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT`), 'COMMIT', '',
  ].join('\n')
}
