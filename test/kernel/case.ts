/** The kernel test cases of fixtures/kernel/: a host, its neighbours, and packets that the real kernel is asked about. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Sending } from './actor.ts'

/** A host as topology.yaml writes it, in the parts that `ip` needs. */
export interface CaseTopology {
  readonly devices: Readonly<Record<string, { readonly kind?: string; readonly addresses?: readonly string[]; readonly master?: string }>>
  readonly routes?: readonly string[]
  readonly sysctls?: Readonly<Record<string, string>>
}

/** A probe: `at` is the device of the host behind which its sender sits, '' for the host itself. */
export interface Probe {
  readonly packet: string
  readonly at: string
  readonly sending: Sending
  /** A UDP server that answers, behind a device or ('') on the host. */
  readonly listen?: { readonly at: string; readonly address: string; readonly port: number }
  /** The kernel picks the source port at random. */
  readonly randomPort: boolean
}

/** What the kernel did with a probe and the answer to it. `seen` is whom the listener saw. */
export interface Observation {
  readonly answer: string
  readonly seen: string | null
  readonly counters: Readonly<Record<string, number>>
}

/** One folder of fixtures/kernel/. */
export interface KernelCase {
  readonly name: string
  readonly folder: string
  readonly rules: string
  readonly topologyText: string
  readonly topology: CaseTopology
  readonly peers: Readonly<Record<string, { readonly addresses: readonly string[]; readonly routes: readonly string[] }>>
  readonly probes: readonly Probe[]
}

/** Reads all cases. A `case.yaml` names its rules: a file beside it, or one elsewhere that may be absent (the case is then left out). */
export function readCases(folder = 'fixtures/kernel'): { cases: KernelCase[]; absent: string[] } {
  const absent: string[] = []
  const cases = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory()).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    const written = parse(readFileSync(`${path}/case.yaml`, 'utf8')) as { rules: string; peers: KernelCase['peers']; probes: { packet: string; listen?: string; randomPort?: boolean }[] }
    const rulesPath = `${path}/${written.rules}`
    if (!existsSync(rulesPath)) {
      absent.push(entry.name)
      return []
    }
    const topologyText = readFileSync(`${path}/topology.yaml`, 'utf8')
    return [{
      name: entry.name, folder: path, rules: readFileSync(rulesPath, 'utf8'), topologyText, topology: parse(topologyText) as CaseTopology,
      peers: written.peers, probes: written.probes.map(probe => readProbe(probe.packet, probe.listen, probe.randomPort ?? false)),
    }]
  })
  return { cases, absent }
}

/** `[device] tcp|udp ADDRESS:PORT > ADDRESS:PORT`, and a listener as `[device] ADDRESS:PORT`. */
function readProbe(packet: string, listen: string | undefined, randomPort: boolean): Probe {
  const [, at = '', protocol, from = '', to = ''] = /^(?:(\S+) )?(tcp|udp) (\S+) > (\S+)/.exec(packet) ?? []
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`\`${packet}\` is no packet that a socket can send`)
  const probe = { packet, at, sending: { protocol, from: endpoint(from), to: endpoint(to) }, randomPort } as const
  if (listen === undefined) return probe
  const [place = '', device = ''] = listen.split(' ').reverse()
  return { ...probe, listen: { at: device, ...endpoint(place) } }
}

function endpoint(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}
