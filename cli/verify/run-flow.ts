/** Sends the packets of a flow in the simulator and on the kernel, side by side, and tells where the two differ. */

import { nextProbe, sendProbe } from '../../src/analyze/probe-flow.ts'
import type { Flow, SentProbe } from '../../src/analyze/probe-flow.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writePacket, writeProbe } from '../../src/packet/write-packet.ts'
import type { Difference } from '../../src/report/verify-report.ts'
import { readCounters } from './counters.ts'
import type { Counters } from './counters.ts'
import { describeFrame, expectedFrames, isBackground } from './frames.ts'
import type { ExpectedFrame } from './frames.ts'
import { inject, prepareNeighbours } from './inject.ts'
import type { Session } from './session.ts'
import { asSocketSends } from './senders.ts'
import type { Sender } from './senders.ts'
import type { WireFrame } from './wires.ts'

/** What became of one packet of a flow. */
export interface SentPacket {
  readonly text: string
  readonly differences: readonly Difference[]
  /** Hits by namespace and rule: of the kernel and of the simulator. */
  readonly kernel: ReadonlyMap<string, Counters>
  readonly simulator: ReadonlyMap<string, Counters>
}

/** Milliseconds to wait for what a packet causes; the later ones only where something is still missing. */
const WAITS = [6, 30, 120, 300] as const

/** Sends a flow. Its sockets stay open until it is over. */
export async function runFlow(session: Session, flow: Flow): Promise<readonly SentPacket[]> {
  const drawn: Drawn = { ports: new Map(), variables: new Map() }
  const probes: Probe[] = []
  const results: SentPacket[] = []
  const senders: Sender[] = []
  let lastFrames: readonly WireFrame[] = []
  try {
    for (const step of flow) {
      const probe = nextProbe(step, replay(session, drawn, probes))
      if (!probe) break
      probes.push(fitted(session, probe))
      const sent = replay(session, drawn, probes).at(-1)
      if (!sent) break
      prepareNeighbours(session, sent)
      session.wires.take()
      senders.push(...(await inject(session, sent.probe, lastFrames)))
      const seen = await observe(session, () => last(replay(session, drawn, probes)), drawn)
      lastFrames = seen.frames
      const text = probes.map(one => textOf(session, one)).join(', then ')
      results.push({ text, differences: seen.differences, kernel: seen.kernel, simulator: seen.simulator })
    }
  } finally {
    for (const sender of senders) sender.close()
  }
  return results
}

/** What chance decided in a flow, as the kernel showed it: ports that it drew, and free variables such as `-m statistic --mode random`. */
interface Drawn {
  readonly ports: Map<string, number>
  readonly variables: Map<string, boolean>
}

/** Worlds remember, so all packets of a flow are sent again whenever one more is looked at. */
function replay(session: Session, { ports, variables }: Drawn, probes: readonly Probe[]): readonly SentProbe[] {
  const world = session.newWorld(ports)
  return probes.map(probe => sendProbe(world, probe, { record: 'matches', assume: variables }))
}

function last(sent: readonly SentProbe[]): SentProbe {
  const one = sent.at(-1)
  if (!one) throw new Error('a flow that is observed has packets')
  return one
}

/** What a host sends itself looks as its sockets make it. */
function fitted({ lab }: Session, probe: Probe): Probe {
  if (probe.inDevice !== undefined) return probe
  const namespace = lab.topology.namespaces.find(one => one.name === probe.namespace)
  const mtu = namespace?.devices.filter(device => device.kind !== 'loopback').map(device => device.mtu)[0] ?? 1500
  return { ...probe, packet: asSocketSends(probe.packet, mtu) }
}

interface Observed {
  readonly differences: readonly Difference[]
  readonly kernel: ReadonlyMap<string, Counters>
  readonly simulator: ReadonlyMap<string, Counters>
  readonly frames: readonly WireFrame[]
}

async function observe(session: Session, predict: () => SentProbe, drawn: Drawn): Promise<Observed> {
  const frames: WireFrame[] = []
  const before = new Map(session.counters)
  let observed: Observed | undefined
  for (const wait of WAITS) {
    await new Promise(resolve => setTimeout(resolve, wait))
    const kernel = new Map(session.ruled.map(namespace => [namespace, readCounters(session.lab, namespace, session.family)]))
    frames.push(...session.wires.take().filter(frame => !isBackground(frame.bytes)))
    const hits = new Map(session.ruled.map(namespace => [namespace, grown(before.get(namespace), kernel.get(namespace) ?? new Map())]))
    const compare = (sent: SentProbe): Observed => {
      const simulated = hitsByNamespace(sent, session)
      return { differences: [...counterDifferences(session, hits, simulated), ...frameDifferences(session, frames, expectedFrames(sent, session.lab))], kernel: hits, simulator: simulated, frames }
    }
    const settled = (): SentProbe => {
      followPorts(session, predict(), frames, drawn)
      return predict()
    }
    observed = compare(settled())
    if (observed.differences.length > 0) observed = followVariables(settled, drawn, compare) ?? observed
    for (const [namespace, counters] of kernel) session.counters.set(namespace, counters)
    if (observed.differences.length === 0) break
  }
  return observed ?? { differences: [], kernel: new Map(), simulator: new Map(), frames }
}

/** Where the kernel draws a port by lot, the simulator takes the one that was seen. */
function followPorts({ lab }: Session, sent: SentProbe, frames: readonly WireFrame[], { ports }: Drawn): void {
  const isDrawn = sent.legs.some(leg => leg.trace.events.some(event => event.kind === 'nat' && event.binding.choice !== undefined))
  if (!isDrawn) return
  const expected = expectedFrames(sent, lab)
  const { protocol, sport } = sent.probe.packet
  for (const frame of frames) {
    const seen = describeFrame(frame.bytes)
    const like = expected.find(one => one.wire === frame.wire && withoutSourcePort(one.words) === withoutSourcePort(seen.words))
    if (like && seen.sport !== undefined && sport !== undefined && seen.sport !== sport) ports.set(`${protocol} ${sport}`, seen.sport)
  }
}

/** More combinations of free variables than these are not tried. */
const COMBINATIONS = 64

/** Where the simulator had to assume something, the kernel may have had it otherwise: any way that explains all that was seen will do. */
function followVariables(predict: () => SentProbe, { variables }: Drawn, compare: (sent: SentProbe) => Observed): Observed | undefined {
  const before = new Map(variables)
  const queue: ReadonlyMap<string, boolean>[] = [before]
  for (let tried = 0; tried < COMBINATIONS && queue.length > 0; tried += 1) {
    const given = queue.shift() ?? before
    variables.clear()
    for (const [key, value] of given) variables.set(key, value)
    const sent = predict()
    const observed = compare(sent)
    if (observed.differences.length === 0) return observed
    const open = sent.legs.flatMap(leg => leg.trace.assumed).filter(({ key }) => !given.has(key))
    for (const [index, { key }] of open.entries()) queue.push(new Map([...given, ...open.slice(0, index).map(one => [one.key, false] as const), [key, true]]))
  }
  variables.clear()
  for (const [key, value] of before) variables.set(key, value)
  return undefined
}

function withoutSourcePort(words: string): string {
  return words.replace(/^(\S+ \S+?):\d+ >/, '$1 >')
}

function hitsByNamespace(sent: SentProbe, { ruled }: Session): ReadonlyMap<string, Counters> {
  return new Map(ruled.map(namespace => {
    const hits = new Map<string, number>()
    for (const leg of sent.legs) {
      if (leg.namespace !== namespace) continue
      for (const { table, chain, number } of leg.trace.way.path) hits.set(`${table} ${chain} ${number}`, (hits.get(`${table} ${chain} ${number}`) ?? 0) + 1)
    }
    return [namespace, hits] as const
  }))
}

function grown(before: Counters | undefined, after: Counters): Counters {
  return new Map([...after].map(([key, packets]) => [key, packets - (before?.get(key) ?? 0)] as const).filter(([, packets]) => packets !== 0))
}

/** Tables that only the kernel has do not count: no rule of the user is in them. */
function counterDifferences({ ruled, counters }: Session, kernel: ReadonlyMap<string, Counters>, simulator: ReadonlyMap<string, Counters>): readonly Difference[] {
  return ruled.flatMap(namespace => {
    const [there, here] = [kernel.get(namespace) ?? new Map<string, number>(), simulator.get(namespace) ?? new Map<string, number>()]
    const keys = [...new Set([...there.keys(), ...here.keys()])].filter(key => counters.get(namespace)?.has(key) ?? true)
    return keys.filter(key => (there.get(key) ?? 0) !== (here.get(key) ?? 0)).map(key => ({ namespace, what: key, kernel: String(there.get(key) ?? 0), simulator: String(here.get(key) ?? 0) }))
  })
}

function frameDifferences({ lab }: Session, frames: readonly WireFrame[], expected: readonly ExpectedFrame[]): readonly Difference[] {
  const rest = [...expected]
  const extra: { readonly wire: number; readonly words: string }[] = []
  for (const frame of frames) {
    const { words } = describeFrame(frame.bytes)
    const index = rest.findIndex(one => one.wire === frame.wire && one.words === words)
    if (index === -1) extra.push({ wire: frame.wire, words })
    else rest.splice(index, 1)
  }
  const wires = [...new Set([...rest, ...extra].map(one => one.wire))]
  return wires.map(wire => {
    const [namespace = '', device = ''] = [...lab.wires].find(([, number]) => number === wire)?.[0].split(/\/(?=[^/]*$)/) ?? []
    const sends = (list: readonly { readonly wire: number; readonly words: string }[]): string => list.filter(one => one.wire === wire).map(one => `sends ${one.words}`).join(' and ') || 'sends nothing else'
    return { namespace, what: `device ${device}`, kernel: sends(extra), simulator: sends(rest) }
  })
}

function textOf({ lab }: Session, { namespace, ...probe }: Probe): string {
  const { macSource: _, socket: __, ...packet } = probe.packet
  const text = probe.inDevice === undefined ? `${writePacket(packet satisfies Packet, { brief: true })} (sent by the host)` : writeProbe({ ...probe, packet }, { brief: true })
  return lab.topology.namespaces.length === 1 ? text : `${namespace ?? ''}: ${text}`
}
