/**
 * The analyses are exact: of random small rulesets every packet is sent through the simulator, and what it did is compared with what they
 * say. `RULESETS=10000 npm test -- dead-exact` takes more of them; `SEED` others.
 */

import { expect, test } from 'vitest'
import { findDead } from '../../src/analyze/dead.ts'
import type { DeadFinding } from '../../src/analyze/dead.ts'
import { packetsReaching } from '../../src/analyze/rule-reach.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { makeRandom } from '../chance.ts'
import { makeRunner, makeSmallWorld, withoutRules } from './small-rulesets.ts'
import type { Draft, Ran, SmallWorld } from './small-rulesets.ts'

const COUNT = Number(process.env['RULESETS'] ?? 60)
const SEED = Number(process.env['SEED'] ?? 1)

test(`${COUNT} random rulesets: what is called dead is what no packet reaches`, { timeout: 20_000 + COUNT * 1000 }, () => {
  const tally = { dead: 0, live: 0, redundant: 0, packets: 0 }
  for (let seed = SEED; seed < SEED + COUNT; seed++) {
    const world = makeSmallWorld(makeRandom(seed))
    compare(world, seed, tally)
  }
  if (COUNT > 60) console.log(`${COUNT} rulesets: ${JSON.stringify(tally)}`)
  expect(tally.dead).toBeGreaterThan(COUNT / 10)
  expect(tally.redundant).toBeGreaterThan(COUNT / 10)
})

function compare(world: SmallWorld, seed: number, tally: { dead: number; live: number; redundant: number; packets: number }): void {
  const { ruleset, packets, text } = world
  const about = `seed ${seed}\n${text}`
  const run = makeRunner(ruleset)
  const ran = packets.map(run)
  const reached = new Set(ran.flatMap(({ matched }) => [...matched]))
  const { findings, reach } = findDead(ruleset)
  const dead = deadRules(findings)
  const chains = ruleset.tables.flatMap(table => table.chains)
  const live = new Set(chains.flatMap(chain => chain.rules.map(rule => rule.id)).filter(id => !dead.has(id)))
  expect(live, about).toEqual(reached)
  for (const chain of chains) {
    chain.rules.forEach((rule, index) => {
      if (live.has(rule.id)) expect(reach.tables.flatMap(one => packetsReaching(reach, one, 'FORWARD', { rule, number: index + 1, chain })), about).not.toEqual([reach.sets.none])
    })
  }
  const unused = findings.some(finding => finding.kind === 'unusedPolicy')
  if (unused) expect(ran.some(({ byPolicy }) => byPolicy), about).toBe(false)
  const redundant = new Set(findings.flatMap(finding => (finding.kind === 'redundant' ? [finding.at.rule.id] : [])))
  // A rule's chance is known by the rule's number, which changes where rules go.
  for (const gone of world.hasChance ? [] : [redundant, new Set([...redundant, ...dead])]) expect(firstDifference(withoutRules(text, ruleset, gone).ruleset, packets, ran), `${about}\nwithout rules ${[...gone].join()}`).toBeUndefined()
  if (!world.hasChance) noneMissed({ ...world, ...withoutRules(text, ruleset, dead) }, ran)
  tally.dead += dead.size
  tally.live += ruleset.ruleCount - dead.size
  tally.redundant += redundant.size
  tally.packets += packets.length
}

function deadRules(findings: readonly DeadFinding[]): ReadonlySet<number> {
  return new Set(findings.flatMap(finding => {
    if (finding.kind === 'unreachableChain') return finding.chain.rules.map(rule => rule.id)
    return finding.kind === 'contradiction' || finding.kind === 'misplaced' || finding.kind === 'shadowed' ? [finding.at.rule.id] : []
  }))
}

/** Returns the first packet that leaves behind something else in another ruleset. */
function firstDifference(ruleset: Ruleset, packets: readonly Draft[], ran: readonly Ran[]): Draft | undefined {
  const run = makeRunner(ruleset)
  return packets.find((packet, index) => trace(run(packet)) !== trace(ran[index]))
}

/** What a packet leaves behind: its fate, its mark, log lines, and how often it was changed (two changes that cancel out are a trace too). */
function trace(ran: Ran | undefined): string {
  return `${ran?.verdict} ${ran?.mark} ${ran?.logged} ${ran?.rewritten}`
}

/** Of a ruleset without dead rules: every accepting or dropping rule that is not called redundant makes a difference to some packet when it goes. */
function noneMissed({ ruleset, packets, text }: SmallWorld, ran: readonly Ran[]): void {
  const { findings } = findDead(ruleset)
  const redundant = findings.flatMap(finding => (finding.kind === 'redundant' ? [finding.at.rule.id] : []))
  expect(deadRules(findings).size, text).toBe(0)
  for (const chain of ruleset.tables.flatMap(table => table.chains)) {
    for (const rule of chain.rules) {
      const isVerdict = rule.target?.kind === 'target' && (rule.target.name === 'ACCEPT' || rule.target.name === 'DROP')
      if (!isVerdict || redundant.includes(rule.id)) continue
      const without = withoutRules(text, ruleset, new Set([...redundant, rule.id])).ruleset
      expect(firstDifference(without, packets, ran), `${text}\nnot called redundant: rule ${rule.id}`).toBeDefined()
    }
  }
}
