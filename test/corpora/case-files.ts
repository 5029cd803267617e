/** Recorded cases of kube-proxy's and gVisor's own tests, with what the kernel did with each packet. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CORPORA } from './flow-files.ts'
import type { FlowFile, RecordedOutcome, RecordedPacket } from './flow-files.ts'

/** A case: the file that a packet belongs to, and the packet. */
export interface RecordedCase {
  readonly name: string
  readonly file: FlowFile
  readonly ruleset: string
  readonly packet: RecordedPacket
}

interface KernelRun {
  readonly sport?: number
  readonly outcome: RecordedPacket['outcome']
  readonly hits: RecordedPacket['hits']
}

interface KubeFile {
  readonly name: string
  readonly family: 4 | 6
  readonly ruleset: string
  readonly kernel_environment: { readonly interfaces: readonly { name: string; addrs: readonly string[]; routes?: readonly string[] }[]; readonly default_dev: string }
  readonly flows: readonly {
    readonly name: string
    readonly source_ip: string
    readonly dest_ip: string
    readonly protocol: string
    readonly dest_port: number
    readonly kernel?: { readonly in_iface: string | null; readonly kinds: readonly RecordedOutcome['kind'][]; readonly endpoints: readonly string[]; readonly source_rewritten: boolean; readonly first_run: KernelRun }
  }[]
}

interface GvisorFile {
  readonly cases: readonly {
    readonly name: string
    readonly ruleset?: string
    readonly flows?: readonly { readonly packet: Partial<RecordedPacket> & { readonly tcp_flags?: string }; readonly kernel?: KernelRun }[]
  }[]
}

/** Returns kube-proxy's cases: services, node ports, load balancers. */
export function readKubeCases(): readonly RecordedCase[] {
  return kubeFiles().flatMap(({ kube, file }) => kube.flows.flatMap(flow => {
    if (!flow.kernel) return []
    const { in_iface, first_run } = flow.kernel
    const packet: RecordedPacket = { in: in_iface, proto: flow.protocol, src: flow.source_ip, dst: flow.dest_ip, sport: first_run.sport ?? 0, dport: flow.dest_port, outcome: first_run.outcome, hits: first_run.hits }
    return [{ name: `${kube.name}: ${flow.name}`, file, ruleset: kube.ruleset, packet }]
  }))
}

/** A flow of kube-proxy with all that the kernel was seen to do with its packets. */
export interface KubeFlow {
  readonly name: string
  readonly file: FlowFile
  readonly ruleset: string
  /** As `5x5 reach` is asked about it. */
  readonly question: string
  readonly kinds: readonly RecordedOutcome['kind'][]
  /** `ADDRESS:PORT` */
  readonly endpoints: readonly string[]
  readonly isMasqueraded: boolean
}

/** Returns kube-proxy's flows with all their endpoints. */
export function readKubeFlows(): readonly KubeFlow[] {
  return kubeFiles().flatMap(({ kube, file }) => kube.flows.flatMap(({ name, kernel, source_ip, dest_ip, protocol, dest_port }) => {
    if (!kernel) return []
    const question = `from ${kernel.in_iface ?? 'host'} ${source_ip} to ${dest_ip} ${protocol}/${dest_port}`
    return [{ name: `${kube.name}: ${name}`, file, ruleset: kube.ruleset, question, kinds: kernel.kinds, endpoints: kernel.endpoints, isMasqueraded: kernel.source_rewritten }]
  }))
}

function kubeFiles(): readonly { readonly kube: KubeFile; readonly file: FlowFile }[] {
  const folder = join(CORPORA, 'packet-flows')
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => /^kube-proxy-\d.*\.json$/.test(name)).sort().map(name => {
    const kube = JSON.parse(readFileSync(join(folder, name), 'utf8')) as KubeFile
    const { interfaces, default_dev } = kube.kernel_environment
    const sysctls = { 'net.ipv4.conf.all.route_localnet': '1' }
    return { kube, file: { name: kube.name, ruleset_file: name, family: kube.family, default_dev, setup: [], packets: [], sysctls, interfaces: interfaces.map(one => ({ routes: [], ...one })) } }
  })
}

/** Returns gVisor's cases: one container with one device. */
export function readGvisorCases(): readonly RecordedCase[] {
  const path = join(CORPORA, 'packet-flows/gvisor-iptables.json')
  if (!existsSync(path)) return []
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as GvisorFile
  const file: FlowFile = { name: 'gvisor', ruleset_file: path, family: 4, interfaces: [{ name: 'eth0', addrs: ['192.0.2.1/24'], routes: [] }], default_dev: 'eth0', setup: [], packets: [] }
  return cases.flatMap(one => (one.flows ?? []).flatMap((flow, index) => {
    if (!flow.kernel) return []
    const { packet, kernel } = flow
    const flags = packet.flags ?? packet.tcp_flags
    const recorded: RecordedPacket = {
      in: packet.in ?? null, proto: packet.proto ?? 'udp', src: packet.src ?? '', dst: packet.dst ?? '', sport: kernel.sport ?? packet.sport ?? 0, dport: packet.dport ?? 0,
      ...(flags === undefined ? {} : { flags }), ...(packet.uid === undefined ? {} : { uid: packet.uid, gid: packet.gid ?? packet.uid }),
      outcome: kernel.outcome, hits: kernel.hits,
    }
    return [{ name: `${one.name} ${index}`, file, ruleset: one.ruleset ?? '', packet: recorded }]
  }))
}
