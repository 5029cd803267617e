/** `5x5 simulate --jsonl`: one request a line on standard input, one answer a line on standard output, until the input ends. */

import { createInterface } from 'node:readline'
import { chainGraph, loops } from '../../src/ir/chain-graph.ts'
import { TABLES } from '../../src/ir/hooks.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Trace } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBackend } from '../input.ts'
import { writeConnection, writeCounters, writeList, writeTrace } from '../simulate/answer-json.ts'
import { isObject, protocolName, readProbe } from '../simulate/packet-json.ts'
import type { JsonObject } from '../simulate/packet-json.ts'
import { readTopologyJson } from '../simulate/topology-json.ts'

const help = `5x5 simulate answers requests about packets: one JSON request a line on standard input, one answer a line on standard output.

usage: 5x5 simulate --jsonl [--backend legacy|nft]

A request is {"topology": {...}, "ruleset": "iptables-save text", "ruleset6": "...", "ipsets": "ipset restore text",
"flows": [{"packets": [{"in": "eth0" | null, "proto": "tcp", "src": ..., "dst": ..., ...}]}]}. Each flow starts in a fresh world.
The answer says of every packet its outcome, the rules it matched, how conntrack saw it and how it left; \`assumed\` names
conditions that could not be decided and were taken not to hold.

exit code: 0 the input ended, 2 wrong flags
`

/** The command. */
export const simulate: Command = {
  help,
  flags: { jsonl: { type: 'boolean' }, backend: { type: 'string' } },
  async run(values, words, terminal) {
    if (!values['jsonl'] || words.length > 0) throw commandError('`5x5 simulate` reads requests from standard input', 'usage: 5x5 simulate --jsonl')
    const backend = readBackend(values['backend']) ?? 'legacy'
    for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
      if (line.trim() !== '') terminal.out(`${answerLine(line, backend)}\n`)
    }
    return EXIT.clean
  },
}

/** Returns the answer to one request line. */
export function answerLine(line: string, backend: Backend): string {
  const request = parseJson(line)
  return isObject(request) ? answerCase(request, backend) : failed('the line is not a JSON object')
}

function answerCase(request: JsonObject, backend: Backend): string {
  const rulesets: Ruleset[] = []
  for (const [key, family] of [['ruleset', 'ipv4'], ['ruleset6', 'ipv6']] as const) {
    const ruleset = loadRuleset(typeof request[key] === 'string' ? request[key] : '', family, backend)
    if (typeof ruleset === 'string') return failed(ruleset)
    rulesets.push(ruleset)
  }
  const topology = readTopologyJson(isObject(request['topology']) ? request['topology'] : {}, typeof request['ipsets'] === 'string' ? request['ipsets'] : '')
  const flows = Array.isArray(request['flows']) ? request['flows'] : []
  return `{"load":"ok","flows":${writeList(flows, (flow: unknown) => answerFlow(isObject(flow) ? flow : {}, rulesets, topology, backend))}}`
}

const loaded = new Map<string, Ruleset | string>()
/** Requests often come with the same rules: so many texts are remembered. */
const REMEMBERED = 8

function loadRuleset(text: string, family: Family, backend: Backend): Ruleset | string {
  const key = `${family} ${backend} ${text}`
  const ruleset = loaded.get(key) ?? readTables(text, family, backend)
  loaded.delete(key)
  loaded.set(key, ruleset)
  const [oldest] = loaded.keys()
  if (loaded.size > REMEMBERED && oldest !== undefined) loaded.delete(oldest)
  return ruleset
}

/** Every table exists, as in a namespace where all its modules are loaded. */
function readTables(text: string, family: Family, backend: Backend): Ruleset | string {
  const padding = TABLES.filter(table => !new RegExp(`^\\*${table}\\s*$`, 'm').test(text)).map(table => `*${table}\nCOMMIT\n`)
  const source = { path: family === 'ipv4' ? 'ruleset' : 'ruleset6', text: `${text}\n${padding.join('')}` }
  const { value, diagnostics } = readRuleset([source], { family, backend })
  const refusal = diagnostics.find(one => one.severity === 'error' && (one.backend ?? backend) === backend)
  if (refusal) return refusal.message
  const loop = value.tables.find(table => loops(chainGraph(table)).length > 0)
  return loop ? `chains of table ${loop.name} jump in a circle` : value
}

function answerFlow(flow: JsonObject, rulesets: readonly Ruleset[], topology: Topology, backend: Backend): string {
  const choices = (Array.isArray(flow['natChoices']) ? flow['natChoices'] : []).filter(isObject)
  const choosePort = (protocol: number, port: number): number | undefined => {
    const choice = choices.find(one => one['proto'] === protocolName(protocol) && one['from'] === port)
    return typeof choice?.['to'] === 'number' ? choice['to'] : undefined
  }
  const world = makeWorld({ topology, rulesets, backend, choosePort })
  const packets = (Array.isArray(flow['packets']) ? flow['packets'] : []).filter(isObject)
  const traces: Trace[] = packets.map(packet => trace(world, readProbe(packet), { record: 'none' }))
  const connections = [...world.hosts.values()].flatMap(host => [...host.connections.all])
  return `{"packets":${writeList(traces, writeTrace)},"conntrack":${writeList(connections, writeConnection)},"counters":${writeCounters(traces)}}`
}

function failed(error: string): string {
  return JSON.stringify({ load: 'error', error, flows: [] })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

