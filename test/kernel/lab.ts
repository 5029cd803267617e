/** A host and its neighbours as network namespaces of this machine, made for one case and removed after it. */

import { spawnSync } from 'node:child_process'
import type { Backend } from '../../src/ir/hooks.ts'
import { listen, send } from './actor.ts'
import type { KernelCase, Observation, Probe } from './case.ts'

/** The namespaces of a case by the device of the host that they hang on; '' is the host itself. */
export interface Lab {
  readonly namespaces: ReadonlyMap<string, string>
  readonly backend: Backend
  readonly kernelCase: KernelCase
}

/** Makes the namespaces, joins them and loads the rules; throws where a command fails. */
export function makeLab(kernelCase: KernelCase, backend: Backend): Lab {
  const prefix = `5x5-${process.pid}-${Math.random().toString(36).slice(2, 6)}`
  const namespaces = new Map([['', `${prefix}-host`], ...Object.keys(kernelCase.peers).map(device => [device, `${prefix}-${device}`] as const)])
  const lab: Lab = { namespaces, backend, kernelCase }
  try {
    build(lab)
  } catch (error) {
    removeLab(lab)
    throw error
  }
  return lab
}

function build(lab: Lab): void {
  const { namespaces, kernelCase } = lab
  const { topology, peers } = kernelCase
  for (const namespace of namespaces.values()) run(`ip netns add ${namespace}`)
  const host = namespaceOf(lab, '')
  for (const [name, device] of Object.entries(topology.devices)) {
    const peer = namespaces.get(name)
    run(device.kind === 'bridge' ? `ip -n ${host} link add ${name} type bridge mcast_snooping 0` : peer === undefined ? `ip -n ${host} link add ${name} type dummy` : `ip -n ${host} link add ${name} type veth peer name eth0 netns ${peer}`)
  }
  inNamespace(host, 'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.icmp_ratelimit=0')
  for (const [name, value] of Object.entries(topology.sysctls ?? {})) inNamespace(host, `sysctl -qw ${name}=${value}`)
  for (const [name, device] of Object.entries(topology.devices)) {
    if (device.master !== undefined) run(`ip -n ${host} link set ${name} master ${device.master}`)
    for (const address of device.addresses ?? []) run(`ip -n ${host} address add ${address} dev ${name}`)
    run(`ip -n ${host} link set ${name} up`)
  }
  run(`ip -n ${host} link set lo up`)
  for (const [device, peer] of Object.entries(peers)) joinPeer(namespaceOf(lab, device), peer)
  for (const route of topology.routes ?? []) run(`ip -n ${host} route add ${route}`)
  load(lab)
}

/** Removes all namespaces of a lab. */
export function removeLab(lab: Lab): void {
  for (const namespace of lab.namespaces.values()) spawnSync('ip', ['netns', 'delete', namespace])
}

/** Sends one probe with all counters and connections as fresh, and returns what the kernel did. */
export async function observe(lab: Lab, probe: Probe): Promise<Observation> {
  load(lab)
  inNamespace(namespaceOf(lab, ''), 'conntrack -F 2>/dev/null || true')
  const listener = probe.listen && (await listen(namespaceOf(lab, probe.listen.at), probe.listen.address, probe.listen.port))
  const answer = await send(namespaceOf(lab, probe.at), probe.sending)
  const observation = { answer, seen: listener?.seen() ?? null, counters: counters(lab) }
  listener?.stop()
  return observation
}

function joinPeer(namespace: string, peer: KernelCase['peers'][string]): void {
  run(`ip -n ${namespace} link set lo up`)
  run(`ip -n ${namespace} link set eth0 up`)
  for (const address of peer.addresses) run(`ip -n ${namespace} address add ${address} dev eth0`)
  for (const route of peer.routes) run(`ip -n ${namespace} route add ${route}`)
}

function load(lab: Lab): void {
  const { status, stderr } = spawnSync('ip', ['netns', 'exec', namespaceOf(lab, ''), `iptables-${lab.backend}-restore`], { input: lab.kernelCase.rules, encoding: 'utf8' })
  if (status !== 0) throw new Error(`iptables-${lab.backend}-restore refused the rules of ${lab.kernelCase.name}: ${stderr}`)
}

/** Packets by `table CHAIN number` and `table CHAIN policy`, those that are not zero. */
function counters(lab: Lab): Record<string, number> {
  const text = inNamespace(namespaceOf(lab, ''), `iptables-${lab.backend}-save -c`)
  const found: Record<string, number> = {}
  const numbers = new Map<string, number>()
  let table = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1)
    const [, chain = '', policy, packets = ''] = /^:(\S+) (\S+) \[(\d+):/.exec(line) ?? []
    if (policy !== undefined && policy !== '-' && packets !== '0') found[`${table} ${chain} policy`] = Number(packets)
    const [, hits = '', of] = /^\[(\d+):\d+\] -A (\S+)/.exec(line) ?? []
    if (of === undefined) continue
    const key = `${table} ${of}`
    numbers.set(key, (numbers.get(key) ?? 0) + 1)
    if (hits !== '0') found[`${key} ${numbers.get(key)}`] = Number(hits)
  }
  return found
}

function namespaceOf(lab: Lab, device: string): string {
  const namespace = lab.namespaces.get(device)
  if (namespace === undefined) throw new Error(`case ${lab.kernelCase.name} has no peer on ${device}`)
  return namespace
}

function inNamespace(namespace: string, command: string): string {
  return run(`ip netns exec ${namespace} sh -c '${command}'`)
}

function run(command: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`\`${command}\` failed: ${stderr}`)
  return stdout
}
