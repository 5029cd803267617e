/** One request of `5x5 simulate --jsonl` -> its answer: the rules are read, each flow is sent into the world as it was at first. */

import { chainGraph, loops } from '../../src/ir/chain-graph.ts'
import { TABLES } from '../../src/ir/hooks.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Trace } from '../../src/simulate/trace-events.ts'
import { makeWorld, resetWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import { writeConnection, writeCounters, writeList, writeTrace } from './answer-json.ts'
import { isObject, protocolName, readProbe } from './packet-json.ts'
import type { JsonObject } from './packet-json.ts'
import { readTopologyJson } from './topology-json.ts'

/** Returns the answer to one request line. */
export function answerLine(line: string, backend: Backend): string {
  return [...answerPieces(line, backend)].join('')
}

/** Returns the same in pieces, one after the other as they are made: answers may be long. */
export function answerPieces(line: string, backend: Backend): Iterable<string> {
  const request = parseJson(line)
  return isObject(request) ? answerCase(request, backend) : [failed('the line is not a JSON object')]
}

function* answerCase(request: JsonObject, backend: Backend): Iterable<string> {
  const rulesets: Ruleset[] = []
  for (const [key, family] of [['ruleset', 'ipv4'], ['ruleset6', 'ipv6']] as const) {
    const ruleset = loadRuleset(typeof request[key] === 'string' ? request[key] : '', family, backend)
    if (typeof ruleset === 'string') return yield failed(ruleset)
    rulesets.push(ruleset)
  }
  const topology = readTopologyJson(isObject(request['topology']) ? request['topology'] : {}, typeof request['ipsets'] === 'string' ? request['ipsets'] : '')
  const flows = Array.isArray(request['flows']) ? request['flows'] : []
  let choices: readonly JsonObject[] = []
  const choosePort = (protocol: number, port: number): number | undefined => {
    const choice = choices.find(one => one['proto'] === protocolName(protocol) && one['from'] === port)
    return typeof choice?.['to'] === 'number' ? choice['to'] : undefined
  }
  const world = makeWorld({ topology, rulesets, backend, choosePort })
  yield '{"load":"ok","flows":['
  for (const [index, flow] of flows.entries()) {
    if (index > 0) yield ','
    choices = objectsIn(flow, 'natChoices')
    resetWorld(world)
    yield answerFlow(objectsIn(flow, 'packets'), world)
  }
  yield ']}'
}

function objectsIn(value: unknown, key: string): readonly JsonObject[] {
  const list = isObject(value) ? value[key] : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
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

function answerFlow(packets: readonly JsonObject[], world: World): string {
  const traces: Trace[] = []
  const answers = writeList(packets, packet => {
    const one = trace(world, readProbe(packet), { record: 'none' })
    traces.push(one)
    return writeTrace(one)
  })
  const connections = [...world.hosts.values()].flatMap(host => [...host.connections.all])
  return `{"packets":${answers},"conntrack":${writeList(connections, writeConnection)},"counters":${writeCounters(traces)}}`
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

