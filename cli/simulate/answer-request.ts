/** One request of `5x5 simulate --jsonl` -> its answer: the rules are read, each flow is sent into the world as it was at first. */

import { chainGraph, loops } from '../../src/ir/chain-graph.ts'
import { TABLES } from '../../src/ir/hooks.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import { makeWorld, resetWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import { writeAsOracle, writeConnection } from './answer-json.ts'
import { isObject, protocolName, readProbe } from './packet-json.ts'
import type { JsonObject } from './packet-json.ts'
import { makeFlowPaths, writeCounters } from './path-texts.ts'
import { readTopologyJson } from './topology-json.ts'

/** Returns the answer to one request line. */
export function answerLine(line: string, backend: Backend): string {
  return [...answerPieces(line, backend)].join('')
}

/** Returns the same with a line end, in parts as they are made: answers may be long. */
export function* answerParts(line: string, backend: Backend): Iterable<string> {
  let part = ''
  for (const piece of answerPieces(line, backend)) {
    part += piece
    if (part.length < ENOUGH) continue
    yield part
    part = ''
  }
  yield `${part}\n`
}

/** Characters of a part; the last one may have fewer. */
const ENOUGH = 65_536

function answerPieces(line: string, backend: Backend): Iterable<string> {
  const request = parseJson(line)
  return isObject(request) ? answerCase(request, backend) : [failed('the line is not a JSON object')]
}

function* answerCase(request: JsonObject, backend: Backend): Iterable<string> {
  const loaded = loadCase(request, backend)
  if (typeof loaded === 'string') return yield failed(loaded)
  const flows = Array.isArray(request['flows']) ? request['flows'] : []
  yield '{"load":"ok","flows":['
  for (const [index, flow] of flows.entries()) {
    if (index > 0) yield ','
    loaded.choices = objectsIn(flow, 'natChoices')
    resetWorld(loaded.world)
    yield answerFlow(objectsIn(flow, 'packets'), loaded.world)
  }
  yield ']}'
}

function objectsIn(value: unknown, key: string): readonly JsonObject[] {
  const list = isObject(value) ? value[key] : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** What the flows of a request are sent into. `choices` are the ports that the kernel chose for the flow. */
interface LoadedCase {
  readonly world: World
  choices: readonly JsonObject[]
}

const loadedCases = new Map<string, LoadedCase | string>()
/** Requests often come with the same rules and topology: so many are remembered. */
const REMEMBERED = 8

/** Returns why the kernel would not load it where that is so. */
function loadCase({ topology, ruleset, ruleset6, ipsets }: JsonObject, backend: Backend): LoadedCase | string {
  const texts = [ruleset, ruleset6, ipsets].map(text => (typeof text === 'string' ? text : ''))
  const key = [backend, JSON.stringify(topology), ...texts].join('\0')
  const loaded = loadedCases.get(key) ?? makeCase(isObject(topology) ? topology : {}, texts, backend)
  loadedCases.delete(key)
  loadedCases.set(key, loaded)
  const [oldest] = loadedCases.keys()
  if (loadedCases.size > REMEMBERED && oldest !== undefined) loadedCases.delete(oldest)
  return loaded
}

function makeCase(topology: JsonObject, [ruleset = '', ruleset6 = '', ipsets = '']: readonly string[], backend: Backend): LoadedCase | string {
  const ipv4 = readTables(ruleset, 'ipv4', backend)
  if (typeof ipv4 === 'string') return ipv4
  const ipv6 = readTables(ruleset6, 'ipv6', backend)
  if (typeof ipv6 === 'string') return ipv6
  const choosePort = (protocol: number, port: number): number | undefined => {
    const choice = loaded.choices.find(one => one['proto'] === protocolName(protocol) && one['from'] === port)
    return typeof choice?.['to'] === 'number' ? choice['to'] : undefined
  }
  const loaded: LoadedCase = { world: makeWorld({ topology: readTopologyJson(topology, ipsets), rulesets: [ipv4, ipv6], backend, choosePort }), choices: [] }
  return loaded
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
  const flow = makeFlowPaths()
  let answers = ''
  for (const packet of packets) answers += `${answers === '' ? '' : ','}${writeAsOracle(trace(world, readProbe(packet), { record: 'none' }), flow)}`
  let connections = ''
  for (const host of world.hosts.values()) {
    for (const connection of host.connections.all) connections += `${connections === '' ? '' : ','}${writeConnection(connection)}`
  }
  return `{"packets":[${answers}],"conntrack":[${connections}],"counters":${writeCounters(flow)}}`
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

