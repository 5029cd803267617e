/** A topology as network namespaces of this machine: real devices, addresses, routes, rules and listening sockets. */

import { writeAddress, writePrefix } from '../../src/net/address.ts'
import { withMacs } from '../../src/topology/links.ts'
import type { Device, DeviceEnd, Namespace, Route, RouteRule, Topology } from '../../src/topology/topology.ts'
import { startActor } from './socket-actor.ts'
import type { SocketActor } from './socket-actor.ts'
import { run, tryRun } from './shell.ts'

/** The namespaces of a topology by their names in it. */
export interface TopologyLab {
  readonly topology: Topology
  readonly prefix: string
  /** The programs in the namespaces, by name. */
  readonly actors: Map<string, SocketActor>
}

/** What the simulator takes a host to be that says nothing else. */
const USUAL_SYSCTLS = [
  'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0', 'net.ipv4.icmp_ratelimit=0',
  'net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.default.send_redirects=0', 'net.ipv4.conf.all.accept_redirects=0', 'net.ipv4.conf.default.accept_redirects=0',
  'net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.default.accept_ra=0', 'net.ipv6.icmp.ratelimit=0', 'net.ipv6.conf.default.router_solicitations=0',
]

/** Makes everything; throws where a command fails. */
export async function makeTopologyLab(topology: Topology): Promise<TopologyLab> {
  const lab: TopologyLab = { topology, prefix: `5x5s-${process.pid}-${Math.random().toString(36).slice(2, 6)}`, actors: new Map() }
  try {
    await build(lab)
    return lab
  } catch (error) {
    removeTopologyLab(lab)
    throw error
  }
}

/** Removes the namespaces and ends the programs in them. */
export function removeTopologyLab(lab: TopologyLab): void {
  for (const actor of lab.actors.values()) actor.stop()
  const wires = (lab.topology.wires ?? []).map((_, index) => `${lab.prefix}-wire${index}`)
  for (const name of [...lab.topology.namespaces.map(namespace => realName(lab, namespace.name)), ...wires]) tryRun(`ip netns delete ${name}`)
}

/** Returns what a namespace of the topology is called on this machine. */
export function realName(lab: { readonly prefix: string }, namespace: string): string {
  return `${lab.prefix}-${namespace}`
}

/** Runs a command in a namespace; namespaces that it names are those of the lab. */
export function change(lab: TopologyLab, namespace: string, command: string): void {
  run(`ip netns exec ${realName(lab, namespace)} ${command.replace(/(netns )(\S+)/g, (_, word: string, name: string) => word + realName(lab, name))}`)
}

/** Lets all namespaces forget connections and neighbours. */
export function forget(lab: TopologyLab): void {
  for (const { name } of lab.topology.namespaces) tryRun(`ip -n ${realName(lab, name)} neigh flush all; ip netns exec ${realName(lab, name)} conntrack -F`)
}

async function build(lab: TopologyLab): Promise<void> {
  const namespaces = withMacs(lab.topology.namespaces)
  for (const { name, sysctls } of namespaces) {
    run(`ip netns add ${realName(lab, name)}`)
    const settings = [...USUAL_SYSCTLS, ...Object.entries(sysctls).filter(([key]) => !isOfDevice(key)).map(([key, value]) => `${key}=${value}`)]
    run(`ip netns exec ${realName(lab, name)} sysctl -qw ${settings.map(setting => `'${setting}'`).join(' ')}`)
  }
  makeLinks(lab, namespaces)
  for (const namespace of namespaces) configure(lab, namespace)
  for (const { name, devices } of namespaces) if (devices.some(device => device.kind === 'bridge')) await portsReady(realName(lab, name))
  for (const { name, devices } of namespaces) if (devices.some(({ addresses }) => addresses.some(({ address }) => typeof address === 'bigint'))) await addressesReady(realName(lab, name))
  for (const { name, sockets = [] } of namespaces) {
    const actor = startActor(realName(lab, name))
    lab.actors.set(name, actor)
    await actor.listen(sockets)
  }
}

/** Kernel: an IPv6 address cannot be used before its device's carrier was noticed, which takes a moment. */
async function addressesReady(namespace: string): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const unnoticed = run(`ip -n ${namespace} link show up`).split('\n').some(line => line.includes('LOWER_UP') && !/state UP|LOOPBACK/.test(line))
    if (!unnoticed && run(`ip -n ${namespace} -6 address show tentative`).trim() === '') return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Kernel: a bridge notices a little later that a port has a carrier, and passes nothing until then. */
async function portsReady(namespace: string): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    const waiting = run(`bridge -n ${namespace} link`).split('\n').some(line => line.includes('LOWER_UP') && line.includes('state disabled'))
    if (!waiting) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** `conf.eth0` can only be set when eth0 is there. */
function isOfDevice(key: string): boolean {
  return /\.(conf|neigh)\.(?!all|default)/.test(key)
}

function makeLinks(lab: TopologyLab, namespaces: readonly Namespace[]): void {
  const done = new Set<string>()
  const pair = (one: DeviceEnd, other: { readonly place: string; readonly device: string }): void => void run(`ip -n ${realName(lab, one.namespace)} link add ${one.device} type veth peer name ${other.device} netns ${other.place}`)
  for (const [index, { ends }] of (lab.topology.wires ?? []).entries()) {
    const hub = `${lab.prefix}-wire${index}`
    run(`ip netns add ${hub} && ip -n ${hub} link add hub type bridge mcast_snooping 0 && ip -n ${hub} link set hub up`)
    for (const [at, end] of ends.entries()) {
      done.add(`${end.namespace}/${end.device}`)
      pair(end, { place: hub, device: `port${at}` })
      run(`ip -n ${hub} link set port${at} master hub up`)
    }
  }
  for (const { name, devices } of namespaces) {
    for (const device of devices) {
      if (done.has(`${name}/${device.name}`) || device.kind === 'loopback') continue
      done.add(`${name}/${device.name}`)
      if (device.peer) {
        done.add(`${device.peer.namespace}/${device.peer.device}`)
        pair({ namespace: name, device: device.name }, { place: realName(lab, device.peer.namespace), device: device.peer.device })
      } else run(`ip -n ${realName(lab, name)} link add ${madeAs(device)}`)
    }
  }
}

function madeAs({ name, kind, vlan }: Device): string {
  if (vlan) return `link ${vlan.parent} name ${name} type vlan id ${vlan.id}`
  return kind === 'bridge' ? `${name} type bridge mcast_snooping 0` : `${name} type dummy`
}

function configure(lab: TopologyLab, namespace: Namespace): void {
  const real = realName(lab, namespace.name)
  const lines: string[] = []
  for (const device of namespace.devices) {
    if (device.kind !== 'loopback' && !device.vlan) lines.push(`link set ${device.name} address ${(device.mac ?? '').replace(/(..)(?!$)/g, '$1:')} mtu ${device.mtu}`)
    if (device.master !== undefined) lines.push(`link set ${device.name} master ${device.master}`)
    if (device.kind !== 'loopback') lines.push(...device.addresses.map(({ address, length }) => `address add ${writeAddress(address)}/${length} dev ${device.name}${typeof address === 'bigint' ? ' nodad' : ''}`))
    if (device.up) lines.push(`link set ${device.name} up`)
  }
  lines.push(...namespace.routes.map(route => `route add ${routeWords(route)}`), ...namespace.rules.map(rule => `${typeof (rule.from ?? rule.to)?.address === 'bigint' ? '-6 ' : ''}rule add ${ruleWords(rule)}`))
  lines.push(...namespace.neighbours.map(({ address, mac, device }) => `neigh add ${writeAddress(address)} lladdr ${mac.replace(/(..)(?!$)/g, '$1:')} dev ${device}`))
  for (const line of lines) run(`ip -n ${real} ${line}`)
  run(`ip netns exec ${real} sh -c 'for f in /proc/sys/net/ipv[46]/neigh/*; do echo 60 > $f/retrans_time_ms; echo 1 > $f/mcast_solicit; echo 0 > $f/proxy_delay; done'`)
  for (const { name } of namespace.devices.filter(device => device.hairpin)) run(`ip netns exec ${real} bridge link set dev ${name} hairpin on`)
  for (const [key, value] of Object.entries(namespace.sysctls).filter(([name]) => isOfDevice(name))) run(`ip netns exec ${real} sysctl -qw '${key}=${value}'`)
  const sets = namespace.ipsets.flatMap(({ name, type, family, entries }) => [`create ${name} ${type}${type.startsWith('hash') ? ` family ${family}` : ''}`, ...entries.map(({ text, nomatch }) => `add ${name} ${text}${nomatch ? ' nomatch' : ''}`)])
  if (sets.length > 0) run(`ip netns exec ${real} ipset restore`, `${sets.join('\n')}\n`)
  for (const { family, source } of namespace.rulesets ?? []) run(`ip netns exec ${real} ${family === 'ipv4' ? 'iptables' : 'ip6tables'}-legacy-restore --noflush`, source.text)
  // Kernel: nat chains are asked only where something has switched conntrack on.
  if ((namespace.rulesets ?? []).length > 0) run(`ip netns exec ${real} nft -f -`, 'table inet track { chain c { type filter hook prerouting priority 400; ct state invalid counter; }; }\n')
}

function routeWords(route: Route): string {
  const { kind, prefix, device, gateway, table, metric, source } = route
  return [kind, writePrefix(prefix), gateway === undefined ? '' : `via ${writeAddress(gateway)}`, device === undefined ? '' : `dev ${device}`, `table ${table}`, metric === 0 ? '' : `metric ${metric}`, source === undefined ? '' : `src ${writeAddress(source)}`].filter(word => word !== '').join(' ')
}

function ruleWords({ priority, action, table, inverted, from, to, inDevice, outDevice, mark }: RouteRule): string {
  return [
    inverted ? 'not' : '', from ? `from ${writePrefix(from)}` : '', to ? `to ${writePrefix(to)}` : '', inDevice === undefined ? '' : `iif ${inDevice}`, outDevice === undefined ? '' : `oif ${outDevice}`,
    mark ? `fwmark ${mark.value}/${mark.mask}` : '', action === 'lookup' ? `lookup ${table}` : action, `priority ${priority}`,
  ].filter(word => word !== '').join(' ')
}
