/** Small worlds of three hosts, joined by veth pairs, bridges and a wire, with random rules and a few mistakes. An IPv6 world is an IPv4 one in other addresses. */

import { readRuleset } from '../../src/save/read.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { familyOf, readAddress } from '../../src/net/address.ts'
import type { Address, Family } from '../../src/net/address.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { readTopology } from '../../src/topology/load.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Chance } from '../chance.ts'

/** A device of its own, or a port of the bridge. */
export type Wire = 'eth0' | 'p1'

/** A world and what its namespaces have loaded. */
export interface SmallWorld {
  readonly family: Family
  /** The device of `host` by which packets come from outside. */
  readonly wire: Wire
  readonly text: string
  readonly topology: Topology
  readonly rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>
}

/** Returns a world: `host` is joined to `one` and `two` by veth pairs, of which none, one or both are ports of its bridge. */
export function randomWorld(chance: Chance, family: Family, wire: Wire = 'eth0'): SmallWorld {
  const bridged = chance.pick([[], ['v1'], ['v1', 'v2'], ['v1', 'v2']])
  const [net1, net2] = [bridged.includes('v1') ? '10.0.5' : '10.0.1', bridged.includes('v2') ? '10.0.5' : '10.0.2']
  const port = (name: string, net: string): string => (bridged.includes(name) ? `{ hairpin: ${chance.once(4)} }` : `${net}.1/24`)
  const listens = (): string => (chance.once(3) ? `, listen: [${chance.pick(['tcp :80', 'tcp :80, udp :53', 'tcp :22', ''])}]` : '')
  const extra = (net: string): string => (chance.once(3) ? `, routes: [default via ${net}.1 dev eth0]` : `, routes: [default via ${net}.1 dev eth0, ${chance.pick(['10.0.9.0/24', '10.0.1.0/24', '10.0.2.0/24'])} via ${net}.1 dev eth0]`)
  const sysctls = chance.once(4) ? `\n    sysctls: { net.bridge.bridge-nf-call-iptables: 0 }` : chance.once(4) ? `\n    sysctls: { net.ipv4.conf.all.rp_filter: ${chance.pick([1, 2])} }` : ''
  const hostRoutes = ['default via 192.0.2.254 dev eth0', ...(chance.once(3) ? [`10.0.9.0/24 via ${net1}.2 dev ${bridged.includes('v1') ? 'br0' : 'v1'}`] : []), ...(chance.once(6) ? ['blackhole 10.0.8.0/24'] : [])]
  const ports = [...bridged, ...(wire === 'p1' ? [wire] : [])]
  const yaml = inFamily(family, `namespaces:
  host:
    devices:
      eth0: 192.0.2.1/24
      v1: ${port('v1', net1)}
      v2: ${port('v2', net2)}
${wire === 'p1' ? '      p1: {}\n' : ''}${ports.length > 0 ? `      br0: { addresses: 10.0.5.1/24, ports: [${ports.join(', ')}] }\n` : ''}    routes: [${hostRoutes.join(', ')}]${sysctls}
  one: { devices: { eth0: { addresses: ${net1}.2/24, peer: host/v1 } }${extra(net1)}${listens()} }
  two: { devices: { eth0: { addresses: ${net2}.3/24, peer: host/v2 } }${extra(net2)}${listens()} }
`)
  const { value, diagnostics } = readTopology({ path: 'world.yaml', text: yaml })
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (error) throw new Error(`${error.message}\n${yaml}`)
  const loaded = ['host', ...(chance.once(2) ? ['one'] : []), ...(chance.once(3) ? ['two'] : [])].map(name => ({ name, rules: inFamily(family, randomWorldRules(chance)) }))
  const rulesetsOf = new Map(loaded.map(({ name, rules }) => [name, [rulesetOf(name, rules, family)]]))
  return { family, wire, text: `${yaml}\n${loaded.map(({ name, rules }) => `# ${name}\n${rules}`).join('\n')}`, topology: value, rulesetsOf }
}

/** Returns a text with each IPv4 address, and what only IPv4 has, in the words of the family. */
function inFamily(family: Family, text: string): string {
  if (family === 'ipv4') return text
  return text
    .replace(/\b10\.0\.0\.0\/16/g, 'fd00::/32')
    .replace(/\b(\d+\.\d+\.\d+\.\d+):(\d+)/g, '[$1]:$2')
    .replace(/\b10\.0\.(\d+)\.(\d+)/g, (_, net: string, host: string) => `fd00:0:${net}::${host === '0' ? '' : host}`)
    .replace(/\b192\.0\.2\.(\d+)/g, '2001:db8:2::$1').replace(/\b198\.51\.100\.(\d+)/g, '2001:db8:51::$1')
    .replace(/\/24/g, '/64').replace(/TTL --ttl-dec/g, 'HL --hl-dec').replace(/call-iptables/g, 'call-ip6tables')
}

function rulesetOf(name: string, text: string, family: Family): Ruleset {
  const { value, diagnostics } = readRuleset([{ path: `${name}.rules`, text }], { family })
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (error) throw new Error(`${error.message}\n${text}`)
  return value
}

const ADDRESSES = ['10.0.1.2', '10.0.2.3', '10.0.5.2', '10.0.5.3', '10.0.5.0/24', '10.0.0.0/16', '192.0.2.1', '198.51.100.9', '10.0.9.7']

function randomWorldRules(chance: Chance): string {
  const policy = (): string => (chance.once(4) ? 'DROP' : 'ACCEPT')
  const filter = ['INPUT', 'FORWARD', 'OUTPUT'].flatMap(chain => Array.from({ length: chance.below(4) }, () => `-A ${chain} ${conditions(chance, chain)} -j ${chance.pick(['ACCEPT', 'ACCEPT', 'DROP', 'REJECT', 'LOG'])}`))
  const nat = chance.once(3) ? [] : ['PREROUTING', 'POSTROUTING', 'OUTPUT'].flatMap(chain => Array.from({ length: chance.below(3) }, () => `-A ${chain} -p tcp ${conditions(chance, chain, 'tcp')} ${natTarget(chance, chain)}`))
  const mangle = chance.once(3) ? ['PREROUTING', 'FORWARD', 'POSTROUTING'].flatMap(chain => Array.from({ length: chance.below(3) }, () => `-A ${chain} ${conditions(chance, chain)} -j ${chance.pick(['MARK --set-xmark 0x1/0xffffffff', 'TTL --ttl-dec 1', 'DSCP --set-dscp 0x0a', 'DROP', 'CONNMARK --set-xmark 0x2/0xffffffff', 'CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff'])}`)) : []
  return [
    '*mangle', ...['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'].map(chain => `:${chain} ACCEPT [0:0]`), ...mangle, 'COMMIT',
    '*nat', ...['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].map(chain => `:${chain} ACCEPT [0:0]`), ...nat, 'COMMIT',
    '*filter', ...['INPUT', 'FORWARD', 'OUTPUT'].map(chain => `:${chain} ${policy()} [0:0]`), ...filter, 'COMMIT', '',
  ].join('\n')
}

function conditions(chance: Chance, chain: string, protocol?: string): string {
  const not = (): string => (chance.once(5) ? '! ' : '')
  const hasIn = chain === 'PREROUTING' || chain === 'INPUT' || chain === 'FORWARD'
  const hasOut = chain === 'FORWARD' || chain === 'OUTPUT' || chain === 'POSTROUTING'
  const chosen = protocol ?? (chance.once(2) ? chance.pick(['tcp', 'udp']) : undefined)
  return [
    chance.once(4) ? `${not()}-s ${chance.pick(ADDRESSES)}` : '', chance.once(4) ? `${not()}-d ${chance.pick(ADDRESSES)}` : '',
    hasIn && chance.once(4) ? `${not()}-i ${chance.pick(['eth0', 'br0', 'v1', 'v+'])}` : '', hasOut && chance.once(4) ? `${not()}-o ${chance.pick(['eth0', 'br0', 'v2', 'v+'])}` : '',
    protocol === undefined && chosen !== undefined ? `-p ${chosen}` : '', chosen !== undefined && chance.once(2) ? `-m ${chosen} --dport ${chance.pick(['22', '80', '53'])}` : '',
    chance.once(8) ? `-m mark ${not()}--mark 0x1` : '', chance.once(12) ? `-m connmark ${not()}--mark 0x2` : '',
    chance.once(8) && chain !== 'OUTPUT' && chain !== 'POSTROUTING' ? `-m physdev ${not()}--physdev-in ${chance.pick(['v1', 'v2'])}` : '', chance.once(10) && chain === 'FORWARD' ? `-m physdev ${not()}--physdev-is-bridged` : '',
    chance.once(8) ? `-m conntrack ${not()}--ctstate ${chance.pick(['NEW', 'INVALID', 'DNAT', 'SNAT', 'RELATED,ESTABLISHED'])}` : '',
    chance.once(10) ? `-m conntrack ${not()}--ctorigdst ${chance.pick(ADDRESSES)}` : '', chance.once(10) ? `-m addrtype ${not()}--dst-type LOCAL` : '',
    hasIn && chance.once(12) ? `-m mac ${not()}--mac-source 02:55:00:01:00:01` : '', chance.once(12) ? `-m string --string ${chance.pick(['a', 'b'])} --algo bm` : '',
  ].filter(part => part !== '').join(' ')
}

function natTarget(chance: Chance, chain: string): string {
  if (chain === 'POSTROUTING') return chance.pick(['-j MASQUERADE', '-j MASQUERADE', '-j SNAT --to-source 192.0.2.1', '-j SNAT --to-source 10.0.5.1:1000'])
  return chance.pick([...(chain === 'PREROUTING' ? ['-j REDIRECT --to-ports 80'] : []), '-j DNAT --to-destination 10.0.1.2:80', '-j DNAT --to-destination 10.0.5.2:80', '-j DNAT --to-destination 10.0.5.3', '-j DNAT --to-destination 10.0.2.3:22', '-j DNAT --to-destination 192.0.2.1'])
}

const DESTINATIONS = ['10.0.1.1', '10.0.1.2', '10.0.2.1', '10.0.2.3', '10.0.5.1', '10.0.5.2', '10.0.5.3', '10.0.5.9', '10.0.1.9', '10.0.9.7', '10.0.8.1', '192.0.2.1', '198.51.100.9', '192.0.2.77']

/** Returns a packet of the world: from outside by the wire of `host`, or made by one of the three. */
export function randomPacket(chance: Chance, { topology, family, wire }: SmallWorld): Probe {
  const namespace = chance.pick(['host', 'one', 'two', 'host'])
  const isMade = namespace !== 'host' || chance.once(3)
  const own = topology.namespaces.find(({ name }) => name === namespace)?.devices.flatMap(({ addresses, name }) => (name === 'lo' ? [] : addresses.map(one => one.address))).filter(one => familyOf(one) === family) ?? []
  const address = (text: string): Address => readAddress(inFamily(family, text)) ?? 0
  const src = isMade ? chance.pick(own) : address(chance.pick(['198.51.100.9', '192.0.2.77', '10.0.1.2']))
  const echo = family === 'ipv4' ? { protocol: 1, icmp: { type: 8, code: 0, id: 1 } } : { protocol: 58, icmp: { type: 128, code: 0, id: 1 } }
  const transport = chance.once(3)
    ? { protocol: 17, sport: 40000, dport: chance.pick([53, 80]) }
    : chance.once(8) ? echo : { protocol: 6, sport: chance.pick([1000, 40000]), dport: chance.pick([22, 80]), tcp: { flags: chance.pick([2, 2, 2, 16]), seq: 0, ack: 0, window: 64240, optionKinds: [] } }
  const packet = makePacket({ ...transport, src, dst: address(chance.pick(DESTINATIONS)), ttl: chance.pick([64, 64, 3, 2]), ...(isMade ? { socket: { uid: 0, gid: 0 } } : { macSource: '020000000001' }) })
  return { packet, namespace, ...(isMade ? {} : { inDevice: wire }) }
}
