/**
 * Measures how many packets a second `5x5 simulate --jsonl` answers for rulesets of 200 rules, and how long one packet takes through
 * 100,000 rules of kube-proxy after loading: `npm run bench:simulate`. Nothing is asserted: machines are shared and noisy.
 */

import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAddress } from '../../src/net/address.ts'
import { answerLine } from '../../cli/simulate/answer-request.ts'
import { readProbe } from '../../cli/simulate/packet-json.ts'
import { readTopologyJson } from '../../cli/simulate/topology-json.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { TraceOptions } from '../../src/simulate/trace.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { makeRuleset } from './rulesets.ts'
import { FIREWALLS, makeFirewall } from './firewalls.ts'

const FLOWS = 250
const REQUESTS = 60
const WARM_UP = 10
const RUNS = 3
const folder = mkdtempSync(join(tmpdir(), '5x5-bench-'))

const topology = {
  name: 'bench',
  ifaces: [
    { name: 'eth0', addrs: ['203.0.113.1/24', '203.0.113.2/24'] },
    { name: 'eth1', addrs: ['10.0.0.1/16'] },
    { name: 'docker0', addrs: ['172.17.0.1/16'] },
  ],
  routes: ['default via 203.0.113.254 dev eth0'],
}

try {
  for (const shape of FIREWALLS) measureRequests(shape, makeFirewall(shape, 200))
  measureKubeProxy(100_000)
} finally {
  rmSync(folder, { recursive: true })
}

/** Five packets of a TCP connection through the host, or two of UDP, as eight flows in ten and two in ten. */
function makeFlow(number: number): { readonly packets: readonly object[] } {
  const client = `198.51.100.${1 + (number % 250)}`
  const ports = { sport: 1024 + ((number * 7919) % 60000), dport: [22, 53, 80, 443, 8080][number % 5] }
  const there = { in: 'eth0', src: client, dst: number % 2 ? '10.0.3.7' : '203.0.113.1', ...ports }
  const back = { in: number % 2 ? 'eth1' : null, src: there.dst, dst: client, sport: ports.dport, dport: ports.sport }
  if (number % 10 > 7) return { packets: [{ ...there, proto: 'udp', payloadLen: 30 }, { ...back, proto: 'udp', payloadLen: 60 }] }
  const tcp = { proto: 'tcp', df: true }
  return {
    packets: [
      { ...there, ...tcp, tcpFlags: ['SYN'], seq: 1000, mss: 1460 },
      { ...back, ...tcp, tcpFlags: ['SYN', 'ACK'], seq: 9000, ack: 1001, mss: 1460 },
      { ...there, ...tcp, tcpFlags: ['ACK'], seq: 1001, ack: 9001 },
      { ...there, ...tcp, tcpFlags: ['PSH', 'ACK'], seq: 1001, ack: 9001, payloadLen: 100 },
      { ...back, ...tcp, tcpFlags: ['ACK'], seq: 9001, ack: 1101 },
    ],
  }
}

/** The difference of a long and a short run, so that the start of the program is left out. */
function measureRequests(shape: string, ruleset: string): void {
  const flows = Array.from({ length: FLOWS }, (_, number) => makeFlow(number))
  const packets = flows.reduce((sum, flow) => sum + flow.packets.length, 0)
  const line = `${JSON.stringify({ topology, ruleset, flows })}\n`
  const rates = Array.from({ length: RUNS }, () => (packets * REQUESTS) / (secondsOf(line.repeat(WARM_UP + REQUESTS)) - secondsOf(line.repeat(WARM_UP))))
  const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en').padStart(8)
  console.log(`simulate --jsonl, ${shape.padEnd(9)} ${perSecond(median(rates))} packets a second, ${perSecond((packets * REQUESTS) / processorSecondsOf(line))} a second of processor time`)
}

/** In this process: on a busy machine the time that passes says little. */
function processorSecondsOf(line: string): number {
  for (let request = 0; request < WARM_UP; request++) answerLine(line, 'legacy')
  const before = process.cpuUsage()
  for (let request = 0; request < REQUESTS; request++) answerLine(line, 'legacy')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

function secondsOf(requests: string): number {
  const path = join(folder, 'requests.jsonl')
  writeFileSync(path, requests)
  const [input, output] = [openSync(path, 'r'), openSync('/dev/null', 'w')]
  const start = performance.now()
  const { status } = spawnSync(process.execPath, ['dist/bundle/main.js', 'simulate', '--jsonl'], { stdio: [input, output, 'inherit'] })
  const seconds = (performance.now() - start) / 1000
  closeSync(input)
  closeSync(output)
  if (status !== 0) throw new Error(`the program ended with ${status}`)
  return seconds
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function measureKubeProxy(size: number): void {
  const loading = performance.now()
  const { value } = readRuleset([{ path: 'kube-proxy', text: makeRuleset('kube-proxy', size) }], { family: 'ipv4' })
  const options = { topology: readTopologyJson(topology, ''), rulesets: [value] }
  trace(makeWorld(options), readProbe({ in: 'eth0', proto: 'udp', src: '198.51.100.1', dst: '10.96.0.1' }), { record: 'none' })
  console.log(`\nkube-proxy, ${value.ruleCount} rules: ${Math.round(performance.now() - loading)} ms to read them and send the first packet`)
  serviceTime('none', options) // the chains of these services are prepared
  for (const record of ['none', 'matches', 'all'] as const) console.log(`  one packet to a service, record ${record.padEnd(8)} ${serviceTime(record, options).toFixed(3)} ms`)
}

/** Milliseconds for one packet, on average over many services. */
function serviceTime(record: NonNullable<TraceOptions['record']>, options: Parameters<typeof makeWorld>[0]): number {
  const rounds = record === 'all' ? 50 : 2000
  let spent = 0
  for (let round = 0; round < rounds; round++) {
    const service = (round * 7919) % 20_000
    const probe = readProbe({ in: 'eth0', proto: 'tcp', src: '198.51.100.7', dst: writeAddress(0x0a600000 + service), sport: 40000, dport: 80, tcpFlags: ['SYN'] })
    const start = performance.now()
    trace(makeWorld(options), probe, { record })
    spent += performance.now() - start
  }
  return spent / rounds
}
