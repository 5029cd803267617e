/** The gateway of fixtures/policy/gateway as network namespaces: wan, lan, a dmz with two hosts, a docker bridge with a container; and real connections between them. */

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'

/** A connection to try, and what must come of it: `server source`, or `nothing`. */
export interface Connection {
  readonly line: string
  readonly place: string
  readonly source: string
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly address: string
  readonly port: number
  readonly expected: string
}

/** Reads connections.txt. */
export function readConnections(text: string): readonly Connection[] {
  return text.split('\n').filter(line => line.trim() !== '' && !line.startsWith('#')).map(line => {
    const [, place = '', source = '', protocol = '', address = '', port = '0', expected = ''] = /^(\S+)\s+(\S+)\s+(\S+)\s+\[?([^\]\s]+?)\]?(?::(\d+))?\s+->\s+(.*)$/.exec(line.replace(/(icmp\s+)(\S+:\S*:\S+)/, '$1[$2]')) ?? []
    return { line: line.replaceAll(/\s+/g, ' '), place, source, protocol: protocol === 'udp' || protocol === 'icmp' ? protocol : 'tcp', address, port: Number(port), expected: expected.trim() }
  })
}

/** A built lab. */
export interface PolicyLab {
  /** Runs iptables-restore or another program of a family in the gateway, with text on standard input; throws where it fails. */
  readonly onGateway: (family: Family, program: 'restore' | 'save', words?: readonly string[], input?: string) => string
  /** Tries all connections at once from each place; returns what came of each, in their order. */
  readonly connect: (connections: readonly Connection[]) => Promise<readonly string[]>
  readonly remove: () => void
}

const SERVERS: Readonly<Record<string, readonly string[]>> = {
  fw: ['tcp:22', 'tcp:53', 'tcp:7777', 'tcp:80', 'tcp:443', 'udp:53'],
  wan: ['tcp:25', 'tcp:80', 'tcp:443', 'udp:53', 'udp:123'],
  lan: ['tcp:22', 'udp:53'],
  web: ['tcp:8080', 'tcp:8443', 'tcp:22'],
  dmz: ['tcp:5432', 'tcp:22'],
  container: ['tcp:80', 'tcp:9999'],
}

/** Seconds until a connection counts as nothing: below the second SYN. */
const PATIENCE = '0.9'

const ACTORS = 'test/kernel/policy-actors.py'

/** Builds the namespaces and starts the servers. */
export async function makePolicyLab(backend: Backend): Promise<PolicyLab> {
  const prefix = `5x5p${process.pid}${backend[0]}`
  const names = [...Object.keys(SERVERS), 'switch']
  const ns = (name: string): string => `${prefix}-${name}`
  const servers: ChildProcess[] = []
  const remove = (): void => {
    for (const server of servers) server.kill()
    for (const name of names) spawnSync('ip', ['netns', 'delete', ns(name)])
  }
  try {
    for (const name of names) run('ip', ['netns', 'add', ns(name)])
    for (const name of names) run('ip', ['-n', ns(name), 'link', 'set', 'lo', 'up'])
    build(ns)
    for (const [name, ports] of Object.entries(SERVERS)) servers.push(await serve(ns(name), name, ports))
  } catch (error) {
    remove()
    throw error
  }
  const programs = { ipv4: `iptables-${backend}`, ipv6: `ip6tables-${backend}` }
  return {
    onGateway: (family, program, words = [], input = '') => run('ip', ['netns', 'exec', ns('fw'), `${programs[family]}-${program}`, ...words], input),
    connect: connections => connectAll(connections, ns),
    remove,
  }
}

function build(ns: (name: string) => string): void {
  const fw = ns('fw')
  run('ip', ['netns', 'exec', fw, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0', 'net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0'])
  const link = (device: string, peer: string, peerDevice = 'eth0'): void => void run('ip', ['-n', fw, 'link', 'add', device, 'type', 'veth', 'peer', 'name', peerDevice, 'netns', ns(peer)])
  link('eth0', 'wan')
  link('eth1', 'lan')
  link('eth2', 'switch', 'up0')
  run('ip', ['-n', fw, 'link', 'add', 'docker0', 'type', 'bridge'])
  link('vethc', 'container')
  run('ip', ['-n', fw, 'link', 'set', 'vethc', 'master', 'docker0', 'up'])
  run('ip', ['-n', ns('switch'), 'link', 'add', 'br0', 'type', 'bridge'])
  for (const host of ['web', 'dmz']) {
    run('ip', ['-n', ns('switch'), 'link', 'add', host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns(host)])
    run('ip', ['-n', ns('switch'), 'link', 'set', host, 'master', 'br0', 'up'])
  }
  run('ip', ['-n', ns('switch'), 'link', 'set', 'up0', 'master', 'br0', 'up'])
  run('ip', ['-n', ns('switch'), 'link', 'set', 'br0', 'up'])
  addAddresses(fw, { eth0: ['203.0.113.2/24', '2001:db8::2/64'], eth1: ['192.168.10.1/24'], eth2: ['10.0.1.1/24'], docker0: ['172.17.0.1/16'] })
  addAddresses(ns('wan'), { eth0: ['203.0.113.1/24', '198.51.100.7/32', '198.51.100.70/32', '198.51.100.80/32', '2001:db8::1/64', '2001:db8:5::7/128', '2001:db8:9::7/128'] })
  addAddresses(ns('lan'), { eth0: ['192.168.10.9/24', '192.168.10.5/24'] })
  addAddresses(ns('web'), { eth0: ['10.0.1.10/24'] })
  addAddresses(ns('dmz'), { eth0: ['10.0.1.20/24'] })
  addAddresses(ns('container'), { eth0: ['172.17.0.2/16'] })
  const route = (name: string, words: string): void => void run('ip', ['-n', ns(name), ...words.split(' ')])
  route('fw', 'route add default via 203.0.113.1')
  route('fw', '-6 route add default via 2001:db8::1')
  for (const network of ['192.168.10.0/24', '10.0.1.0/24', '172.17.0.0/16']) route('wan', `route add ${network} via 203.0.113.2`)
  for (const [name, gateway] of [['lan', '192.168.10.1'], ['web', '10.0.1.1'], ['dmz', '10.0.1.1'], ['container', '172.17.0.1']] as const) route(name, `route add default via ${gateway}`)
}

function addAddresses(namespace: string, devices: Readonly<Record<string, readonly string[]>>): void {
  for (const [device, addresses] of Object.entries(devices)) {
    for (const address of addresses) run('ip', ['-n', namespace, 'address', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : [])])
    run('ip', ['-n', namespace, 'link', 'set', device, 'up'])
  }
}

async function serve(namespace: string, name: string, ports: readonly string[]): Promise<ChildProcess> {
  const child = spawn('ip', ['netns', 'exec', namespace, 'python3', ACTORS, 'serve', name, ...ports], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', code => reject(new Error(`the servers of ${name} ended with ${code}`)))
  })
  return child
}

async function connectAll(connections: readonly Connection[], ns: (name: string) => string): Promise<readonly string[]> {
  const places = [...new Set(connections.map(({ place }) => place))]
  const found = new Map<Connection, string>()
  await Promise.all(places.map(async place => {
    const own = connections.filter(connection => connection.place === place)
    const child = spawn('ip', ['netns', 'exec', ns(place), 'python3', ACTORS, 'connect', PATIENCE], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end(JSON.stringify(own))
    let text = ''
    for await (const part of child.stdout) text += String(part)
    const results: unknown = JSON.parse(text)
    own.forEach((connection, index) => found.set(connection, Array.isArray(results) ? String(results[index]) : 'nothing'))
  }))
  return connections.map(connection => found.get(connection) ?? 'nothing')
}


function run(program: string, words: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, [...words], { encoding: 'utf8', input })
  if (status !== 0) throw new Error(`\`${program} ${words.join(' ')}\` failed: ${stderr}`)
  return stdout
}
