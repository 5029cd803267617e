/**
 * Packets that findings show: sent through the simulator each takes the way that the finding tells. Those of all fixtures, and of the
 * corpora's rulesets (`LINT=. npm test -- lint-witness` takes all of them, else some).
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { splitWords } from '../grammar/save-words.ts'
import { lineOf } from '../src/diagnostics/source-file.ts'
import type { Family } from '../src/net/address.ts'
import { addressWidth } from '../src/net/address.ts'
import { readPacket } from '../src/packet/notation.ts'
import type { Probe } from '../src/packet/probe.ts'
import { replyTo } from '../src/packet/reply.ts'
import { readRuleset } from '../src/save/read.ts'
import type { TraceEvent } from '../src/simulate/trace-events.ts'
import { trace } from '../src/simulate/trace.ts'
import { makeWorld } from '../src/simulate/world.ts'
import { assumedTopology } from '../src/topology/assumed.ts'
import { LOOPBACK } from '../src/topology/loopback.ts'
import type { Topology } from '../src/topology/topology.ts'
import { ROUTE_TABLE } from '../src/topology/topology.ts'
import { printedBy } from './printed-by.ts'

const LINT = 'fixtures/lint'
const CORPORA = '../shared/corpora'
const WHICH = process.env['LINT'] ?? ''

/** The part of `5x5 lint --json` that is looked at. */
interface Reported {
  readonly files: readonly { readonly path: string; readonly diagnostics: readonly { readonly code: string; readonly witness?: { readonly packet: string; readonly path: readonly { readonly span: { readonly start: { readonly line: number } } }[] } }[] }[]
}

/** Rules whose last place is about the answer to the packet that is shown. */
const ABOUT_ANSWERS = ['missing-established-accept', 'lock-out']

/** Rules whose first place is one that the packet does not match: the limit is used up. */
const BEYOND_LIMIT = ['limit-without-drop']
const MANY = 100

async function unconfirmed(words: readonly string[], folder: string, family?: Family): Promise<{ readonly confirmed: number; readonly wrong: readonly string[] }> {
  const printed = await printedBy(['lint', ...words, '--no-config', '--json', ...(family ? ['--family', family] : [])], folder)
  const { files } = JSON.parse(printed.replace(/\(exit code \d\)\n$/, '')) as Reported
  const wrong: string[] = []
  let confirmed = 0
  for (const { path, diagnostics } of files) {
    for (const { code, witness } of diagnostics) {
      if (!witness) continue
      const lines = witness.path.map(({ span }) => span.start.line).slice(BEYOND_LIMIT.includes(code) ? 1 : 0)
      const text = readFileSync(join(folder, path), 'utf8')
      const ways = waysOf({ path, text }, witness.packet, family, ABOUT_ANSWERS.includes(code) ? 'and its answer' : BEYOND_LIMIT.includes(code) ? 'again and again' : 'alone')
      if (ways.some(seen => lines.every(line => seen.has(line)))) confirmed++
      else wrong.push(`${path}: ${code}: ${witness.packet} does not meet ${lines.join(', ')} but ${ways.map(seen => [...seen].join(' ')).join(' or ')}`)
    }
  }
  return { confirmed, wrong }
}

/** The lines that a packet meets: on the host that the rules make likely, and on a plain one that has its destination, or forwards it. */
function waysOf(source: { readonly path: string; readonly text: string }, text: string, family: Family | undefined, how: 'alone' | 'and its answer' | 'again and again'): readonly ReadonlySet<number>[] {
  const { value } = readRuleset([source], family ? { family } : {})
  const reading = readPacket(text)
  if (!reading.ok || reading.value.kind !== 'probe') throw new Error(`${text} is no packet`)
  const { probe } = reading.value
  const assumed = assumedTopology([value], [probe])
  return [assumed, plainHost(assumed, probe, 'own'), plainHost(assumed, probe, 'beyond')].map(topology => {
    const world = makeWorld({ topology, rulesets: [value] })
    const { events, outcome } = trace(world, probe)
    const seen = [...events]
    if (how === 'and its answer' && outcome.kind === 'local') seen.push(...trace(world, { packet: replyTo(outcome.packet) }).events, ...trace(world, probe).events)
    if (how === 'and its answer' && (outcome.kind === 'sent' || outcome.kind === 'forward')) seen.push(...trace(world, { packet: replyTo(outcome.packet), inDevice: outcome.device }).events)
    if (how === 'again and again') for (let count = 0; count < MANY; count++) seen.push(...trace(world, probe).events)
    return new Set(seen.flatMap(linesOf))
  })
}

function linesOf(event: TraceEvent): readonly number[] {
  if (event.kind === 'rule') return [lineOf(event.place.rule.span)]
  return event.kind === 'policy' && event.place.chain.span ? [lineOf(event.place.chain.span)] : []
}

/** The same devices, without what was guessed of addresses and routes; what is forwarded leaves by a device that no rule names. */
function plainHost({ namespaces, ...others }: Topology, { packet, inDevice }: Probe, destination: 'own' | 'beyond'): Topology {
  const bits = addressWidth(packet.family)
  const mask = packet.family === 'ipv4' ? 0 : 0n
  return {
    ...others,
    namespaces: namespaces.map(namespace => {
      const devices = [...namespace.devices.filter(({ name }) => name !== LOOPBACK.name).map(device => ({ ...device, addresses: destination === 'own' && device.name === inDevice ? [{ address: packet.dst, length: bits }] : [] })), { name: 'unnamed0', kind: 'physical' as const, mtu: 1500, up: true, hairpin: false, addresses: [] }]
      return { ...namespace, devices: [LOOPBACK, ...devices], routes: [{ kind: 'unicast', prefix: { address: mask, mask }, table: ROUTE_TABLE.main, metric: 0, device: destination === 'own' ? (inDevice ?? 'unnamed0') : 'unnamed0' }] }
    }),
  }
}

test('every packet that a finding of the fixtures shows takes the way that it tells', async () => {
  const wrong: string[] = []
  let confirmed = 0
  for (const id of readdirSync(LINT)) {
    const folder = join(LINT, id)
    const flags: string[] = []
    const text = existsSync(join(folder, 'flags.txt')) ? readFileSync(join(folder, 'flags.txt'), 'utf8').trim() : ''
    splitWords(text, 0, text.length, flags, undefined, 'shell')
    for (const name of readdirSync(folder).filter(file => /^bad.*\.rules6?$/.test(file) && !file.includes('.fixed.'))) {
      const other = name.includes('.v4.') ? name.replace('.v4.', '.v6.') : name.replace('.v6.', '.v4.')
      const found = await unconfirmed([name, ...(other !== name && existsSync(join(folder, other)) ? [other] : []), ...flags], folder)
      wrong.push(...found.wrong.map(words => `${id}/${words}`))
      confirmed += found.confirmed
    }
  }
  expect(wrong).toEqual([])
  expect(confirmed).toBeGreaterThan(20)
})

const rows = existsSync(`${CORPORA}/INDEX.tsv`) ? readFileSync(`${CORPORA}/INDEX.tsv`, 'utf8').trim().split('\n').slice(1).map(line => line.split('\t')) : []
const listed = rows.filter(([path = '', , , , rules], index) => existsSync(`${CORPORA}/${path}`) && Number(rules) < (WHICH === '' ? 80 : 3000) && (WHICH === '' ? index % 20 === 0 : new RegExp(WHICH).test(path)))

test.skipIf(listed.length === 0)(`so does every packet that is shown of ${listed.length} real rulesets`, { timeout: 3_600_000 }, async () => {
  const wrong: string[] = []
  let confirmed = 0
  for (const [path = '', , , , , , , loads] of listed) {
    const family = rows.find(([one]) => one === path)?.[1] === '6' ? 'ipv6' : 'ipv4'
    if (loads === 'n') continue
    const found = await unconfirmed([path], CORPORA, family)
    wrong.push(...found.wrong)
    confirmed += found.confirmed
  }
  console.log(`${confirmed} packets confirmed`)
  expect(wrong).toEqual([])
})
